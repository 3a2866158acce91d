"""Two calls joined by a simulated line, in virtual time: minutes of line take a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from faxcore import units
from faxcore.call import FaxCall
from faxcore.line import Line
from faxcore.result import FaxResult

MAX_STEP = units.samples(4.0)
"""Longest stretch in one go, so that progress can be shown and memory stays small."""

HANG_UP_AFTER = units.samples(1.0)
"""When one end has finished, its owner hangs up: the other loses the line so much later."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How both ends of a simulated call came out. `line_time` is in seconds."""

    sender: FaxResult
    receiver: FaxResult
    line_time: float


def simulate(
    sender: FaxCall,
    receiver: FaxCall,
    *,
    line: Line | None = None,
    limit: float = 7200.0,
    progress: Callable[[FaxCall], None] | None = None,
) -> Outcome:
    """Run a call to its end over a line, and return both results.

    The calls advance by the larger lookahead: while one sends a page, seconds pass in one step. After `limit`
    seconds of line time the line drops. `progress(sender)` is called after every step.
    """
    line = line or Line()
    forth, back = line.direction(0), line.direction(1)
    for call in (sender, receiver):
        call.wait_for_pages()
    passed = 0
    ending = HANG_UP_AFTER + max(forth.delay_samples, back.delay_samples)
    while not (sender.finished and receiver.finished):
        sender_first = sender.lookahead >= receiver.lookahead
        step = min(MAX_STEP, max(sender.lookahead, receiver.lookahead))
        if sender.finished or receiver.finished:
            step = min(step, ending)
            ending -= step
        if sender_first:
            receiver.push_audio(forth.carry(sender.pull_audio(step)))
            sender.push_audio(back.carry(receiver.pull_audio(step)))
        else:
            sender.push_audio(back.carry(receiver.pull_audio(step)))
            receiver.push_audio(forth.carry(sender.pull_audio(step)))
        passed += step
        if progress is not None:
            progress(sender)
        if ending <= 0 or passed >= limit * units.SAMPLE_RATE:
            for call in (sender, receiver):
                if not call.finished:
                    call.line_dropped()
    if sender.result is None or receiver.result is None:
        raise AssertionError("a finished call has a result")
    return Outcome(sender.result, receiver.result, units.seconds(passed))
