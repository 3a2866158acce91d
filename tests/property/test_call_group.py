"""A call in a group is, to the bit, the call that it is alone, whatever the calls beside it do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import faxcore
from faxcore.carrier.collecting import Collector
from faxcore.document import CodedPage, ReceivedDocument
from faxcore.page import FINE, Page
from faxcore.t30.orders import Listen
from tests.support_calls import Samples, pair, small_page

KINDS: tuple[dict[str, Any], ...] = (
    {"modulations": ("v17",), "codings": ("mmr",)},
    {"modulations": ("v17",), "ecm": False, "max_rate": 9600},
    {"modulations": ("v29",), "codings": ("mr",), "ecm": False},
    {"modulations": ("v27ter",)},
    {"modulations": ("v27ter",), "ecm": False, "max_rate": 2400},
    {"modulations": ("v29",), "max_rate": 7200},
)
SECONDS = 54
"""The longest of the calls, and its start."""


class Ends:
    """A sender and a receiver; what one says reaches the other 600 samples later, over a line of its own."""

    def __init__(self, seed: int, start: int, kind: dict[str, Any]) -> None:
        self.calls = pair(1 + seed % 2, **kind)
        self.start = start  # the tick it begins at
        line = faxcore.Line(noise_dbm0=-48, law="mu" if seed % 2 else "a", gain_db=-(seed % 7), seed=seed)
        self.ways = line.direction(1), line.direction(0)
        self.coming = [np.zeros(600, np.int16)] * 2
        self.said: list[tuple[Samples, Samples]] = []

    def heard(self, n: int) -> tuple[Samples, Samples]:
        """What reaches (sender, receiver) in a tick of n samples."""
        sender, receiver = (way.carry(coming[:n]) for way, coming in zip(self.ways, self.coming, strict=True))
        self.coming = [coming[n:] for coming in self.coming]
        return sender, receiver

    def say(self, sender: Samples, receiver: Samples) -> None:
        """What they send in a tick."""
        self.said.append((sender, receiver))
        self.coming = [np.append(coming, part) for coming, part in zip(self.coming, (receiver, sender), strict=True)]


def all_ends(seeds: range, kinds: tuple[dict[str, Any], ...]) -> list[Ends]:
    """Calls of these kinds in turn; the next one starts some ticks after the last."""
    return [Ends(seed, 3 * start, kinds[seed % len(kinds)]) for start, seed in enumerate(seeds)]


def run_alone(ends: Ends, ticks: list[int]) -> None:
    for n in ticks[ends.start :]:
        out = []
        for call, heard in zip(ends.calls, ends.heard(n), strict=True):
            call.push_audio(heard)
            out.append(call.pull_audio(n))
        ends.say(out[0], out[1])


def run_together(many: list[Ends], ticks: list[int]) -> None:
    group = faxcore.CallGroup()
    for tick, n in enumerate(ticks):
        group.calls += [call for ends in many if ends.start == tick for call in ends.calls]
        live = [ends for ends in many if ends.start <= tick]
        heard = [part for ends in live for part in ends.heard(n)]
        out = group.exchange(np.array(heard, np.int16).reshape(len(heard), n))
        for number, ends in enumerate(live):
            ends.say(out[2 * number], out[2 * number + 1])


def ticks_of(seed: int, longest: int) -> list[int]:
    """Chunks that last as long as any of the calls."""
    if longest == 160:
        return [160] * (SECONDS * 50)
    return np.random.default_rng(seed).integers(1, longest + 1, 2 * SECONDS * 8000 // longest).tolist()


@pytest.mark.parametrize("longest", [160, 500, 590])
def test_every_kind_of_call(longest: int) -> None:
    ticks = ticks_of(longest, longest)
    alone, together = (all_ends(range(longest % 7, longest % 7 + 6), KINDS) for _ in range(2))
    run_together(together, ticks)
    for lone, grouped in zip(alone, together, strict=True):
        run_alone(lone, ticks)
        same_calls(lone, grouped)


@pytest.mark.parametrize("kind", [0, 2])
def test_many_calls_of_a_kind(kind: int) -> None:
    """So many that their receivers run in one block."""
    ticks = ticks_of(kind, 590)
    together = all_ends(range(20), KINDS[kind : kind + 1])
    run_together(together, ticks)
    for number in (0, 7, 19):
        lone = all_ends(range(20), KINDS[kind : kind + 1])[number]
        run_alone(lone, ticks)
        same_calls(lone, together[number])


def same_calls(lone: Ends, grouped: Ends) -> None:
    """Outcome, events, pages and every sample."""
    for one, other in zip(lone.calls, grouped.calls, strict=True):
        assert other.finished
        assert one.result == other.result
        assert other.result is not None
        assert other.result.success, other.result
        assert list(one.events()) == list(other.events())
        assert list(one.document.pages) == list(other.document.pages)
    assert len(lone.said) == len(grouped.said)
    for ours, theirs in zip(lone.said, grouped.said, strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))
    assert next(iter(grouped.calls[1].document.pages)) == small_page(0)


def test_simulated_side_by_side() -> None:
    """Each call of many has the outcome, events and pages that it has alone, in whatever order they end."""
    seeds = range(14)
    lines = [faxcore.Line(noise_dbm0=-46, delay=0.01 * seed, seed=seed) for seed in seeds]
    alone, together = ([pair(1, **KINDS[seed % 3]) for seed in seeds] for _ in range(2))
    calls = ((*ends, line) for ends, line in zip(together, lines, strict=True))
    outcomes = dict(faxcore.simulate_many(calls, together=9))
    assert sorted(outcomes) == list(seeds)
    for seed in seeds:
        assert faxcore.simulate(*alone[seed], line=lines[seed]) == outcomes[seed]
        assert outcomes[seed].sender.success
        for one, other in zip(alone[seed], together[seed], strict=True):
            assert list(one.events()) == list(other.events())
            assert list(one.document.pages) == list(other.document.pages)


def test_a_burst_longer_than_the_timer_that_its_frames_hold_off() -> None:
    """Side by side a burst of 5 s came as one piece, older than T1 when it was looked at: the call timed out."""
    pels = np.random.default_rng(5).random((60, 1728)) < 0.02
    document = ReceivedDocument("dots", [CodedPage.of(Page.from_pels(pels, FINE))])
    options = faxcore.Options(modulations=("v29",), max_rate=7200, t1=5.0)
    calls = [(faxcore.FaxCall.send(document, options=options), faxcore.FaxCall.receive(options=options), faxcore.Line())
             for _ in range(9)]  # fmt: skip
    outcomes = [outcome for _, outcome in faxcore.simulate_many(calls)]
    assert outcomes[0].sender.success, outcomes[0].sender
    alone = faxcore.simulate(faxcore.FaxCall.send(document, options=options), faxcore.FaxCall.receive(options=options))
    assert outcomes == [alone] * 9


def test_only_calls_under_way_are_held() -> None:
    made = 0

    def calls() -> Any:
        nonlocal made
        for _ in range(5):
            made += 1
            yield (*pair(1, **KINDS[2]), faxcore.Line())

    outcomes = faxcore.simulate_many(calls(), together=2)
    next(outcomes)
    assert made == 2
    assert len(list(outcomes)) == 4


def test_a_timer_of_less_than_a_sample_runs_out() -> None:
    """A call whose T1 ended between two samples went on for ever at one sample of line time."""
    assert Collector(Listen(within=1e-14), at=313417).deadline == 313418


def test_doors() -> None:
    group = faxcore.CallGroup(pair(1))
    with pytest.raises(TypeError, match="int16"):
        group.exchange(np.zeros((2, 160)))
    for shape in ((1, 160), (160,), (3, 160)):
        with pytest.raises(ValueError, match="shape"):
            group.exchange(np.zeros(shape, np.int16))
    assert group.exchange(np.zeros((2, 0), np.int16)).shape == (2, 0)
    group.calls.append(group.calls[0])
    with pytest.raises(ValueError, match="twice"):
        group.exchange(np.zeros((3, 160), np.int16))
    assert faxcore.CallGroup().exchange(np.zeros((0, 160), np.int16)).shape == (0, 160)
    with pytest.raises(ValueError, match="together"):
        faxcore.simulate_many([], together=0)
