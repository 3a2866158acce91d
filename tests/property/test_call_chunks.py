"""The same call gives the same bytes, whatever the chunks in which its owner moves the samples."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import faxcore
from tests.support_calls import join, pair, small_document

Reference = tuple[np.ndarray, np.ndarray, faxcore.FaxResult, faxcore.FaxResult]

LINE = faxcore.Line(noise_dbm0=-45, law="mu", delay=0.031, seed=11)


def _reference() -> Reference:
    sender, receiver = pair(2)
    forth, back = join(sender, receiver, ticks=itertools.repeat(160), line=LINE)
    assert sender.result is not None
    assert receiver.result is not None
    return forth, back, sender.result, receiver.result


@pytest.fixture(scope="module")
def reference() -> Reference:
    return _reference()


@pytest.mark.parametrize("seed", range(4))
def test_random_chunks(reference: Reference, seed: int) -> None:
    """Ticks of 1 to 500 samples: below the 600 within which a terminal never reacts."""
    rng = np.random.default_rng(seed)
    sender, receiver = pair(2)
    signals = join(sender, receiver, ticks=iter(lambda: int(rng.integers(1, 501)), None), line=LINE)
    for ours, theirs in zip(signals, reference[:2], strict=True):
        common = min(len(ours), len(theirs))
        assert np.array_equal(ours[:common], theirs[:common])
        assert not ours[common:].any()
        assert not theirs[common:].any()
    for result, expected in ((sender.result, reference[2]), (receiver.result, reference[3])):
        assert result is not None
        assert result.code == expected.code == 0
        assert result.pages == expected.pages == 2


def test_simulate_is_the_same_call(
    reference: Reference,
) -> None:
    """The long steps of simulate() change nothing: every event comes at the same line time."""
    stepped = pair(2)
    join(*stepped, ticks=itertools.repeat(40), line=LINE)
    simulated = pair(2)
    faxcore.simulate(*simulated, line=LINE)
    for one, other in zip(stepped, simulated, strict=True):
        first, second = list(one.events())[:-1], list(other.events())[:-1]
        assert first == second
        assert len(first) > 5


def polled() -> tuple[faxcore.FaxCall, faxcore.FaxCall]:
    """Two documents that are fetched: each of the other roles, DTC, and EOM in the middle."""
    sender = faxcore.FaxCall.send([small_document(1), small_document(1)], identity="+1", role="answerer")
    return sender, faxcore.FaxCall.receive(identity="+2", role="caller", options=faxcore.Options(password="1"))


@pytest.mark.parametrize("seed", range(2))
def test_a_poll_in_random_chunks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chunks, whole = polled(), polled()
    join(*chunks, ticks=iter(lambda: int(rng.integers(1, 501)), None), line=LINE)
    faxcore.simulate(*whole, line=LINE)
    for one, other in zip(chunks, whole, strict=True):
        first, second = list(one.events())[:-1], list(other.events())[:-1]
        assert first == second
        assert len(first) > 5
        assert one.result is not None
        assert (one.result.code, one.result.pages) == (0, 2)
