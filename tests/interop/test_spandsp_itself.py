"""The harness proved on SpanDSP alone: whatever fails against our engine is not the harness's fault."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.interop import spandsp
from tests.interop.spandsp import FaxTerminal, converse

pytestmark = pytest.mark.peer("spandsp")

CFR, MCF = b"\xff\x13\x84", b"\xff\x13\x8c"


@pytest.mark.parametrize(("modem", "bit_rate"), [("v29", 9600), ("v29", 7200), ("v27ter", 4800), ("v17", 14400)])
def test_bits_through_a_modem(modem: str, bit_rate: int) -> None:
    bits = np.random.default_rng(bit_rate).integers(0, 2, 5000)
    heard = spandsp.demodulate(spandsp.modulate(bits, modem, bit_rate), modem, bit_rate)
    assert heard.trained
    np.testing.assert_array_equal(heard.bits[:5000], bits)


@pytest.mark.parametrize("tep", [False, True])
def test_v29_level_and_echo_protection(tep: bool) -> None:
    samples = spandsp.v29_modulate(np.ones(2400), 9600, level_dbm0=-20, tep=tep)
    power = 10 * np.log10(np.mean(np.square(samples[-2400:-400], dtype=float)) * 2 / 32768**2) + 3.14
    assert power == pytest.approx(-20, abs=1)
    assert spandsp.v29_demodulate(samples, 9600).trained


def test_silence_trains_nothing() -> None:
    heard = spandsp.v29_demodulate(np.zeros(8000), 9600)
    assert not heard.trained
    assert heard.statuses == []
    assert heard.bits.size == 0


def test_frames_through_v21() -> None:
    frames = [bytes.fromhex("ffc002") + b"1" * 20, bytes.fromhex("ffc80100ceb800")]
    assert spandsp.hdlc_demodulate(spandsp.hdlc_modulate(frames)) == [(frame, True) for frame in frames]


def test_bits_through_v21() -> None:
    bits = np.random.default_rng(21).integers(0, 2, 300)
    assert "".join(map(str, bits)) in "".join(map(str, spandsp.v21_demodulate(spandsp.v21_modulate(bits)).bits))


@pytest.mark.parametrize("name", ["cng", "ced", "ansam", "ansam_pr"])
def test_tones(name: str) -> None:
    assert spandsp.hear_tone(name, spandsp.tone(name))[0] == name
    assert spandsp.hear_tone(name, np.zeros(8000)) == []


def test_preamble() -> None:
    assert spandsp.hear_tone("ced_or_preamble", spandsp.hdlc_modulate([b"\xff\xc8\x01\x00"]))[0] == "preamble"


@pytest.mark.parametrize(
    ("settings", "bit_rate", "encoding"),
    [
        ({"codings": ["mh"]}, 9600, 1),
        ({"codings": ["mh", "mr"], "header": "ACME"}, 9600, 2),
        ({"codings": ["mh", "mr", "mmr"], "ecm": True}, 9600, 3),
        ({"modems": ["v27ter"], "tep": True}, 4800, 2),
    ],
    ids=["mh", "mr-header", "ecm-mmr", "v27ter"],
)
def test_call(tmp_path: Path, pages: list, settings: dict, bit_rate: int, encoding: int) -> None:
    sent, received = spandsp.write_tiff(tmp_path / "sent.tif", pages), tmp_path / "received.tif"
    with (
        FaxTerminal(calling=True, tx_tiff=sent, identity="+1 555 0001", **settings) as caller,
        FaxTerminal(calling=False, rx_tiff=received, identity="2222", **settings) as answerer,
    ):
        converse(caller, answerer)
    assert (caller.code, answerer.code) == (0, 0)
    assert (caller.stats.pages_tx, answerer.stats.pages_rx) == (3, 3)
    assert (caller.stats.remote_identity, answerer.stats.remote_identity) == ("2222", "+1 555 0001")
    assert (caller.stats.bit_rate, caller.stats.encoding) == (bit_rate, encoding)
    heard = [octets for incoming, octets in caller.frames if incoming]
    assert (heard.count(CFR), heard.count(MCF)) == (1, 3)
    for got, page in zip(spandsp.read_tiff(received), pages, strict=True):
        np.testing.assert_array_equal(got[-len(page) :], page)


def test_hang_up(tmp_path: Path, pages: list) -> None:
    caller = FaxTerminal(calling=True, tx_tiff=spandsp.write_tiff(tmp_path / "sent.tif", pages))
    caller.tx(8000)
    caller.hang_up()
    assert caller.finished
    assert caller.code == 49
    caller.close()
