"""Rooms stay small enough to be read in one go."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median

import pytest

from tests.house.sources import MODULES, ROOT, dotted, tree

MODULE_LINES, FUNCTION_LINES, MEDIAN_LINES = 450, 55, 10

C_FILES = sorted((ROOT / "native").rglob("*.[ch]"))


def functions(path: Path) -> dict[str, int]:
    """Each function of a module and its length in lines, docstring left out."""
    found = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            doc = node.body[0] if ast.get_docstring(node) else None
            found[node.name] = node.end_lineno - node.lineno + 1 - (doc.end_lineno - doc.lineno + 1 if doc else 0)
    return found


@pytest.mark.parametrize("path", [*MODULES, *C_FILES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MODULE_LINES


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_functions(path: Path) -> None:
    assert {name: lines for name, lines in functions(path).items() if lines > FUNCTION_LINES} == {}


def test_most_functions_are_short() -> None:
    assert median(lines for path in MODULES for lines in functions(path).values()) < MEDIAN_LINES
