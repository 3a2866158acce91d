"""Faxes that the command really sends: what it prints, how it ends, what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pypdf import PdfReader, PdfWriter

import faxcore
from faxcore import simulation
from faxcore.cli import main
from faxcore.errors import DocumentError
from faxcore.result import TEXTS, ResultCode

SAMPLE = Path(faxcore.__file__).with_name("cli") / "sample.pdf"
SEVEN = ("document", "identity", "remote_identity", "pages", "result_code", "result_text", "result")
FACTS = {"bit_rate", "modulation", "coding", "resolution", "line_time", "duration", "note", "detail", "output", "error"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test in a folder of its own, with a form of one page and two sparse pages to send."""
    monkeypatch.chdir(tmp_path)
    form, sparse = PdfWriter(), PdfWriter()
    form.add_page(PdfReader(SAMPLE).pages[1])
    form.write("form.pdf")
    for _ in range(2):
        sparse.add_blank_page(595, 842)
    sparse.write("sparse.pdf")
    return tmp_path


def faxcore_command(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="faxcore")


def run_python(*words: str) -> subprocess.CompletedProcess[str]:
    """A Python of its own that finds this faxcore, installed or not."""
    paths = os.pathsep.join(filter(None, (str(Path(faxcore.__file__).parents[1]), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"PYTHONPATH": paths}
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, env=environment)


def the_object(result: Result) -> dict[str, Any]:
    """The one JSON object on stdout."""
    assert result.stdout.count("\n") == 1
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    assert {f"{method}_{name}" for method in ("send_fax", "receive_fax") for name in SEVEN} | FACTS <= found.keys()
    return found


def test_json_is_one_object_with_the_seven_variables_on_top() -> None:
    result = faxcore_command("send", "sparse.pdf", "--json", "--identity", "+4930123", "--resolution", "standard")
    assert (result.exit_code, result.stderr) == (0, "")
    found = the_object(result)
    assert list(found)[:7] == [f"send_fax_{name}" for name in SEVEN]
    assert found | {"line_time": 0, "duration": 0, "wall_time": 0, "cpu_time": 0} == found | {
        "send_fax_document": "sparse.pdf",
        "send_fax_identity": "+4930123",
        "send_fax_remote_identity": "+15551230002",
        "send_fax_pages": 2,
        "send_fax_result_code": 0,
        "send_fax_result_text": TEXTS[ResultCode.OK],
        "send_fax_result": "success",
        "receive_fax_document": "received.pdf",
        "receive_fax_identity": "+15551230002",
        "receive_fax_remote_identity": "+4930123",
        "receive_fax_pages": 2,
        "receive_fax_result_code": 0,
        "receive_fax_result": "success",
        "bit_rate": 14400,
        "modulation": "v17",
        "coding": "mmr",
        "resolution": "standard",
        "ecm": True,
        "bad_rows": 0,
        "detail": None,
        "output": "received.pdf",
        "error": None,
        "line_time": 0,
        "duration": 0,
        "wall_time": 0,
        "cpu_time": 0,
    }
    assert 10 < found["duration"] <= found["line_time"] < 60
    assert len(PdfReader("received.pdf").pages) == 2


def test_the_received_pages_are_the_drawn_pages() -> None:
    assert faxcore_command("send", "form.pdf", "--output", "form.tif").exit_code == 0
    assert list(faxcore.open_document("form.tif").pages) == list(faxcore.open_document("form.pdf").pages)


def test_a_header_is_drawn_only_when_asked_for() -> None:
    assert faxcore_command("send", "sparse.pdf", "--output", "without.tif").exit_code == 0
    assert faxcore_command("send", "sparse.pdf", "--output", "with.tif", "--header", "ACME").exit_code == 0
    assert not any(page.rows.any() for page in faxcore.open_document("without.tif").pages)
    assert all(page.rows.any() for page in faxcore.open_document("with.tif").pages)


def test_options_reach_the_line() -> None:
    words = ["--modulation", "v29", "--max-rate", "7200", "--coding", "mh", "--resolution", "superfine"]
    found = the_object(faxcore_command("send", "sparse.pdf", *words, "--json"))
    assert (found["bit_rate"], found["coding"], found["resolution"]) == (7200, "mh", "superfine")


def test_the_same_words_give_the_same_call() -> None:
    words = ["send", "sparse.pdf", "--json", "--noise", "-40", "--delay", "30", "--seed", "5"]
    first, second = (the_object(faxcore_command(*words)) for _ in range(2))
    for found in (first, second):
        del found["wall_time"], found["cpu_time"]
    assert first == second


def test_receive_is_the_same_call_from_the_other_side() -> None:
    result = faxcore_command("receive", "--from", "sparse.pdf", "--json", "--identity", "+4930999")
    found = the_object(result)
    assert result.exit_code == 0
    assert list(found)[:7] == [f"receive_fax_{name}" for name in SEVEN]
    assert found["receive_fax_identity"] == found["send_fax_remote_identity"] == "+4930999"
    assert found["receive_fax_remote_identity"] == "+15551230001"
    assert found["receive_fax_document"] == found["output"] == "received.pdf"


def test_the_table_says_what_matters() -> None:
    result = faxcore_command("send", "sparse.pdf")
    rows = dict(re.split(r"  +", line, maxsplit=1) for line in result.stdout.splitlines())
    assert rows["Result"] == "success"
    assert rows["Pages"] == "2 of 2"
    assert rows["Modem"] == "V.17 14400 bit/s"
    assert rows["Received"] == "received.pdf"
    assert result.stderr == ""


def test_verbose_tells_the_conversation_in_order_on_stderr() -> None:
    result = faxcore_command("send", "sparse.pdf", "--json", "-v")
    the_object(result)
    fields = [line for line in result.stderr.splitlines() if line.startswith(" " * 22)]
    assert fields[0].strip().startswith("DIS: V.17; V.29; V.27ter; MMR")
    told = [line for line in result.stderr.splitlines() if line not in fields]
    lines = [re.fullmatch(r" *([\d.]+) s  (sender|receiver) +(\S.*)", line) for line in told]
    assert all(lines)
    said = [(line[2], line[3]) for line in lines if line]
    for who, what in (
        ("sender", "heard CED"),
        ("receiver", "sent CSI DIS"),
        ("sender", "sent TSI DCS"),
        ("receiver", "heard TSI DCS"),
        ("sender", "heard CFR"),
        ("sender", "page 2 begins"),
        ("sender", "sent DCN"),
    ):
        assert (who, what) in said
    ours = [float(line[1]) for line in lines if line and line[2] == "sender"]
    assert ours == sorted(ours)
    assert said[-1][1].startswith("finished, 0: ")


# ---- failures


def encrypted(path: Path) -> None:
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(path)


BAD_DOCUMENTS = {
    "missing.pdf": lambda path: None,
    "empty.pdf": lambda path: path.write_bytes(b""),
    "text.pdf": lambda path: path.write_bytes(b"Dear Sir or Madam\n"),
    "cut.pdf": lambda path: path.write_bytes(SAMPLE.read_bytes()[:300]),
    "cut.png": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    "locked.pdf": encrypted,
    "folder.pdf": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("name", BAD_DOCUMENTS)
@pytest.mark.parametrize("as_json", [False, True], ids=["table", "json"])
def test_a_bad_document_is_one_line_and_a_full_result(name: str, as_json: bool, folder: Path) -> None:
    BAD_DOCUMENTS[name](folder / name)
    result = faxcore_command("send", name, *["--json"] * as_json)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"faxcore: {name}")
    assert not Path("received.pdf").exists()
    if as_json:
        found = the_object(result)
        assert found["send_fax_result"] == found["receive_fax_result"] == "failed"
        assert found["send_fax_result_code"] in range(41, 47)
        assert found["send_fax_pages"] == 0
        assert found["output"] is None
        assert name in found["error"]


def test_a_line_too_bad_is_a_failed_fax_and_no_error() -> None:
    result = faxcore_command("send", "form.pdf", "--noise", "-12", "--json")
    found = the_object(result)
    assert (result.exit_code, result.stderr) == (1, "")
    assert found["send_fax_result"] == "failed"
    assert found["send_fax_result_code"] in range(1, 50)
    assert found["send_fax_result_text"] == TEXTS[found["send_fax_result_code"]]
    assert found["error"] is None
    assert "failed" in faxcore_command("send", "form.pdf", "--noise", "-12").stdout


def test_pages_that_cannot_be_stored_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(document: object, path: str) -> None:
        raise DocumentError(path, "cannot be written: No space left on device", code=41)

    monkeypatch.setattr("faxcore.document.save_document", full)
    result = faxcore_command("send", "sparse.pdf", "--json")
    found = the_object(result)
    assert (result.exit_code, result.stderr) == (1, f"faxcore: {found['error']}\n")
    assert "No space left" in found["error"]
    assert (found["send_fax_result"], found["receive_fax_result_code"], found["output"]) == ("success", 41, None)


@pytest.mark.parametrize("word", ["--identity", "--remote-identity"])
@pytest.mark.parametrize("command", [["send"], ["receive", "--from"]], ids=["send", "receive"])
def test_an_identity_that_does_not_fit_is_a_usage_error(command: list[str], word: str) -> None:
    result = faxcore_command(*command, "sparse.pdf", word, "1" * 21)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(f"Error: {word}: ")


def test_stopped_is_said_in_the_result_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(simulation, "simulate", stopped)
    result = faxcore_command("send", "sparse.pdf", "--json")
    found = the_object(result)
    assert (result.exit_code, result.stderr) == (130, "faxcore: stopped\n")
    assert (found["send_fax_result"], found["send_fax_result_code"], found["detail"]) == ("failed", 48, 103)


STOPPED_AMID_A_PAGE = """
import os, signal, sys
from faxcore import simulation
from faxcore.cli import main
from faxcore.document import pool

def stop(sender, receiver, **_):
    print(pool.drawing_pool._processes[0]._process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    sender.document.pages[0]

simulation.simulate = stop
main(["send", "form.pdf"], prog_name="faxcore")
"""


def test_ctrl_c_leaves_no_process_and_no_traceback() -> None:
    done = run_python("-c", STOPPED_AMID_A_PAGE)
    assert (done.returncode, done.stderr) == (130, "faxcore: stopped\n")
    worker = int(done.stdout.splitlines()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_the_module_is_the_command() -> None:
    done = run_python("-m", "faxcore", "send", "sparse.pdf", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["send_fax_result"] == "success"


def test_trace_draws_the_call_as_a_ladder() -> None:
    """Signals in T.30's order, each an arrow to the side that heard it; stdout is free for the object."""
    result = faxcore_command("send", "form.pdf", "--trace", "--json", "--resolution", "standard")
    the_object(result)
    lines = result.stderr.splitlines()
    arrows = [(re.split(r"[─═◄►]+", line[10:]), "►" in line) for line in lines if re.search("[◄►]", line)]
    said = ["".join(parts).strip() for parts, _ in arrows]
    frames = [words for words in said if not words.startswith("V.17")]
    assert frames == ["CSI DIS", "TSI DCS", "CFR", "PPS-EOP", "MCF", "DCN"]
    assert [to_the_right for _, to_the_right in arrows] == [False, True, True, False, True, True, False, True]
    times = [float(line.split()[0]) for line in lines[1:]]
    assert times == sorted(times)
    assert all(len(line) <= 110 for line in lines)


def test_trace_shows_what_was_lost() -> None:
    """A line that no V.29 survives: trainings that fail, and DCN at the end."""
    result = faxcore_command("send", "form.pdf", "--trace", "--noise", "-22", "--modulation", "v29")
    assert result.exit_code == 1
    assert len(re.findall("◄─+  FTT", result.stdout)) == 2
    assert "failed" in result.stdout
    assert "DCN" in result.stdout


def test_a_document_is_polled_by_who_knows_the_password() -> None:
    words = ("send", "sparse.pdf", "--poll", "--allow", "password=1234", "--allow", "password=4711", "--json")
    found = the_object(faxcore_command(*words, "--password", "4711"))
    assert (found["send_fax_result_code"], found["receive_fax_result_code"], found["send_fax_pages"]) == (0, 0, 2)
    result = faxcore_command(*words, "--password", "1")
    assert result.exit_code == 1
    found = the_object(result)
    assert (found["send_fax_result_code"], found["send_fax_pages"]) == (ResultCode.PWD_UNACCEPTABLE, 0)


def test_only_the_station_of_the_command_chooses_its_company() -> None:
    words = ("--from", "sparse.pdf", "--allow", "sub_address=1", "--sub-address", "2")
    result = faxcore_command("receive", *words, "--json")
    assert result.exit_code == 1
    assert the_object(result)["receive_fax_result_code"] == ResultCode.SUB_UNACCEPTABLE


def test_several_documents_go_in_one_call() -> None:
    found = the_object(faxcore_command("send", "form.pdf", "sparse.pdf", "--json"))
    assert found["send_fax_pages"] == 3
    assert found["send_fax_document"] == "form.pdf, sparse.pdf"
    assert len(faxcore.open_document("received.pdf").pages) == 3


def test_a_call_is_resumed_and_pages_are_chosen() -> None:
    assert the_object(faxcore_command("send", str(SAMPLE), "--first-page", "4", "--json"))["send_fax_pages"] == 1
    assert the_object(faxcore_command("send", str(SAMPLE), "--pages", "2,2", "--json"))["send_fax_pages"] == 2


def test_a_finer_page_is_drawn_not_enlarged() -> None:
    found = the_object(faxcore_command("send", "form.pdf", "--resolution", "400x400", "--json"))
    assert found["resolution"] == "400x400"
    image = PdfReader("received.pdf").pages[0]["/Resources"]["/XObject"]["/Fax"].get_object()  # type: ignore[index]
    assert (image["/Width"], image["/Height"]) == (3456, round(297 / 25.4 * 400))
