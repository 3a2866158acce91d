"""The wheel: one for every Python from 3.11 on, complete, and its kernels found where nothing else is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.sources import MODULES, ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that the checkout stays as it is."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("faxcore", "native", "pyproject.toml", "setup.py", "MANIFEST.in", "LICENSE", "README.md"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
        else:
            shutil.copy(source, copy)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", out, copy]
    subprocess.run(command, check=True, env={k: v for k, v in os.environ.items() if k != "FAXCORE_SANITIZE"})
    (made,) = out.glob("*.whl")
    return made


def test_tag(wheel: Path) -> None:
    assert "-cp311-abi3-" in wheel.name


def test_contents(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {path.relative_to(ROOT).as_posix() for path in MODULES} <= names
    assert {"faxcore/py.typed", "faxcore/kernels/_native.pyi", "faxcore/cli/sample.pdf"} <= names
    assert not [name for name in names if name.startswith(("tests", "native", "benchmarks"))]


def test_kernels_are_found(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    script = "from faxcore import kernels; print(kernels.native.__file__, kernels.cpu_level())"
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {script}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    file, level = done.stdout.split()
    assert Path(file).is_relative_to(tmp_path)
    assert file.endswith(".abi3.so")
    assert level in ("baseline", "avx2", "avx512")
