"""The audio carrier: carries out the Orders of a T.30 procedure as 8 kHz samples.

Line time counts samples. What we transmit at sample t depends only on what was heard before t - REACTION, so
any chunking of input and output gives the same bytes, and `lookahead` is never less than REACTION while the
owner pushes as much as it pulls.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from faxcore import units
from faxcore.carrier.listening import Listener
from faxcore.carrier.plan import Plan
from faxcore.carrier.work import Work
from faxcore.errors import DocumentError
from faxcore.events import Event, T38Wanted, ToneHeard
from faxcore.modem import tones
from faxcore.modem.acquisition import Lock
from faxcore.signals import Modulation
from faxcore.t30 import orders

Samples = npt.NDArray[np.int16]

REACTION = units.samples(0.075)
"""No signal begins sooner after what led to it: T.30's own gap between two directions [T.30 5 notes 3, 4]."""

LONGEST_GAP = units.samples(0.2)
"""What is missing for longer counts as silence: by then a signal may well have ended [T.30 5.4.3.1]."""


class AudioCarrier:
    """One terminal's end of a telephone line.

    `heard` and the plan's `sent` are the two clocks, in samples since the call began.
    """

    def __init__(self, procedure: orders.Procedure, *, level_dbm0: float, emit: Callable[[Event], None]) -> None:
        self.heard = 0
        self.plan = Plan(level_dbm0=level_dbm0)
        self._procedure, self._emit = procedure, emit
        self._order = orders.Order()
        self._listener: Listener | None = None
        self._learnt: dict[Modulation, Lock] = {}
        self._tones: tones.ToneDetector | None = tones.ToneDetector()
        self._wanted = False
        self._command: orders.Frames | None = None
        self._began = 0
        self._missing = 0
        self._ended = False
        self._advance(lambda: next(procedure), 0)

    @property
    def finished(self) -> bool:
        """True once T.30 has ended and its last signal is on the line."""
        return self._ended and self.plan.end is not None and self.plan.sent >= self.plan.end

    @property
    def lookahead(self) -> int:
        """Samples that `pull` can give whatever `push` brings."""
        end = self.plan.end
        if end is None:
            end = self.heard if self.plan.endless else self.plan.sent
        return max(end, self.heard) + REACTION - self.plan.sent

    @property
    def line_time(self) -> float:
        """Seconds of line heard so far."""
        return units.seconds(self.heard)

    @property
    def fraction(self) -> float | None:
        """How much of the page that is on the line was sent; None where there is none."""
        return self.plan.fraction

    @property
    def open_order(self) -> orders.Order:
        """What another carrier has to carry out to go on from here: who only listens says its last frames again, since
        they may have been lost on the way between."""
        if self._order.transmit or self._command is None:
            return self._order
        return orders.Order((orders.Silence(units.seconds(REACTION)), self._command), self._order.listen)

    def wait_for_pages(self) -> None:
        """Virtual time: a page that is not drawn yet is waited for."""
        self.plan.wait_for_pages = True

    def drop(self) -> None:
        """The line is gone: nothing is said any more."""
        self.interrupt(orders.LineDropped())
        if not self.finished:
            self.plan.cut(self.plan.sent)

    def pulling(self, n: int) -> Work[Samples]:
        """The next n samples to put on the line."""
        while True:
            try:
                return (yield from self.plan.pulling(n))
            except DocumentError as error:
                self.interrupt(error)

    def pushing(self, samples: Samples) -> Work[None]:
        """Hear samples of the line."""
        self._missing = 0
        return self._hearing(samples, known=True)

    def missing(self, n: int) -> Work[None]:
        """Let line time pass of which nothing arrived: no signal ends in a gap that is short."""
        gap = min(n, LONGEST_GAP - self._missing)
        self._missing += gap
        yield from self._hearing(np.zeros(gap, np.int16), known=False)
        yield from self._hearing(np.zeros(n - gap, np.int16), known=True)

    def _hearing(self, samples: Samples, *, known: bool) -> Work[None]:
        if self._tones is not None:
            for at, tone in self._tones.push(samples):
                self._emit(ToneHeard(units.seconds(at), tone))
                if tone == "ced":
                    self._want_t38(at)
        while len(samples) and not self._ended:
            samples = samples[(yield from self._hear(samples, known)) :]
        self.heard += len(samples)

    def _hear(self, samples: Samples, known: bool) -> Work[int]:
        """Hear samples up to the next Report; says how many those were."""
        if self._listener is None:
            return self._wait(len(samples))
        listener, begin = self._listener, self.heard
        count = min(len(samples), max(0, listener.horizon - begin))
        yield from listener.feeding(samples[:count], known=known)
        while (found := listener.report()) is not None:
            at, report = max(found[0], begin), found[1]  # what is known late does not turn line time back
            self.heard = at
            self._report(report, at)
            if self._listener is not listener:
                return at - begin
        self.heard = begin + count
        return count

    def _wait(self, n: int) -> int:
        """Let line time pass while we transmit: what is heard meanwhile is dropped."""
        end = self.plan.end
        count = n if end is None else min(n, max(0, end - self.heard))
        self.heard += count
        if end is not None and self.heard >= end:
            if self._order.listen is None:
                self._report(orders.Sent(units.seconds(self._began), units.seconds(end)), self.heard)
            else:
                self._listen()
        return count

    def _listen(self) -> None:
        assert self._order.listen is not None
        self._listener = Listener(
            self._order.listen, at=self.heard, learnt=self._learnt, flags=self._flags_heard, emit=self._emit
        )

    def _flags_heard(self, at: int) -> None:
        """V.21 is there: the end of CNG and of phase A [T.30 4.2]."""
        self._tones = None
        self._want_t38(at)
        if self.plan.endless:
            self.plan.cut(at + REACTION)

    def _want_t38(self, at: int) -> None:
        if not self._wanted:
            self._wanted = True
            self._emit(T38Wanted(units.seconds(at)))

    def _report(self, report: orders.Report, at: int) -> None:
        before = self._listener
        self._advance(lambda: self._procedure.send(report), at)
        if before is not None and not self._ended and before.continues(self._order, report):
            self._listener = before

    def interrupt(self, error: BaseException) -> None:
        """Throw an exception into the procedure: what is on the line is cut, the procedure says what follows."""
        if self._ended:
            return
        self.plan.cut(self.plan.sent)
        self._advance(lambda: self._procedure.throw(error), self.heard)

    def _advance(self, step: Callable[[], orders.Order], at: int) -> None:
        """Get the next Order, and begin it."""
        if self.plan.endless:
            self.plan.cut(at + REACTION)
        self._listener = None
        try:
            self._order = step()
        except StopIteration:
            self._ended = True
            return
        self._began = at
        self._command = next((i for i in self._order.transmit if isinstance(i, orders.Frames)), self._command)
        try:
            self.plan.schedule(self._order.transmit, begin=at, earliest=at + REACTION)
        except DocumentError as error:
            self.interrupt(error)
            return
        if self._order.listen is not None and (self.plan.endless or not self._order.transmit):
            self._listen()
