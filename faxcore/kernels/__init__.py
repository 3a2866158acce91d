"""The door to the native kernels, and to their slow twins.

A kernel is called as `native.NAME(...)`; `faxcore.kernels.twins` holds a function of the same name and
arguments in plain NumPy or Python, the definition that tests hold the kernel against.

The CPU level (baseline, avx2, avx512) is the best that the machine runs; FAXCORE_CPU forces one.
"""

import hashlib
import os
from pathlib import Path

from faxcore.kernels import _native as native

__all__ = ["cpu_level", "cpu_levels", "native", "select_cpu_level"]


def cpu_level() -> str:
    """The CPU level whose kernels run: "baseline", "avx2" or "avx512"."""
    return native.level()


def cpu_levels() -> list[str]:
    """The CPU levels that this machine can run, slowest first."""
    return native.levels()


def select_cpu_level(name: str) -> None:
    """Run the kernels of one CPU level from now on. ValueError where the machine lacks it."""
    native.select_level(name)


def _check_not_stale() -> None:
    """Beside a source checkout the library must come from the very sources that lie there."""
    sources = Path(__file__).parents[2] / "native"
    if not (sources / "kernels.h").is_file():
        return
    digest = hashlib.sha256()
    for path in sorted(sources.rglob("*.[ch]")):
        digest.update(path.relative_to(sources).as_posix().encode() + b"\0" + path.read_bytes())
    if digest.hexdigest()[:16] != native.source_hash:
        raise ImportError(f"{native.__file__} was built from other sources than {sources}: run `make build`")


_check_not_stale()
if os.environ.get("FAXCORE_CPU"):
    select_cpu_level(os.environ["FAXCORE_CPU"])
