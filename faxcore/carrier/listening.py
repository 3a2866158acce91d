"""What an audio terminal hears: receivers side by side on the same samples, and the Report they lead to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from faxcore import modem, units
from faxcore.carrier.collecting import Collector
from faxcore.carrier.work import Hear, Work
from faxcore.events import BurstReceived, Event
from faxcore.hdlc import Deframer
from faxcore.modem import qam, v21
from faxcore.modem.acquisition import Lock
from faxcore.signals import (
    Modulation,
    Octets,
    SignalBegins,
    SignalEnds,
    SignalFades,
    SignalItem,
    SignalReturns,
)
from faxcore.t30 import orders

CARRIER_SHARE = 0.4
"""Of the level of the far end's last training: what is louder is its carrier, and no timer runs out on that."""

LOOK = units.samples(0.2)
"""Time over which that is judged."""

COMMAND = units.samples(1.0)
"""From the end of such a carrier until the command after it has been recognised."""

LONGEST_CARRIER = units.samples(300.0)


def _fast_receiver(fast: Modulation, learnt: dict[Modulation, Lock], at: int, hold: float) -> qam.Receiver:
    """A short training can be heard only after the long one: without it the far end may yet send that."""
    trained = learnt.get(fast._replace(short=False)) if fast.short else None
    return modem.receiver(fast if trained else fast._replace(short=False), trained=trained, at=at, hold=hold)


def _in_time(fast: bool, items: list[SignalItem]) -> list[tuple[int, bool, SignalItem]]:
    """Items of one receiver with the times that put them among those of the other: no item overtakes another.

    The first octets of a burst were on the line before its carrier was recognised.
    """
    if not items:
        return []
    times = accumulate((item.at for item in items), max)
    return [(at, fast, item) for at, item in zip(times, items, strict=True)]


class Listener:
    """Carries out one Listen, from sample `at` of the line on."""

    def __init__(
        self,
        listen: orders.Listen,
        *,
        at: int,
        learnt: dict[Modulation, Lock],
        flags: Callable[[int], None],
        emit: Callable[[Event], None],
    ) -> None:
        self.listen, self._collector = listen, Collector(listen, at=at)
        self._flags, self._emit = flags, emit
        self._v21 = v21.Receiver(at=at)
        self._fast = _fast_receiver(listen.fast, learnt, at, listen.hold) if listen.fast else None
        self._learnt = learnt
        self._begin = self._heard = at
        self._faded: SignalFades | None = None
        lock = learnt.get(listen.fast._replace(short=False)) if listen.fast else None
        self._carrier_power = (CARRIER_SHARE * lock.rms) ** 2 if lock else None
        self._last = np.zeros(0, np.int16)
        self._carrier_at: int | None = None
        self._next: tuple[int, orders.Report] | None = None
        self._items: deque[tuple[bool, SignalItem]] = deque()
        self._deframer = Deframer() if listen.framed else None

    def continues(self, order: orders.Order, report: orders.Report) -> bool:
        """True if `order` only goes on with this Listen: after a block of it, or with the command that ended it."""
        if self._next is not None:
            return not order.transmit and order.listen == self.listen
        return self._collector.continues(order, report)

    @property
    def horizon(self) -> int:
        """The sample at which a timer decides, if nothing is heard before."""
        return self._collector.deadline

    def feeding(self, samples: npt.NDArray[np.int16], *, known: bool = True) -> Work[None]:
        """Hear samples; they must not reach beyond `horizon`. Where nothing arrived they are zeros and not `known`."""
        self._heard += len(samples)
        controls = self._v21.push(samples) if known else self._v21.missing(len(samples))
        items = _in_time(False, controls)
        if self._fast:
            heard: list[SignalItem] = yield Hear(self._fast, samples)
            items += _in_time(True, heard)
            items.sort(key=lambda timed: timed[0])
            if self._carrier_power is not None and known and self._fast.lock is None:  # else it has been recognised
                self._look_for_carrier(samples, self._carrier_power)
        self._items.extend((fast, item) for _, fast, item in items)

    def report(self) -> tuple[int, orders.Report] | None:
        """The Report that what was heard leads to, and the sample at which it was known."""
        if self._next is not None:
            found, self._next = self._next, None
            return found
        while self._items:
            fast, item = self._items.popleft()
            report = self._hear_fast(item) if fast else self._hear_v21(item)
            if report is not None:
                return item.at, report
        if self._heard >= self.horizon and self._is_carrier():
            self._collector.deadline += LOOK
        return (self._heard, self._collector.run_out(self._heard)) if self._heard >= self.horizon else None

    def _look_for_carrier(self, samples: npt.NDArray[np.int16], power: float) -> None:
        """By blocks of the line's time, so that any chunks show the same."""
        waiting = np.concatenate([self._last, samples])
        whole = len(waiting) // LOOK * LOOK
        if not whole:
            self._last = waiting
            return
        loud = np.mean(np.square(waiting[:whole].reshape(-1, LOOK), dtype=np.float64), axis=1) > power
        if loud.any():
            self._carrier_at = self._heard - len(waiting) + LOOK * (int(np.flatnonzero(loud)[-1]) + 1)
        self._last = waiting[whole:]

    def _is_carrier(self) -> bool:
        """A page whose training was missed may still run, and fall silent now and then: T2 waits for its end."""
        if self._carrier_at is None or not self._collector.idle or self._heard - self._begin > LONGEST_CARRIER:
            return False
        return self._heard - self._carrier_at < max(units.samples(self.listen.hold), COMMAND)

    def _hear_fast(self, item: SignalItem) -> orders.Report | None:
        match item:
            case Octets(at, data) if self._deframer is not None:
                self._hear_octets(at, data)
                return None
            case SignalFades():
                self._faded = item
            case SignalReturns():
                self._faded = None
            case SignalEnds():
                item = self._tell(item)
        return self._collector.hear(item, fast=True)

    def _hear_v21(self, item: SignalItem) -> orders.Report | None:
        """An item of V.21: where it is a command after a page, the page ends first."""
        if isinstance(item, SignalBegins):
            if self._faded is not None:
                return self._hear_fast(SignalEnds(item.at, quality=self._faded.quality))
            self._flags(item.at)
        busy = self._collector.data_since is not None
        report = self._collector.hear(item, fast=False)
        if busy and isinstance(report, orders.FramesHeard):
            self._next = item.at, report
            return self._collector.hear(SignalEnds(units.samples(report.begin)), fast=True)
        return report

    def _hear_octets(self, at: int, octets: bytes) -> None:
        """Frames in octets whose first one was on the line at `at`; many seconds may come at once."""
        assert self._deframer is not None
        assert self.listen.fast is not None
        before = self._deframer.position
        frames = self._deframer.push_octets(octets)
        if frames:
            bits = frames[-1].at - before
            self._collector.hear_frames(at + bits * units.SAMPLE_RATE // self.listen.fast.bit_rate, frames)

    def _tell(self, end: SignalEnds) -> SignalEnds:
        """The end, at the time when the carrier fell silent; the owner hears of the burst."""
        assert self._fast is not None
        assert self.listen.fast is not None
        faded, self._faded = self._faded, None
        end = end if faded is None else replace(end, at=faded.at)
        if end.trained and not self.listen.fast.short and self._fast.lock:
            self._learnt[self.listen.fast] = self._fast.lock
        points = tuple(end.quality.points.tolist())
        self._emit(BurstReceived(units.seconds(end.at), self.listen.fast, end.trained, end.quality, points))
        return end
