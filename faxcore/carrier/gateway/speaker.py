"""The packets that a gateway sends: each at its time, key packets more than once, no repeat after something newer."""

from __future__ import annotations

from collections import deque

from faxcore import units
from faxcore.options import T38
from faxcore.signals import Modulation
from faxcore.t38 import ifp, udptl
from faxcore.t38.ifp import Data, DataKind, Field, FieldType, Form, Indicator, IndicatorKind, Packet

SPACING = units.samples(0.02)
PACE = units.samples(0.01)    # between packets of data, at least
TAIL = units.samples(0.08)    # from a signal's end to no-signal
PATIENCE = units.samples(0.15)    # for the end of a signal behind its last frame; far ends have begun to play that
KEEP_ALIVE = units.samples(4.0)
LARGEST_HEADER = 8            # octets of a packet around the data of its one long field


class Speaker:
    """Makes datagrams. Times are samples of line time."""

    def __init__(self, settings: T38) -> None:
        self.form = Form.of_version(settings.version)
        self._repeats = settings.repeats
        # Dissectors call a second end of a signal an error: once is enough where no-signal behind it brings it along.
        alone = settings.error_correction == "none" or not (settings.redundancy or settings.error_correction == "fec")
        self._end_repeats = settings.repeats if alone else 1
        self._chunk = settings.chunk
        self._sender = udptl.Sender(
            settings.error_correction, redundancy=settings.redundancy, span=settings.fec_span,
            entries=settings.fec_entries, max_datagram=settings.max_datagram)
        self._largest = min(self._sender.longest_packet - LARGEST_HEADER, settings.max_buffer)
        self._waiting: deque[tuple[int, Packet]] = deque()
        self._backlog: deque[tuple[Packet | None, bool]] = deque()    # (packet, whether it ends its signal)
        self._paced = -PACE
        self._said: Packet | None = None
        self._held: tuple[DataKind, bool, int] | None = None
        self._silent = True
        self._spoke = 0
        self.datagrams: list[bytes] = []

    @property
    def waiting(self) -> bool:
        """Something is still to be sent."""
        return bool(self._waiting or self._backlog) or self._held is not None

    def chunk(self, modulation: Modulation) -> int:
        """Octets of data in one packet."""
        return max(1, min(self._largest, int(self._chunk * modulation.bit_rate / 8)))

    def advance(self, at: int) -> None:
        """Send what is due."""
        self._run(at)
        while self._waiting and self._waiting[0][0] <= at:
            self._send(*self._waiting.popleft())
        if self._held is not None and at - self._held[2] >= PATIENCE:
            self._let_go(at)
        if self._silent and at - self._spoke >= KEEP_ALIVE:
            self._send(at, Indicator(IndicatorKind.NO_SIGNAL))

    def indicate(self, kind: IndicatorKind, at: int) -> None:
        """A signal begins, or a tone is heard."""
        self._let_go(at)
        while self._backlog:
            self._say(*self._backlog.popleft(), at)
        self._silent = kind in (IndicatorKind.CNG, IndicatorKind.CED)
        self._repeat(Indicator(kind), at, self._repeats)

    def data(self, kind: DataKind, type_: FieldType, octets: bytes, at: int) -> None:
        """Data of the signal that is on, in the order of the line."""
        self._let_go(at)
        self._queue(Data(kind, (Field(type_, ifp.line_order(octets)),)), at)

    def end_frame(self, kind: DataKind, good: bool, at: int, *, final: bool) -> None:
        """The end of a frame. One that says that it is the last waits a moment for the end of its signal."""
        self._let_go(at)
        self._held = kind, good, at
        if not final:
            self._let_go(at)

    def _let_go(self, at: int) -> None:
        if self._held is not None:
            (kind, good, _), self._held = self._held, None
            self._queue(Data(kind, (Field(FieldType.HDLC_FCS_OK if good else FieldType.HDLC_FCS_BAD),)), at)

    def end(self, kind: DataKind | None, type_: FieldType, at: int) -> None:
        """The signal ends: its end field if it had data, that of its last frame if it still waits, and no-signal."""
        if self._held is not None:
            kind, good, _ = self._held
            type_, self._held = FieldType.HDLC_FCS_OK_SIG_END if good else FieldType.HDLC_FCS_BAD_SIG_END, None
        self._queue(None if kind is None else Data(kind, (Field(type_),)), at, end=True)

    def _queue(self, packet: Packet | None, at: int, *, end: bool = False) -> None:
        """Whole frames come at once, and many packets at once overtake each other on their way."""
        self._backlog.append((packet, end))
        self._run(at)

    def _run(self, at: int) -> None:
        if self._backlog and at - self._paced >= PACE:
            self._paced = at
            self._say(*self._backlog.popleft(), at)

    def _say(self, packet: Packet | None, end: bool, at: int) -> None:
        self._silent = end
        if not end and packet is not None:
            self._catch_up(at)
            self._send(at, packet)
            return
        if packet is None:
            self._catch_up(at)
        else:
            self._repeat(packet, at, self._end_repeats)
        silence = Indicator(IndicatorKind.NO_SIGNAL)
        self._waiting += [(at + TAIL + SPACING * number, silence) for number in range(self._repeats)]

    def _repeat(self, packet: Packet, at: int, times: int) -> None:
        self._catch_up(at)
        self._send(at, packet)
        self._waiting += [(at + SPACING * number, packet) for number in range(1, times)]

    def _catch_up(self, at: int) -> None:
        """Something newer is said: what still waits is told once or, where it was told before, not at all."""
        last = None
        while self._waiting:
            _, packet = self._waiting.popleft()
            if packet not in (last, self._said):
                self._send(at, packet)
            last = packet

    def _send(self, at: int, packet: Packet) -> None:
        self._said, self._spoke = packet, at
        self.datagrams.append(self._sender.datagram(ifp.encode(packet, self.form)))
