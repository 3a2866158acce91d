"""The command `faxcore sweep`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from faxcore.cli import main
from faxcore.sweep import EXAMPLE

PLAN = """
documents = "small.png"
seeds = 2
line = {noise_dbm0 = [-50.0, -14.0]}
offer = {modulations = ["v29"], max_rate = 7200, t0 = 5.0, t1 = 5.0}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    Image.new("L", (1728, 200), 255).save(tmp_path / "small.png")
    (tmp_path / "plan.toml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sweep(*words: str) -> Result:
    return CliRunner().invoke(main, ["sweep", *words])


def test_a_sweep_and_its_second_start(folder: Path) -> None:
    first = sweep("plan.toml", "--workers", "1", "--json")
    assert first.exit_code == 0, first.output
    facts = json.loads(first.stdout)
    assert (facts["calls"], facts["succeeded"], facts["done_before"]) == (4, 2, 0)
    assert all(Path(path).exists() for path in facts["files"])
    again = sweep("plan.toml")
    assert "4 calls, 4 of them done before: 2 succeeded" in again.stdout
    assert "Report: plan/report.html" in again.stdout


def test_one_case_is_drawn_as_a_ladder(folder: Path) -> None:
    result = sweep("plan.toml", "--case", "0")
    assert result.exit_code == 0, result.output
    assert "DIS" in result.stdout
    assert "0: Every page was confirmed." in result.stdout
    assert sweep("plan.toml", "--case", "4").exit_code == 2


def test_the_example_can_be_printed() -> None:
    assert sweep("--example").stdout == EXAMPLE


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, "PLAN is missing"),
        (["none.toml"], 2, "none.toml cannot be read"),
        (["plan.toml", "--output", "small.png"], 2, "is a file"),
        (["bad.toml"], 2, "[line] noise_dbm0 is a number"),
        (["lost.toml"], 1, "lost.png"),
    ],
)
def test_what_cannot_be_run_is_said(folder: Path, words: list[str], status: int, said: str) -> None:
    (folder / "bad.toml").write_text('documents = "small.png"\nline = {noise_dbm0 = 5}')
    (folder / "lost.toml").write_text('documents = "lost.png"\nline = {}')
    result = sweep(*words)
    assert (result.exit_code, said in result.output) == (status, True), result.output
    assert not list(folder.glob("none*"))
