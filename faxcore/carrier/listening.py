"""What an audio terminal hears: receivers side by side on the same samples, and the Report they lead to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from faxcore import modem, units
from faxcore.events import BurstReceived, Event
from faxcore.hdlc import Deframer
from faxcore.modem import qam, v21
from faxcore.modem.acquisition import Lock
from faxcore.signals import CarrierQuality, FrameEnds, Modulation, Octets, SignalBegins, SignalEnds, SignalItem
from faxcore.t30 import orders

FRAME_LIMIT = units.samples(5.0)
"""No frame for so long while flags go on: T.30 says 3 s, makers allow 6 and engines 10 [T.30 5.4.3]."""

QUIET_AFTER_NOISE = units.samples(0.2)
"""Silence after a carrier that brought no good frame, before the timer counts as run out [T.30 5.4.3.1]."""

MOST_FRAMES = 1024
"""Frames that are kept of one burst: four blocks, where a burst holds one at most [T.4 A.3.6]."""

LONGEST_BURST = units.samples(3600.0)
"""No page lasts longer; it bounds a carrier that hangs."""

FINAL_FRAME = 0x10  # the P/F bit of the control octet, first bit least significant [T.30 5.3.5]


def _fast_receiver(fast: Modulation, learnt: dict[Modulation, Lock], at: int) -> qam.Receiver:
    """A short training can be heard only after the long one: without it the far end may yet send that."""
    trained = learnt.get(fast._replace(short=False)) if fast.short else None
    return modem.receiver(fast if trained else fast._replace(short=False), trained=trained, at=at)


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
        self.listen, self.begin = listen, at
        self._flags, self._emit = flags, emit
        self._v21 = v21.Receiver(at=at)
        self._fast = _fast_receiver(listen.fast, learnt, at) if listen.fast else None
        self._learnt = learnt
        self._heard = at
        self._deadline = at + units.samples(listen.within)
        self._items: deque[tuple[bool, SignalItem]] = deque()
        self._signal_since: int | None = None
        self._frames: list[bytes] = []
        self._octets = bytearray()
        self._bad = 0
        self._final = False
        self._data = bytearray()
        self._deframer = Deframer() if listen.framed else None
        self._fast_frames: list[bytes] = []
        self._fast_bad = 0
        self._data_since: int | None = None
        self._carrier_heard = False

    @property
    def horizon(self) -> int:
        """The sample at which a timer decides, if nothing is heard before."""
        return self._deadline

    def feed(self, samples: npt.NDArray[np.int16]) -> None:
        """Hear samples; they must not reach beyond `horizon`."""
        self._heard += len(samples)
        items: list[tuple[bool, SignalItem]] = [(False, item) for item in self._v21.push(samples)]
        if self._fast:
            items += [(True, item) for item in self._fast.push(samples)]
            items.sort(key=lambda pair: pair[1].at)
        self._items.extend(items)

    def report(self) -> tuple[int, orders.Report] | None:
        """The Report that what was heard leads to, and the sample at which it was known."""
        while self._items:
            fast, item = self._items.popleft()
            found = self._hear_fast(item) if fast else self._hear_v21(item)
            if found is not None:
                return item.at, found
        return (self._heard, self._run_out()) if self._heard >= self._deadline else None

    def _hear_v21(self, item: SignalItem) -> orders.Report | None:
        match item:
            case SignalBegins(at):
                self._signal_since = at
                if self._data_since is None:
                    self._deadline = at + FRAME_LIMIT
                self._flags(at)
            case Octets(data=data):
                self._octets += data
            case FrameEnds(at, good):
                self._frame_ends(at, good)
            case SignalEnds(at):
                return self._signal_ends(at)
        return None

    def _frame_ends(self, at: int, good: bool) -> None:
        frame, self._octets = bytes(self._octets), bytearray()
        if good and len(frame) >= 3:
            self._frames.append(frame)
            self._final = bool(frame[1] & FINAL_FRAME)
            self._deadline = at + FRAME_LIMIT
        else:
            self._bad += 1

    def _signal_ends(self, at: int) -> orders.Report | None:
        begin, self._signal_since = self._signal_since, None
        frames, self._frames, final, self._final = tuple(self._frames), [], self._final, False
        bad, self._bad = self._bad, 0
        self._octets.clear()
        if frames and final:
            return orders.FramesHeard(units.seconds(begin or at), units.seconds(at), frames, bad)
        if self._data_since is None:
            self._carrier_heard = True
            self._deadline = at + QUIET_AFTER_NOISE
        return None

    def _hear_fast(self, item: SignalItem) -> orders.Report | None:
        match item:
            case SignalBegins(at):
                self._data_since = at
                self._deadline = at + LONGEST_BURST
                return None if self._deframer else self._data_heard(at, more=True)
            case Octets(data=data) if self._deframer:
                self._deframe(data)
            case Octets(at, data):
                self._data += data
                if len(self._data) >= self.listen.block:
                    return self._data_heard(at, more=True)
            case SignalEnds(at, trained, quality):
                self._tell(at, trained, quality)
                if trained and self._deframer:
                    return self._burst_heard(at, quality)
                if trained:
                    return self._data_heard(at, more=False, quality=quality)
                if self._frames or self._signal_since is not None:
                    return None
                return orders.DataHeard(
                    units.seconds(self.begin), units.seconds(at), b"", trained=False, quality=quality
                )
        return None

    def _tell(self, at: int, trained: bool, quality: CarrierQuality) -> None:
        assert self._fast is not None
        assert self.listen.fast is not None
        points = tuple(self._fast.symbols.tolist()) if trained else ()
        if trained and not self.listen.fast.short and self._fast.lock:
            self._learnt[self.listen.fast] = self._fast.lock
        self._emit(BurstReceived(units.seconds(at), self.listen.fast, trained, quality, points))

    def _deframe(self, data: bytes) -> None:
        assert self._deframer is not None
        for octets, good, _ in self._deframer.push_octets(data):
            if good and len(self._fast_frames) < MOST_FRAMES:
                self._fast_frames.append(octets)
            else:
                self._fast_bad += 1

    def _burst_heard(self, at: int, quality: CarrierQuality) -> orders.BurstHeard:
        begin = units.seconds(self._data_since or at)
        return orders.BurstHeard(
            begin, units.seconds(at), tuple(self._fast_frames), self._fast_bad, quality=quality
        )

    def _data_heard(self, at: int, *, more: bool, quality: CarrierQuality | None = None) -> orders.DataHeard:
        data, self._data = bytes(self._data), bytearray()
        begin = units.seconds(self._data_since or at)
        return orders.DataHeard(begin, units.seconds(at), data, more, True, quality or CarrierQuality())

    def _run_out(self) -> orders.Report:
        begin, end = units.seconds(self.begin), units.seconds(self._heard)
        if self._signal_since is not None:
            return orders.Stuck(begin, end)
        return orders.TimedOut(begin, end, self._carrier_heard)

    def continues(self, order: orders.Order, report: orders.Report) -> bool:
        """True if `order` only goes on with this Listen after a block of it."""
        more = isinstance(report, orders.DataHeard) and report.more
        return more and not order.transmit and order.listen == self.listen
