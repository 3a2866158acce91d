"""Seeded calls on bad lines: each ends with a code in bounded time, and what is called a success is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import faxcore
from benchmarks.lines import page_of
from faxcore import coding
from faxcore.carrier import listening
from faxcore.document import ReceivedDocument
from faxcore.hdlc import Deframer, Frame
from faxcore.page import Page
from faxcore.t30 import receiver
from tests.bad_lines import random_line
from tests.support_calls import small_document

Rows = npt.NDArray[np.uint8]

LONGEST = 1500.0
"""Seconds of line: three pages sent three times at 2400 bit/s, all timers and trainings included, take less."""

CALLS = 1000


def run(seed: int) -> tuple[faxcore.simulation.Outcome, list[Page], list[Page]]:
    random = np.random.default_rng(seed)
    document: ReceivedDocument = small_document(int(random.integers(1, 4)), rows=int(random.integers(20, 800)))
    options = faxcore.Options(
        ecm=bool(random.random() < 0.7),
        modulations=[("v17", "v29", "v27ter"), ("v29", "v27ter"), ("v27ter",), ("v17",)][int(random.integers(4))],
        codings=[("mmr", "mr", "mh"), ("mr",), ("mh",)][int(random.integers(3))],
    )
    sender = faxcore.FaxCall.send(document, identity="+15551230001", options=options)
    far = faxcore.FaxCall.receive(identity="+15551230002", options=options)
    outcome = faxcore.simulate(sender, far, line=random_line(seed), limit=2 * LONGEST)
    return outcome, list(document.pages), list(far.document.pages)


def alike(got: Page, sent: Page) -> bool:
    """Without error correction some lines may be wrong or missing: fewer than those for which RTN was due."""
    lines = {row.tobytes() for row in sent.rows}
    right = sum(row.tobytes() in lines for row in got.rows)
    return right >= 0.8 * got.height and 0.8 * sent.height - 2 <= got.height <= 1.1 * sent.height + 4


def check(seed: int) -> bool:
    """One call; true if it succeeded."""
    outcome, sent, received = run(seed)
    assert outcome.line_time < LONGEST
    for result in (outcome.sender, outcome.receiver):
        assert 0 <= result.code <= 61
        assert result.pages <= len(sent)
    if outcome.sender.success:
        assert len(received) >= len(sent)
        if outcome.sender.ecm:
            assert received == sent
        else:
            assert all(map(alike, received, sent))
    return outcome.sender.success


@pytest.mark.parametrize("seed", range(60))
def test_a_call_on_a_bad_line(seed: int) -> None:
    check(seed)


def decoding(change: Callable[[Rows], Rows], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the receiving terminal decode other rows than came."""

    def wrong(*arguments: Any, **how: Any) -> Any:
        decoded = coding.decode(*arguments, **how)
        return replace(decoded, page=replace(decoded.page, rows=change(decoded.page.rows.copy())))

    monkeypatch.setattr(receiver, "coding", SimpleNamespace(decode=wrong))


def a_pel_is_wrong(rows: Rows) -> Rows:
    rows[len(rows) // 2, 100] ^= 1
    return rows


def the_last_line_is_lost(rows: Rows) -> Rows:
    return rows[:-1]


def two_lines_change_places(rows: Rows) -> Rows:
    return np.roll(rows, 1, axis=0)


@pytest.mark.parametrize("change", [a_pel_is_wrong, the_last_line_is_lost, two_lines_change_places])
def test_a_wrong_decoder_is_noticed(change: Callable[[Rows], Rows], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same check fails where what decodes is wrong on purpose."""
    seeds = [seed for seed in range(6) if run(seed)[0].sender.ecm]
    decoding(change, monkeypatch)
    assert seeds
    for seed in seeds:
        with pytest.raises(AssertionError):
            check(seed)


class Blind(Deframer):
    """It takes every frame for a good one."""

    def push_octets(self, octets: Any) -> list[Frame]:
        return [frame._replace(good=True) for frame in super().push_octets(octets)]


class Clicks(faxcore.Line):
    """A click of 2 ms in the caller's signal every 0.7 s, for 6 s of its page."""

    def direction(self, index: int) -> Any:
        way, passed = super().direction(index), 0

        def carry(samples: npt.NDArray[np.int16], said: Any = None) -> npt.NDArray[np.int16]:
            nonlocal passed
            at = passed + np.arange(len(samples))
            passed += len(samples)
            loud = (at > 12 * 8000) & (at < 18 * 8000) & (at % 5600 < 16) & (index == 0)
            return way.carry(np.where(loud, np.int16(9000) * (-1) ** (at // 3 % 2), samples).astype(np.int16))

        return SimpleNamespace(carry=carry, delay_samples=way.delay_samples, has_echo=False)


def test_a_frame_check_that_is_blind_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a line that spoils bits now and then; with the check in place the page arrives to the pel."""
    line = Clicks(law=None)
    options = faxcore.Options(modulations=("v29",), min_rate=9600, max_rate=9600)
    got = []
    for deframer in (Deframer, Blind):
        monkeypatch.setattr(listening, "Deframer", deframer)
        document = ReceivedDocument()
        document.append(page_of(1, 120))
        far = faxcore.FaxCall.receive(options=options)
        outcome = faxcore.simulate(faxcore.FaxCall.send(document, options=options), far, line=line)
        assert outcome.sender.success
        got.append(list(far.document.pages) == list(document.pages))
    assert got == [True, False]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_thousand_calls() -> None:
    successes = sum(check(seed) for seed in range(CALLS))
    assert successes > CALLS // 2
