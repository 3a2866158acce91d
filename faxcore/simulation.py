"""Calls joined two by two by simulated lines, in virtual time: minutes of line take a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

from faxcore import units
from faxcore.call import FaxCall
from faxcore.carrier import work
from faxcore.carrier.work import Work, alone
from faxcore.line import Line, Network, Path
from faxcore.result import FaxResult

MAX_STEP = units.samples(8.0)
"""Longest stretch in one go, so that progress can be shown and memory stays small."""

HANG_UP_AFTER_SECONDS = 1.0
HANG_UP_AFTER = units.samples(HANG_UP_AFTER_SECONDS)
"""When one end has finished, its owner hangs up: the other loses the line so much later."""

AHEAD = 4.0
"""Seconds of a burst of datagrams that go over a steady network in one go."""

Capture = Callable[[float, int, bytes], None]
"""Sees a datagram: when, of which end (0 the sender, 1 the receiver), and its octets."""


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
    line: Line | Network | None = None,
    limit: float = 7200.0,
    progress: Callable[[FaxCall], None] | None = None,
    capture: Capture | None = None,
) -> Outcome:
    """Run a call to its end over a line, or a network where both ends are T.38, and return both results.

    The calls advance by the larger lookahead: while one sends a page, seconds pass in one step. After `limit`
    seconds of line time the line drops. `progress(sender)` is called after every step, `capture(time, end, datagram)`
    for each datagram that the sender (end 0) or the receiver (1) says. ValueError where the ends and the line do not
    fit each other.
    """
    return alone(_call(sender, receiver, line, limit, progress, capture))


def simulate_many(
    calls: Iterable[tuple[FaxCall, FaxCall, Line | Network | None]], *, together: int = 256, limit: float = 7200.0
) -> Iterator[tuple[int, Outcome]]:
    """Run many calls, each (sender, receiver, line), as `simulate()` runs one; their fast modems work side by side.

    At most `together` calls are under way at once, and `calls` is asked for the next one when there is room: an
    iterator of any length needs the memory of so many. Gives (number of the call, its outcome) as calls end. An
    outcome does not depend on the calls beside it. ValueError for `together` below 1, and as `simulate()`.
    """
    if together < 1:
        raise ValueError(f"together is at least 1, not {together}")
    return work.together((_call(*call, limit) for call in calls), together)


def _call(
    sender: FaxCall,
    receiver: FaxCall,
    line: Line | Network | None,
    limit: float,
    progress: Callable[[FaxCall], None] | None = None,
    capture: Capture | None = None,
) -> Work[Outcome]:
    """A whole call as one piece of work."""
    if sender.packets or receiver.packets or isinstance(line, Network):
        if not (sender.packets and receiver.packets) or isinstance(line, Line):
            raise ValueError("samples go over a Line, the datagrams of two T.38 ends over a Network")
        return _over_network(sender, receiver, line or Network(), limit, progress, capture)
    return (yield from _over_line(sender, receiver, line or Line(), limit, progress))


def _over_line(
    sender: FaxCall, receiver: FaxCall, line: Line, limit: float, progress: Callable[[FaxCall], None] | None
) -> Work[Outcome]:
    forth, back = line.direction(0), line.direction(1)
    for call in (sender, receiver):
        call.wait_for_pages()
    passed = 0
    ending = HANG_UP_AFTER + max(forth.delay_samples, back.delay_samples)
    while not (sender.finished and receiver.finished):
        ahead = (sender.lookahead, receiver.lookahead)
        step = min(MAX_STEP, min(ahead) if forth.has_echo else max(ahead))
        if sender.finished or receiver.finished:
            step = min(step, ending)
            ending -= step
        if forth.has_echo:
            out, answer = (yield from sender.pulling(step)), (yield from receiver.pulling(step))
            yield from receiver.pushing(forth.carry(out, answer))
            yield from sender.pushing(back.carry(answer, out))
        elif sender.lookahead >= receiver.lookahead:
            yield from receiver.pushing(forth.carry((yield from sender.pulling(step))))
            yield from sender.pushing(back.carry((yield from receiver.pulling(step))))
        else:
            yield from sender.pushing(back.carry((yield from receiver.pulling(step))))
            yield from receiver.pushing(forth.carry((yield from sender.pulling(step))))
        passed += step
        if progress is not None:
            progress(sender)
        if ending <= 0 or passed >= limit * units.SAMPLE_RATE:
            _drop((sender, receiver))
    return _outcome(sender, receiver, units.seconds(passed))


def _over_network(
    sender: FaxCall, receiver: FaxCall, network: Network, limit: float, progress: Callable[[FaxCall], None] | None,
    capture: Capture | None,
) -> Outcome:  # fmt: skip
    """Two T.38 ends: virtual time jumps from one deadline or arrival to the next."""
    calls, ways = (sender, receiver), (network.direction(0), network.direction(1))
    air = _Air(calls, ways, capture)
    now, hang_up_at = 0.0, limit
    for call in calls:
        call.wait_for_pages()
        call.advance(now)
    due = [call.deadline for call in calls]
    while not (sender.finished and receiver.finished):
        now = max(now, min(at for at in (*due, air.next, hang_up_at) if at is not None))
        awake = air.deliver(now) | {end for end in (0, 1) if (at := due[end]) is not None and at <= now}
        for end in sorted(awake):
            air.hear(end, now)
            due[end] = calls[end].deadline
        if progress is not None:
            progress(sender)
        if sender.finished or receiver.finished:
            hang_up_at = min(hang_up_at, now + HANG_UP_AFTER_SECONDS + network.delay + network.jitter)
        if now >= hang_up_at:
            _drop(calls)
    return _outcome(sender, receiver, now)


class _Air:
    """What is under way between two ends: datagrams in runs that stay together, by the time of the first."""

    def __init__(self, calls: tuple[FaxCall, FaxCall], ways: tuple[Path, Path], capture: Capture | None) -> None:
        self._calls, self._ways, self._capture = calls, ways, capture
        self._runs: list[tuple[float, int, int, list[tuple[float, bytes]]]] = []
        self._number = 0

    @property
    def next(self) -> float | None:
        """When the next run arrives."""
        return self._runs[0][0] if self._runs else None

    def deliver(self, now: float) -> set[int]:
        """Hand over what has arrived; to whom."""
        reached = set()
        while self._runs and self._runs[0][0] <= now:
            _, _, end, run = heappop(self._runs)
            self._calls[end].push_datagrams(run)
            reached.add(end)
        return reached

    def hear(self, end: int, now: float) -> None:
        """Take what an end says."""
        call, way = self._calls[end], self._ways[end]
        if self._capture is not None or not way.steady:
            for datagram in call.pull_datagrams(now):
                if self._capture is not None:
                    self._capture(now, end, datagram)
                for at in way.carry(now):
                    self._send(end, [(at, datagram)])
            return
        said = call.pull_ahead(now, AHEAD)
        if way.lossless:
            self._send(end, [(sent + way.delay, datagram) for sent, datagram in said] if way.delay else said)
        else:
            self._send(end, [(at, datagram) for sent, datagram in said for at in way.carry(sent)])

    def _send(self, end: int, run: list[tuple[float, bytes]]) -> None:
        if run:
            self._number += 1
            heappush(self._runs, (run[0][0], self._number, 1 - end, run))


def _drop(calls: tuple[FaxCall, FaxCall]) -> None:
    for call in calls:
        if not call.finished:
            call.line_dropped()


def _outcome(sender: FaxCall, receiver: FaxCall, line_time: float) -> Outcome:
    if sender.result is None or receiver.result is None:
        raise AssertionError("a finished call has a result")
    return Outcome(sender.result, receiver.result, line_time)


def replay(call: FaxCall, datagrams: Iterable[tuple[float, bytes]]) -> FaxResult:
    """Let a T.38 call hear what was captured, as (time in seconds, datagram) in order of time, and then silence."""
    now = 0.0
    call.wait_for_pages()
    call.advance(now)
    for at, datagram in datagrams:
        now = max(now, at)
        call.push_datagram(datagram, now)
    while not call.finished and (deadline := call.deadline) is not None:
        call.pull_datagrams(deadline)
    if call.result is None:
        raise AssertionError("a finished call has a result")
    return call.result
