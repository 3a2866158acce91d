"""The robustness table runs from end to end with both engines, small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.long
@pytest.mark.peer("spandsp")
@pytest.mark.parametrize("modulation", ["v29-7200", "v21"])
def test_quick_table_meets_its_goals_and_goes_on_where_it_was(modulation: str, tmp_path: Path) -> None:
    results = tmp_path / "cells.jsonl"
    command = [sys.executable, "-m", "benchmarks.robustness", "--quick", "--only", modulation]
    command += ["--results", str(results)]
    first = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "## Missed: 0" in first
    cells = results.read_text()
    second = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert second == first
    assert results.read_text() == cells
