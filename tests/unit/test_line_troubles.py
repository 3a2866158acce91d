"""Echo, clocks, slips, drop-outs and lost frames of a simulated line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import faxcore
from faxcore import Line
from tests.support_calls import pair

TONE = np.rint(8000 * np.sin(2 * np.pi * 1000 / 8000 * np.arange(80000))).astype(np.int16)
RAMP = (np.arange(60000) % 30000).astype(np.int16)
TROUBLES: list[dict[str, Any]] = [
    {"drop_outs": 60.0}, {"slips": 60.0}, {"clock_ppm": 150.0}, {"clock_ppm": -150.0, "slips": 30.0},
    {"frames_lost": 0.05}, {"echo_db": -10.0, "echo_delay": 0.03},
    {"drop_outs": 30.0, "slips": 30.0, "clock_ppm": 50.0, "frames_lost": 0.01, "noise_dbm0": -40.0, "law": "mu",
     "echo_db": -20.0, "delay": 0.1, "gain_db": -10.0},
]  # fmt: skip


def through(line: Line, samples: np.ndarray, steps: list[int] | None = None, index: int = 0) -> np.ndarray:
    way, parts, at = line.direction(index), [], 0
    said = samples[::-1].copy()
    for step in steps or [len(samples)]:
        parts.append(way.carry(samples[at : at + step], said[at : at + step]))
        at += step
    return np.concatenate(parts)


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_any_chunks_and_runs_give_the_same(trouble: dict[str, Any]) -> None:
    line = Line(**{"law": None, "seed": 3, **trouble})
    whole = through(line, TONE)
    random = np.random.default_rng(1)
    steps = random.integers(0, 700, 400).tolist()
    steps = [step for step, total in zip(steps, np.cumsum(steps), strict=True) if total <= len(TONE)]
    steps.append(len(TONE) - sum(steps))
    assert np.array_equal(through(line, TONE, steps), whole)
    other = through(Line(**{"law": None, "seed": 4, **trouble}), TONE)
    assert np.array_equal(other, whole) == (set(trouble) <= {"clock_ppm", "echo_db", "echo_delay"})


def test_drop_outs_last_10_to_500_ms() -> None:
    out = through(Line(law=None, drop_outs=40, seed=1), np.full(8000 * 300, 1000, np.int16))
    edges = np.flatnonzero(np.diff(np.concatenate(([1], out, [1])) == 0))
    lengths = edges[1::2] - edges[0::2]
    assert 150 < len(lengths) < 260
    assert lengths.min() >= 80
    assert np.median(lengths) == pytest.approx(2040, rel=0.2)


def test_frames_are_lost_whole() -> None:
    out = through(Line(law=None, frames_lost=0.01, seed=2), np.full(160 * 50000, 7, np.int16)).reshape(-1, 160)
    assert set(out.sum(axis=1).tolist()) == {0, 7 * 160}
    assert np.mean(out[:, 0] == 0) == pytest.approx(0.01, rel=0.15)


def test_slips_lose_or_double_samples() -> None:
    out = through(Line(law=None, slips=40, seed=5), RAMP).astype(int)[2000:]
    jumps = np.diff(out)
    slips = (jumps[(jumps != 1) & (jumps > -20000)] - 1).tolist()
    assert 3 <= len(slips) <= 10
    assert all(1 <= abs(slip) <= 240 for slip in slips)


@pytest.mark.parametrize("ppm", [150.0, -400.0])
def test_a_clock_that_runs_fast_is_heard_high(ppm: float) -> None:
    """In phase with a tone of that frequency, to a hundredth of a turn; back the other way."""
    for index, sign in ((0, 1), (1, -1)):
        out = through(Line(law=None, clock_ppm=ppm), TONE, index=index)[2000:60000]
        spectrum = np.exp(-2j * np.pi * 1000 * (1 + sign * ppm * 1e-6) / 8000 * np.arange(len(out))) * out
        turns = np.unwrap(np.angle(spectrum.reshape(-1, 1000).sum(axis=1))) / (2 * np.pi)
        assert np.ptp(turns) < 0.01
        assert abs(spectrum.mean()) == pytest.approx(4000, rel=0.01)


def test_an_echo_is_the_talker_itself() -> None:
    said = np.random.default_rng(1).integers(-9000, 9000, 8000).astype(np.int16)
    for gain in (0.0, -20.0):
        line = Line(law=None, echo_db=-20, echo_delay=0.05, gain_db=gain)
        heard = line.direction(1).carry(np.zeros(8000, np.int16), said)
        assert not heard[:400].any()
        assert np.abs(heard[400:] - 0.1 * said[:-400]).max() <= 0.5


@pytest.mark.parametrize("arguments", [
    {"echo_db": 1.0}, {"echo_delay": 0.0}, {"clock_ppm": 1001}, {"drop_outs": -1}, {"slips": 601}, {"frames_lost": 1.1},
    {"slips": None}, {"frames_lost": "a"}, {"clock_ppm": float("nan")}], ids=repr)  # fmt: skip
def test_arguments(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        Line(**arguments)


@pytest.mark.parametrize("echo", [-10.0, -30.0])
@pytest.mark.parametrize("delay", [0.005, 0.06])
def test_a_call_does_not_mind_its_echo(echo: float, delay: float) -> None:
    sender, receiver = pair(1)
    outcome = faxcore.simulate(sender, receiver, line=Line(echo_db=echo, echo_delay=delay, delay=0.05, noise_dbm0=-50))
    assert outcome.sender.success, outcome.sender.note
    assert list(receiver.document.pages) == list(sender.document.pages)
