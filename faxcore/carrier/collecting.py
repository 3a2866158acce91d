"""The collector above the signal stream: V.21 signals and a fast carrier, item by item, to Reports for T.30."""

from __future__ import annotations

from collections.abc import Sequence

from faxcore import units
from faxcore.hdlc import Frame
from faxcore.signals import (
    CarrierQuality,
    FrameEnds,
    Octets,
    SignalBegins,
    SignalEnds,
    SignalFades,
    SignalItem,
    SignalReturns,
)
from faxcore.t30 import orders

FRAME_LIMIT = units.samples(5.0)
"""No frame for so long while flags go on: T.30 says 3 s, makers allow 6 and engines 10 [T.30 5.4.3]."""

QUIET_AFTER_NOISE = units.samples(0.2)
"""Silence after a carrier that brought no good frame, before the timer counts as run out [T.30 5.4.3.1]."""

MOST_FRAMES = 1024
"""Frames that are kept of one burst: four blocks, where a burst holds one at most [T.4 A.3.6]."""

LONGEST_PAGE = units.samples(3600.0)
LONGEST_BURST = units.samples(300.0)
"""No page, and no block of frames at 2400 bit/s, lasts longer: they bound a carrier that hangs."""

FINAL_FRAME = 0x10  # the P/F bit of the control octet, first bit least significant [T.30 5.3.5]


class Collector:
    """Carries out one Listen on the items of the signal stream, from line time `at` on, in samples.

    `deadline` is when a timer decides, if nothing comes before.
    """

    def __init__(self, listen: orders.Listen, *, at: int) -> None:
        self.listen, self.begin = listen, at
        # At least a sample: a timer with less than one to go would never run out.
        self.deadline = at + max(1, units.samples(listen.within))
        self.signal_since: int | None = None
        self._frames: list[bytes] = []
        self._octets = bytearray()
        self._bad = 0
        self._final = False
        self.data_since: int | None = None
        self._data = bytearray()
        self._fast_frames: list[bytes] = []
        self._fast_bad = 0
        self._faded_at = self._silent = 0
        self._carrier_heard = False

    def hear(self, item: SignalItem, *, fast: bool) -> orders.Report | None:
        """Take an item of a V.21 signal or of the fast carrier; the Report that it leads to."""
        return self._hear_fast(item) if fast else self._hear_v21(item)

    def hear_frames(self, at: int, frames: Sequence[Frame]) -> None:
        """Take frames of the fast carrier, the last of which ended at line time `at`."""
        if frames:
            before = len(self._fast_frames)
            self._fast_frames += [frame.octets for frame in frames if frame.good]
            del self._fast_frames[MOST_FRAMES:]
            self._fast_bad += len(frames) - (len(self._fast_frames) - before)
            self._frames_came(at)

    def _hear_v21(self, item: SignalItem) -> orders.Report | None:
        match item:
            case SignalBegins(at):
                self.signal_since = at
                if self.data_since is None:
                    self.deadline = at + FRAME_LIMIT
            case Octets(data=data):
                self._octets += data
            case FrameEnds(at, good):
                self._frame_ends(at, good)
            case SignalEnds(at):
                return self._signal_ends(at)
        return None

    def _frame_ends(self, at: int, good: bool) -> None:
        frame, self._octets = bytes(self._octets), bytearray()
        if good and len(frame) >= 3 and len(self._frames) < MOST_FRAMES:
            self._frames.append(frame)
            self._final = bool(frame[1] & FINAL_FRAME)
            self.deadline = at + FRAME_LIMIT
        else:
            self._bad += 1

    def _signal_ends(self, at: int) -> orders.Report | None:
        begin, self.signal_since = self.signal_since, None
        frames, self._frames, final, self._final = tuple(self._frames), [], self._final, False
        bad, self._bad = self._bad, 0
        self._octets.clear()
        if frames and final:
            return orders.FramesHeard(units.seconds(begin or at), units.seconds(at), frames, bad)
        if self.data_since is None:
            self._carrier_heard = True
            self.deadline = at + QUIET_AFTER_NOISE
        return None

    def _hear_fast(self, item: SignalItem) -> orders.Report | None:
        match item:
            case SignalBegins(at):
                self.data_since = at
                self.deadline = at + (units.samples(self.listen.idle) if self.listen.framed else LONGEST_PAGE)
                return None if self.listen.framed else self._data_heard(at, more=True)
            case Octets(at, data):
                self._data += data
                if not self.listen.framed and len(self._data) >= self.listen.block:
                    return self._data_heard(at, more=True)
            case FrameEnds(at, good):
                self._fast_frame_ends(at, good)
            case SignalFades(at):
                self._faded_at = at
            case SignalReturns(at):
                self._silent += at - self._faded_at
            case SignalEnds():
                return self._fast_ends(item)
        return None

    def _fast_frame_ends(self, at: int, good: bool) -> None:
        self._frames_came(at)
        frame, self._data = bytes(self._data), bytearray()
        if good and len(self._fast_frames) < MOST_FRAMES:
            self._fast_frames.append(frame)
        else:
            self._fast_bad += 1

    def _frames_came(self, at: int) -> None:
        self.deadline = min(at + units.samples(self.listen.idle), (self.data_since or at) + LONGEST_BURST)

    def _fast_ends(self, item: SignalEnds) -> orders.Report | None:
        if item.trained and self.listen.framed:
            begin = units.seconds(self.data_since or item.at)
            frames = tuple(self._fast_frames)
            return orders.BurstHeard(begin, units.seconds(item.at), frames, self._fast_bad, quality=item.quality)
        if item.trained:
            return self._data_heard(item.at, more=False, quality=item.quality)
        if self._frames or self.signal_since is not None:
            return None
        begin = units.seconds(self.begin)
        return orders.DataHeard(begin, units.seconds(item.at), b"", trained=False, quality=item.quality)

    def _data_heard(self, at: int, *, more: bool, quality: CarrierQuality | None = None) -> orders.DataHeard:
        data, self._data = bytes(self._data), bytearray()
        begin = self.data_since or at
        lost = self._silent / (at - begin) if at > begin else 0.0
        return orders.DataHeard(
            units.seconds(begin), units.seconds(at), data, more, True, quality or CarrierQuality(), lost
        )

    @property
    def idle(self) -> bool:
        """True while nothing is heard."""
        return self.signal_since is None and self.data_since is None

    def run_out(self, at: int) -> orders.Report:
        """The Report of the timer, at its time."""
        begin, end = units.seconds(self.begin), units.seconds(at)
        if not self.idle:
            return orders.Stuck(begin, end)
        return orders.TimedOut(begin, end, self._carrier_heard)

    def continues(self, order: orders.Order, report: orders.Report) -> bool:
        """True if `order` only goes on with this Listen after a block of it."""
        more = isinstance(report, orders.DataHeard) and report.more
        return more and not order.transmit and order.listen == self.listen
