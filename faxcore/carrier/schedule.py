"""What a packet terminal still has to say: the timeline of one Order after the other."""

from __future__ import annotations

from collections import deque

from faxcore.carrier.bulk import Burst
from faxcore.carrier.sending import Emission, Said, Signals, Step, Timeline
from faxcore.t30 import orders
from faxcore.t38.ifp import Indicator, IndicatorKind


class Schedule:
    """Timelines in a row: an Order begins when the tail of the one before is out.

    `endless`: a calling tone goes on until it is ended.
    """

    def __init__(self, signals: Signals, at: float) -> None:
        self.endless = False
        self._signals = signals
        self._free = at
        self._waiting: deque[tuple[orders.Order, float]] = deque()
        self._tail = False
        self._running: Timeline | None = None
        self._head: Step | Said | None = None
        self._open = False

    @property
    def due(self) -> float | None:
        """When the next step is due; None: nothing is left."""
        return None if self._head is None else self._head.at

    def add(self, order: orders.Order, at: float) -> None:
        """Say what an Order asks for from `at` on, after what is under way; where the far end needs no time, a tail is
        not waited for. DocumentError where a page cannot be had."""
        if not order.transmit:
            return
        self.endless = isinstance(order.transmit[-1], orders.CallingTone)
        self._waiting.append((order, at))
        if order.at_once and self._tail:
            self._running, self._free = None, at
            self._head = None
        if self._head is None:
            self._step()

    def pop(self) -> Step | Said:
        """The step that is due. DocumentError where a page cannot be had: the step is lost."""
        assert self._head is not None
        head = self._head
        if isinstance(head, Emission) and isinstance(head.packet, Indicator):
            self._open = head.packet.kind is not IndicatorKind.NO_SIGNAL
        elif isinstance(head, Burst):
            self._open = True
        elif isinstance(head, Said):
            self._tail = True
        self._step()
        return head

    def _step(self) -> None:
        self._head = None
        while self._running is not None or self._waiting:
            if self._running is None:
                order, at = self._waiting.popleft()
                self._running, self._tail = self._signals.order(order, max(at, self._free)), False
            try:
                self._head = next(self._running)
                return
            except StopIteration as end:
                self._running, self._free = None, end.value

    def end_tone(self, at: float) -> None:
        """End a calling tone."""
        if self.endless:
            self.cut(at)

    def cut(self, at: float) -> None:
        """Break off: no-signal ends what is open."""
        self.clear()
        self._free = at
        if self._open:
            self._running = self._silence(at)
            self._step()

    def clear(self) -> None:
        """Say nothing any more."""
        self._waiting.clear()
        self._running = self._head = None
        self.endless = False

    def _silence(self, at: float) -> Timeline:
        yield from self._signals.indicate(IndicatorKind.NO_SIGNAL, at)
        return at
