"""Seeded calls on bad lines: each ends with a code in bounded time, and what is called a success is one."""

from __future__ import annotations

import numpy as np
import pytest

import faxcore
from faxcore.document import ReceivedDocument
from faxcore.page import Page
from tests.bad_lines import random_line
from tests.support_calls import small_document

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
    receiver = faxcore.FaxCall.receive(identity="+15551230002", options=options)
    outcome = faxcore.simulate(sender, receiver, line=random_line(seed), limit=2 * LONGEST)  # type: ignore[arg-type]
    return outcome, list(document.pages), list(receiver.document.pages)


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
    return outcome.sender.success


@pytest.mark.parametrize("seed", range(60))
def test_a_call_on_a_bad_line(seed: int) -> None:
    check(seed)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_thousand_calls() -> None:
    successes = sum(check(seed) for seed in range(CALLS))
    assert successes > CALLS // 2
