"""T.38 from the command line: over a simulated network, and between two processes over loopback sockets."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

import faxcore
from faxcore.cli import main
from faxcore.t38 import pcap

PAGE = 40


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a strip of paper to send."""
    monkeypatch.chdir(tmp_path)
    image = Image.new("1", (1728, PAGE), 1)
    image.paste(0, (100, 10, 900, 20))
    image.save("strip.tif", dpi=(204, 196), compression="group4")
    return tmp_path


def test_over_a_simulated_network() -> None:
    words = ("send", "strip.tif", "--t38", "--loss", "0.05", "--jitter", "50", "--pcap", "call.pcap", "--json")
    result = CliRunner().invoke(main, words, prog_name="faxcore")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["send_fax_pages"], found["receive_fax_pages"], found["ecm"]) == (1, 1, True)
    captured = list(pcap.read(Path("call.pcap").read_bytes()))
    assert len({packet.source for packet in captured}) == 2
    assert [packet.time for packet in captured] == sorted(packet.time for packet in captured)


def command(*words: str) -> subprocess.Popen[str]:
    paths = os.pathsep.join(filter(None, (str(Path(faxcore.__file__).parents[1]), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-m", "faxcore", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )  # fmt: skip


def test_between_two_processes_in_real_time() -> None:
    """A strip of paper takes a quarter of a minute; the receiver ends by itself and stores it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        station = f"udptl://127.0.0.1:{free.getsockname()[1]}"
    receiver = command("receive", "--listen", station, "--identity", "+4930", "--output", "got.tif", "--json")
    sender = command("send", "strip.tif", "--to", station, "--pcap", "call.pcap", "--json")
    said, heard = sender.communicate(timeout=100), receiver.communicate(timeout=100)
    assert (sender.returncode, receiver.returncode) == (0, 0), (said, heard)
    sent, got = json.loads(said[0]), json.loads(heard[0])
    assert sent["send_fax_remote_identity"] == "+4930"
    assert (sent["send_fax_pages"], got["receive_fax_pages"], got["output"]) == (1, 1, "got.tif")
    assert not any(name.startswith("receive_fax") for name in sent)
    assert 10 < sent["line_time"] < 60
    (page,) = faxcore.open_document("got.tif").pages
    assert int(page.pels().sum()) == 8000
    assert len(list(pcap.read(Path("call.pcap").read_bytes()))) > 100


def test_a_port_that_is_taken_is_a_usage_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        words = ("receive", "--listen", f"udptl://127.0.0.1:{taken.getsockname()[1]}")
        result = CliRunner().invoke(main, words, prog_name="faxcore")
    assert result.exit_code == 2
    assert "127.0.0.1" in result.stderr


def test_a_capture_that_cannot_be_written_is_a_usage_error() -> None:
    words = ("send", "strip.tif", "--t38", "--pcap", "/nowhere/at/all/call.pcap")
    result = CliRunner().invoke(main, words, prog_name="faxcore")
    assert result.exit_code == 2
    assert "--pcap" in result.stderr


def test_ctrl_c_hangs_up() -> None:
    """The far end hears DCN, and does not wait for its timers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        station = f"udptl://127.0.0.1:{free.getsockname()[1]}"
    receiver = command("receive", "--listen", station, "--json")
    sender = command("send", "strip.tif", "--to", station, "--json", "-v")
    assert sender.stderr is not None
    while "DIS" not in sender.stderr.readline():
        assert sender.poll() is None
    sender.send_signal(signal.SIGINT)
    said, _ = sender.communicate(timeout=60)
    heard, _ = receiver.communicate(timeout=60)
    assert (sender.returncode, receiver.returncode) == (130, 1)
    assert json.loads(said)["detail"] == 103
    assert json.loads(heard)["receive_fax_pages"] == 0
