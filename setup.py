"""The one required extension; everything else is in pyproject.toml.

setup.py exists because three things depend on the building interpreter: the hash of the C sources
(compiled in, so that a stale editable install fails loudly), the limited API (not on free-threaded
builds) and the tag of the wheel. FAXCORE_SANITIZE=1 builds for `make sanitize`.
"""

import hashlib
import os
import sysconfig
from pathlib import Path

from setuptools import Extension, setup

NATIVE = Path(__file__).parent / "native"
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def source_hash() -> str:
    """SHA-256 over names and contents of the C sources; `faxcore.kernels` computes the same."""
    digest = hashlib.sha256()
    for path in sorted(NATIVE.rglob("*.[ch]")):
        digest.update(path.relative_to(NATIVE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def compiled_sources() -> list[str]:
    """The binding and one file per CPU level; the kernels are included by the levels."""
    root = NATIVE.parent
    return [str(p.relative_to(root)) for folder in ("levels", "python") for p in sorted((NATIVE / folder).glob("*.c"))]


SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"] if os.environ.get("FAXCORE_SANITIZE") else []

macros = [("KERN_HASH", f'"{source_hash()}"')]
if not FREE_THREADED:
    macros.append(("Py_LIMITED_API", "0x030B0000"))

setup(
    ext_modules=[
        Extension(
            "faxcore.kernels._native",
            sources=compiled_sources(),
            include_dirs=["native"],
            depends=[str(p.relative_to(NATIVE.parent)) for p in NATIVE.rglob("*.[ch]")],
            define_macros=macros,
            # No contraction: a fused multiply-add is written where it is meant, never chosen by the compiler.
            extra_compile_args=["-std=c11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off",
                                "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror=implicit-function-declaration",
                                *(["-O1", "-g", "-fno-wrapv", *SANITIZERS] if SANITIZERS else [])],
            extra_link_args=SANITIZERS,
            py_limited_api=not FREE_THREADED,
        )
    ],
    options={} if FREE_THREADED else {"bdist_wheel": {"py_limited_api": "cp311"}},
)
