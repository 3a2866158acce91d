"""The cellar: kernels know no Python, every kernel has its twin, and a stale build says so."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from faxcore.kernels import native
from tests.house.sources import PACKAGE, ROOT, tree

NATIVE = ROOT / "native"
X_MACRO = re.compile(r"#define (\w+)_KERNELS\(X\)((?:.*\\\n)*.*)")
KERNEL = re.compile(r"\bX\([\w \t\\\n]+\*?\s*,[\s\\]*(\w+)\s*,")

FAMILIES = {
    family.lower(): KERNEL.findall(kernels)
    for header in sorted(NATIVE.glob("*.h"))
    for family, kernels in X_MACRO.findall(header.read_text())
    if family != "ALL"
}
"""The kernels of each family, from the X-macros."""


def functions_of(path: Path) -> dict[str, list[str]]:
    """The functions that a module or stub defines, and their positional arguments."""
    return {node.name: [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
            for node in tree(path).body if isinstance(node, ast.FunctionDef)}  # fmt: skip


def test_families() -> None:
    told = set(re.findall(r"(\w+)_KERNELS\(X\)", (NATIVE / "kernels.h").read_text())) - {"ALL"}
    assert {family.upper() for family in FAMILIES} == told
    assert all(FAMILIES.values()), "a family without kernels, or the pattern of this test is wrong"


@pytest.mark.parametrize("path", sorted(NATIVE.glob("*.[ch]")) + sorted(NATIVE.glob("levels/*")), ids=lambda p: p.name)
def test_kernels_know_no_python(path: Path) -> None:
    text = path.read_text()
    for word in ("Python.h", "PyObject", "Py_ssize_t", "binding.h", "malloc", "calloc", "errno"):
        assert word not in text


@pytest.mark.parametrize("family", FAMILIES)
def test_every_kernel_has_its_twin_and_its_stub(family: str) -> None:
    stubs = functions_of(PACKAGE / "kernels/_native.pyi")
    twins = functions_of(PACKAGE / f"kernels/twins/{family}.py")
    for kernel in FAMILIES[family]:
        assert hasattr(native, kernel)
        assert twins[kernel] == stubs[kernel], f"{kernel}: twin and kernel differ in their arguments"


@pytest.mark.skipif(shutil.which("objdump") is None, reason="needs objdump")
def test_no_multiply_is_fused() -> None:
    """A fused multiply-add keeps bits that the other CPU levels and the twins round off."""
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", native.__file__], capture_output=True, text=True,
                             check=True).stdout  # fmt: skip
    assert len(listing) > 100_000
    assert not re.findall(r"\bvfn?m(?:add|sub|addsub|subadd)\w*", listing)


def test_stubs_are_complete() -> None:
    stubs = set(functions_of(PACKAGE / "kernels/_native.pyi"))
    built = {name for name in dir(native) if callable(getattr(native, name)) and not name.startswith("_")}
    assert built == stubs


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the built package beside a copy of its C sources."""
    shutil.copytree(PACKAGE / "kernels", tmp_path / "faxcore/kernels", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE / "__init__.py", tmp_path / "faxcore")
    shutil.copytree(NATIVE, tmp_path / "native")
    return tmp_path


def import_kernels(where: Path) -> subprocess.CompletedProcess[str]:
    """`import faxcore.kernels` in a new interpreter that sees this copy alone."""
    script = f"import sys; sys.path.insert(0, {str(where)!r}); import faxcore.kernels as k; print(k.native.__file__)"
    return subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, cwd=where)


def test_a_fresh_build_is_imported(checkout: Path) -> None:
    done = import_kernels(checkout)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(checkout))


@pytest.mark.parametrize("change", ["edited", "added", "removed"])
def test_a_stale_build_fails_loudly(checkout: Path, change: str) -> None:
    source = checkout / "native/qam.c"
    if change == "edited":
        source.write_text(source.read_text() + "\n")
    elif change == "added":
        (checkout / "native/new.c").touch()
    else:
        source.unlink()
    done = import_kernels(checkout)
    assert done.returncode != 0
    assert "ImportError" in done.stderr
    assert "make build" in done.stderr
