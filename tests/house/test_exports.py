"""The public face: one list in three places, and importing it costs nothing."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys

import pytest

import faxcore
from tests.house.sources import PACKAGE, tree


def imported_for_types() -> dict[str, str]:
    """The names under TYPE_CHECKING in faxcore/__init__.py, and their homes."""
    (block,) = [node for node in tree(PACKAGE / "__init__.py").body if isinstance(node, ast.If)]
    homes = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        assert node.module
        homes |= {alias.name: node.module.removeprefix("faxcore.") for alias in node.names}
    return homes


def test_one_list_in_three_places() -> None:
    assert list(faxcore._HOMES) == faxcore.__all__
    assert imported_for_types() == faxcore._HOMES


@pytest.mark.parametrize("name", faxcore.__all__)
def test_every_name_is_at_home(name: str) -> None:
    home = importlib.import_module(f"faxcore.{faxcore._HOMES[name]}")
    assert getattr(faxcore, name) is getattr(home, name)
    assert name in dir(faxcore)


@pytest.mark.parametrize("name", faxcore.__all__)
def test_every_public_thing_says_what_it_is(name: str) -> None:
    assert (getattr(faxcore, name).__doc__ or "").strip()


def test_importing_costs_nothing() -> None:
    heavy = {"numpy", "PIL", "scipy", "pypdf", "pypdfium2", "faxcore.kernels"}
    script = f"import sys, faxcore; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Modem'"):
        _ = faxcore.Modem
