"""V.21 frames and phase A tones between faxcore and SpanDSP, both ways, over lines of several kinds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from faxcore.line import Line
from faxcore.modem import tones, v21
from faxcore.signals import FrameEnds, Octets, SignalBegins, SignalEnds, SignalItem
from tests.interop import spandsp

pytestmark = pytest.mark.peer("spandsp")

FRAMES = [bytes.fromhex("ff0340313233302035352b202020202020202020202020"), bytes.fromhex("ff1380004678"),
          b"\xff\x03\xff\xff\xff\xff\x00\x7e\x7e"]
PAUSE = np.zeros(1600, np.int16)

LINES = [{"law": None}, {"law": "mu"}, {"law": "a"}, {"law": "a", "gain_db": 12.0}, {"law": "mu", "gain_db": -24.0},
         {"noise_dbm0": -30.0, "seed": 1}, {"noise_dbm0": -25.0, "seed": 2, "law": "a"},
         {"noise_dbm0": -45.0, "seed": 3, "gain_db": -20.0}]

QUIET_LINES = [line for line in LINES if line.get("noise_dbm0", -99.0) - line.get("gain_db", 0.0) <= -30.0]
"""Its detector does not hear its own CNG at 12 dB of SNR."""


def heard(samples: np.ndarray) -> list[SignalItem]:
    return v21.Receiver().push(samples)


def over(line: dict[str, Any], *parts: np.ndarray) -> np.ndarray:
    return Line(**line).direction(0).carry(np.concatenate([PAUSE, *parts, PAUSE]))


@pytest.mark.parametrize("line", LINES, ids=repr)
def test_its_frames_are_ours(line: dict[str, Any]) -> None:
    items = heard(over(line, spandsp.hdlc_modulate(FRAMES)))
    assert [i.data for i in items if isinstance(i, Octets)] == FRAMES
    assert [i.good for i in items if isinstance(i, FrameEnds)] == [True] * len(FRAMES)
    assert isinstance(items[0], SignalBegins)
    assert isinstance(items[-1], SignalEnds)
    assert sum(isinstance(i, SignalBegins | SignalEnds) for i in items) == 2


@pytest.mark.parametrize("line", LINES, ids=repr)
def test_our_frames_are_its(line: dict[str, Any]) -> None:
    frames = spandsp.hdlc_demodulate(over(line, v21.Transmitter(FRAMES).pull(10**6)))
    assert [octets for octets, good in frames if good] == FRAMES


@pytest.mark.parametrize("line", QUIET_LINES, ids=repr)
def test_our_tones_are_its(line: dict[str, Any]) -> None:
    calling = tones.CallingTone().pull(8000)
    assert "CNG" in " ".join(spandsp.hear_tone("cng", over(line, calling))).upper()
    assert "CED" in " ".join(spandsp.hear_tone("ced", over(line, tones.AnswerTone().pull(10**6)))).upper()


@pytest.mark.parametrize("line", LINES, ids=repr)
@pytest.mark.parametrize(("name", "ours"), [("cng", "cng"), ("ced", "ced"), ("ans_pr", "ced"), ("ansam", "ced"),
                                            ("ansam_pr", "ced")])
def test_its_tones_are_ours(line: dict[str, Any], name: str, ours: str) -> None:
    samples = over(line, spandsp.tone(name, 4.2))
    assert [tone for _, tone in tones.ToneDetector().push(samples)] == [ours] * (2 if name == "cng" else 1)
    assert heard(samples) == []


@pytest.mark.parametrize("bit_rate", [9600, 7200, 4800])
@pytest.mark.parametrize("seed", range(3))
def test_its_fast_modem_is_no_v21_and_no_tone(bit_rate: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    bits = [np.zeros(6 * bit_rate, np.uint8), random.integers(0, 2, 6 * bit_rate).astype(np.uint8)][seed % 2]
    samples = over({"noise_dbm0": -40.0, "seed": seed}, spandsp.v29_modulate(bits, bit_rate, tep=seed == 2))
    assert heard(samples) == []
    assert tones.ToneDetector().push(samples) == []


@pytest.mark.parametrize("modem", ["v27ter", "v17"])
def test_other_fast_modems_are_no_v21_and_no_tone(modem: str) -> None:
    bits = np.random.default_rng(4).integers(0, 2, 30_000).astype(np.uint8)
    samples = over({}, spandsp.modulate(bits, modem, {"v27ter": 4800, "v17": 14400}[modem]))
    assert heard(samples) == []
    assert tones.ToneDetector().push(samples) == []


def test_frames_after_training_and_page() -> None:
    """What a receiver hears in phase C and D: the fast carrier, 75 ms of silence, the post-message command."""
    bits = np.random.default_rng(9).integers(0, 2, 40_000).astype(np.uint8)
    page, command = spandsp.v29_modulate(bits, 9600), spandsp.hdlc_modulate(FRAMES[1:2])
    samples = over({"noise_dbm0": -40.0}, page, PAUSE[:600], command)
    assert [type(i) for i in heard(samples)] == [SignalBegins, Octets, FrameEnds, SignalEnds]
