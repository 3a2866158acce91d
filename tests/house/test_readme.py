"""What README.md tells people to type works."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner
from pypdf import PdfReader, PdfWriter

import faxcore
from faxcore.cli import main
from tests.house.sources import ROOT

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
PYTHON = [text for language, text in BLOCKS if language == "python"]
TYPED = [
    line.removeprefix("$ ").partition("  #")[0].strip()
    for language, text in BLOCKS
    if language in ("sh", "console")
    for line in text.splitlines()
    if language == "sh" or line.startswith("$ ")
]
SAMPLE = ROOT / "faxcore" / "cli" / "sample.pdf"
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_make_target_exists() -> None:
    named = {target for line in [*TYPED, *re.findall(r"`(make .*?)`", README)] for target in _targets(line)}
    assert {"demo", "test"} <= named <= TARGETS


def _targets(line: str) -> list[str]:
    return line.split()[1:] if line.startswith("make ") else []


@pytest.mark.parametrize("line", [line for line in TYPED if line.startswith("faxcore ")])
def test_every_faxcore_command_is_understood(line: str) -> None:
    _, name, *words = shlex.split(line)
    command = main.commands[name]
    assert isinstance(command, click.Command)
    command.make_context(name, words).close()


CONSOLES = [text for language, text in BLOCKS if language == "console"]
VARYING = {"Took", "Line time", "wall_time", "cpu_time", "line_time", "duration"}


@pytest.mark.parametrize("text", CONSOLES, ids=lambda text: text.splitlines()[0])
def test_shown_output_is_what_comes(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faxcore" / "cli").mkdir(parents=True)
    (tmp_path / "faxcore" / "cli" / "sample.pdf").write_bytes(SAMPLE.read_bytes())
    command, _, shown = text.removeprefix("$ faxcore ").partition("\n")
    done = CliRunner().invoke(main, shlex.split(command), prog_name="faxcore")
    assert done.exit_code == 0
    assert _facts(done.stdout) == _facts(shown)


def _facts(output: str) -> dict[str, Any]:
    """What a table or an object says, without the times of this run; wrapped in the README, an object is one line."""
    if output.startswith("{"):
        pairs = json.loads(output).items()
    else:
        pairs = (re.split(r"  +", line, maxsplit=1) for line in output.splitlines())
    return {name: "varies" if name in VARYING else value for name, value in pairs}


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"`((?:benchmarks|native|tests|faxcore|examples)/[\w./-]*)`", README)
    assert named
    for path in named:
        assert (ROOT / path).exists(), path


class Rtp:
    """A telephone line in frames of 20 ms to a station that sends; the third frame is lost."""

    def __init__(self, document: Path) -> None:
        self.far = faxcore.FaxCall.send(faxcore.open_document(document), identity="+15551230001")
        self.read_frames = 0

    def read(self) -> npt.NDArray[np.int16] | None:
        self.read_frames += 1
        frame = self.far.pull_audio(160)
        return frame if self.read_frames != 3 else None

    def write(self, frame: npt.NDArray[np.int16]) -> None:
        self.far.push_audio(frame)


def test_the_python_blocks_run_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    writer = PdfWriter()
    writer.add_page(PdfReader(SAMPLE).pages[1])
    writer.write("letter.pdf")
    names: dict[str, Any] = {"rtp": Rtp(tmp_path / "letter.pdf")}
    for number, text in enumerate(PYTHON, 1):
        exec(compile(text, f"README.md, Python block {number}", "exec"), names)
    assert names["outcome"].sender.success
    assert names["call"].result.success
    assert (names["terminal"].result.success, names["terminal"].result.bit_rate) == (True, 9600)
    for name in ("received.pdf", "received.tif"):
        assert len(faxcore.open_document(name).pages) == 1
