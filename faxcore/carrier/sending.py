"""What a packet terminal says and when: each signal of T.30 as IFP packets on the clock of the line [T.38 7, 8].

The far end may be a gateway whose modem plays what we send, so packets go out at the speed of the line they stand
for, and no earlier than its preamble or training lasts.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from faxcore.carrier.bulk import Burst, pack
from faxcore.carrier.modulations import DATA, TRAINING, training_seconds
from faxcore.carrier.timing import BRIDGE_SECONDS, ECM_FLAGS_SECONDS, TCF_SECONDS, too_late
from faxcore.options import T38
from faxcore.signals import V21, Modulation
from faxcore.t30 import orders
from faxcore.t38.ifp import Data, DataKind, Field, FieldType, Form, Indicator, IndicatorKind, Packet, line_order

CED_SECONDS = 3.0
PREAMBLE_SECONDS = 1.0  # 850 ms are legal, some boxes fail below 1 s
TAIL = 0.08  # from a signal's end to no-signal
INTERVAL = 0.001  # between packets where the far end needs no time: no network drops what it has no room for
SPACING = 0.02  # between repeats: a short burst of losses shall not take all
CNG_PERIOD = 3.5  # [T.30 4.2]
POLL = 0.02  # while a page is not drawn yet
V21_OCTETS = 7  # in a packet, at most [T.38 7.5]
FRAME_OVERHEAD_BITS = 24  # FCS and a flag
PADDING_CHUNKS = 3  # of zeros behind a page: some relays drop the carrier early
PACKET_OVERHEAD = 8  # octets of UDPTL and IFP around one field
LONGEST_FILL = 14  # zeros that fill removal leaves; an EOL has 11


class Emission(NamedTuple):
    """A packet and when it goes out, in seconds of line time; no packet: only a look at the clock."""

    at: float
    packet: Packet | None


class Said(NamedTuple):
    """An Order's last signal is over: what follows is only its tail."""

    at: float


Step = Emission | Burst
Timeline = Generator[Step | Said, None, float]
"""Steps in order of time; its value is when the next signal may begin."""

NO_SIGNAL = Indicator(IndicatorKind.NO_SIGNAL)


class Signals:
    """Makes the timeline of an Order.

    `largest`: octets of data that one packet may carry; `form`: how packets are coded. `fraction`: how much of the
    page that is on the line was sent, None where there is none. `wait_for_pages`: virtual time, where a page is
    waited for.
    """

    def __init__(self, settings: T38, *, largest: int) -> None:
        self.settings, self.largest = settings, largest
        self.form = Form.of_version(settings.version)
        self.fraction: float | None = None
        self.wait_for_pages = False
        self._at_once = False

    def order(self, order: orders.Order, at: float) -> Timeline:
        """All transmissions of an Order from `at` on; Said after the last one, before its tail."""
        self._at_once = order.at_once
        gap = 0.0 if order.at_once else TAIL
        for number, item in enumerate(order.transmit):
            end, tail = yield from self._signal(item, at)
            last = number + 1 == len(order.transmit)
            if last:
                yield Said(end)
            self.fraction = None
            at = end
            if tail and (last or not order.at_once):
                yield from self._repeated(NO_SIGNAL, end + gap)
                at = end + gap
        return at

    def indicate(self, kind: IndicatorKind, at: float) -> Iterator[Emission]:
        """An indicator, as often as it is repeated; once where its data follows at once and brings it along."""
        return iter((Emission(at, Indicator(kind)),)) if self._at_once else self._repeated(Indicator(kind), at)

    def _repeated(self, packet: Packet, at: float) -> Iterator[Emission]:
        for number in range(self.settings.repeats):
            yield Emission(at + SPACING * number, packet)

    def _end(self, packet: Packet, at: float) -> Iterator[Emission]:
        """The end of a signal: once, where no-signal behind it brings it along, since dissectors call a second one
        an error."""
        settings = self.settings
        alone = settings.error_correction == "none" or not (settings.redundancy or settings.error_correction == "fec")
        return self._repeated(packet, at) if alone else iter((Emission(at, packet),))

    def _signal(self, item: orders.Transmission, at: float) -> Generator[Step, None, tuple[float, bool]]:
        """One transmission; when it ends, and whether no-signal is to follow."""
        match item:
            case orders.Silence(seconds):
                return at + (0.0 if self._at_once else seconds), False
            case orders.AnswerTone():
                yield from self.indicate(IndicatorKind.CED, at)
                return at + CED_SECONDS, True
            case orders.CallingTone():
                yield from self._calling_tone(at)
            case orders.Await(source):
                return (yield from self._await(source, at)), False
            case orders.Frames(frames):
                return (yield from self._v21(frames, at)), True
            case orders.TrainingCheck(modulation):
                return (yield from self._training_check(modulation, at)), True
            case orders.FastFrames(modulation, frames, before, share):
                return (yield from self._fast_frames(modulation, frames, before, share, at)), True
            case orders.Image(modulation, source):
                return (yield from self._image(modulation, source, at)), True
        raise TypeError(f"{item!r} cannot be sent as packets")

    def _calling_tone(self, at: float) -> Iterator[Emission]:
        """CNG for as long as nobody cuts it; the far end makes the tone and its pauses [T.38 7.3.1]."""
        yield from self.indicate(IndicatorKind.CNG, at)
        while True:
            at += CNG_PERIOD
            yield Emission(at, Indicator(IndicatorKind.CNG))

    def _await(self, source: orders.ImageSource, at: float) -> Generator[Step, None, float]:
        begin = at
        while not (self.wait_for_pages or source.ready()):
            at += POLL
            if at - begin > BRIDGE_SECONDS:
                raise too_late()
            yield Emission(at, None)
        source.octets()
        return at

    def _v21(self, frames: tuple[bytes, ...], at: float) -> Generator[Step, None, float]:
        yield from self.indicate(IndicatorKind.V21_PREAMBLE, at)
        if self._at_once:
            return (yield from self._frames_at_once(frames, at))
        return (yield from self._frames(frames, at + PREAMBLE_SECONDS))

    def _fast_frames(
        self, modulation: Modulation, frames: tuple[bytes, ...], before: float, share: float, at: float
    ) -> Generator[Step, None, float]:
        at = yield from self._train(modulation, at)
        at += 0.0 if self._at_once else ECM_FLAGS_SECONDS
        burst = self._burst(modulation, frames, at, raw=False, page=(before, share))
        yield burst
        yield from self._end(Data(data_kind(modulation), (Field(FieldType.HDLC_FCS_OK_SIG_END),)), burst.end)
        return burst.end

    def _burst(
        self, modulation: Modulation, parts: Sequence[bytes], at: float, *, raw: bool,
        page: tuple[float, float] | None = None,
    ) -> Burst:  # fmt: skip
        kind, rate, chunk = data_kind(modulation), modulation.bit_rate, self._chunk(modulation)
        if self._at_once:
            rate = round(8 * chunk / INTERVAL)
        return pack(parts, kind, self.form, chunk, raw=raw, at=at, bit_rate=rate, page=page)

    def _frames(self, frames: tuple[bytes, ...], at: float) -> Generator[Step, None, float]:
        """V.21 frames at the speed of the line, each closed when the line would bring its end; the last ends all."""
        size = min(V21_OCTETS, self.largest)
        for number, frame in enumerate(frames):
            octets = line_order(frame)
            seconds = frame_bits(octets) / V21.bit_rate
            for begin in range(0, len(octets), size):
                field = Field(FieldType.HDLC_DATA, octets[begin : begin + size])
                yield Emission(at + seconds * begin / len(octets), Data(DataKind.V21, (field,)))
            at += seconds
            if number + 1 < len(frames):
                yield Emission(at, Data(DataKind.V21, (Field(FieldType.HDLC_FCS_OK),)))
        yield from self._end(Data(DataKind.V21, (Field(FieldType.HDLC_FCS_OK_SIG_END),)), at)
        return at

    def _frames_at_once(self, frames: tuple[bytes, ...], at: float) -> Generator[Emission, None, float]:
        """V.21 frames as fast as packets go, each in as few as hold it."""
        for number, frame in enumerate(frames):
            end = FieldType.HDLC_FCS_OK if number + 1 < len(frames) else FieldType.HDLC_FCS_OK_SIG_END
            for begin in range(0, len(frame), self.largest):
                fields = [Field(FieldType.HDLC_DATA, line_order(frame[begin : begin + self.largest]))]
                if begin + self.largest >= len(frame):
                    fields.append(Field(end))
                yield Emission(at, Data(DataKind.V21, tuple(fields)))
                at += INTERVAL
        return at - INTERVAL

    def _train(self, modulation: Modulation, at: float) -> Generator[Step, None, float]:
        yield from self.indicate(TRAINING[modulation], at)
        return at if self._at_once else at + training_seconds(modulation)

    def _training_check(self, modulation: Modulation, at: float) -> Generator[Step, None, float]:
        """TCF, also where the far end should make its own [T.38 8.1]: SpanDSP's terminals wait for it even then."""
        at = yield from self._train(modulation, at)
        octets = bytes(round(TCF_SECONDS * modulation.bit_rate / 8))
        at = yield from self._octets(modulation, octets, at)
        yield from self._data_end(modulation, at)
        return at

    def _image(self, modulation: Modulation, source: orders.ImageSource, at: float) -> Generator[Step, None, float]:
        self.fraction = 0.0
        at = yield from self._train(modulation, at)
        size = self._chunk(modulation)
        begin = at
        while not (self.wait_for_pages or source.ready()):
            if at - begin > BRIDGE_SECONDS:
                raise too_late()
            at = yield from self._octets(modulation, bytes(size), at)
        octets = source.octets()
        if self.settings.fill_removal:
            octets = without_fill(octets)
        at = yield from self._octets(modulation, octets + bytes(PADDING_CHUNKS * size), at, page=True)
        yield from self._data_end(modulation, at)
        return at

    def _octets(
        self, modulation: Modulation, octets: bytes, at: float, *, page: bool = False
    ) -> Generator[Burst, None, float]:
        """Raw data at the speed of the line."""
        burst = self._burst(modulation, (octets,), at, raw=True, page=(0.0, 1.0) if page else None)
        yield burst
        return burst.end

    def _data_end(self, modulation: Modulation, at: float) -> Iterator[Emission]:
        return self._end(Data(data_kind(modulation), (Field(FieldType.T4_NON_ECM_SIG_END),)), at)

    def _chunk(self, modulation: Modulation) -> int:
        """Octets of data in a packet: some line time, or what leaves room for the repeated ones."""
        settings = self.settings
        wanted = int(settings.chunk * modulation.bit_rate / 8)
        if self._at_once:
            wanted = max(wanted, settings.max_datagram // (1 + settings.redundancy) - PACKET_OVERHEAD)
        return max(1, min(wanted, self.largest))


def data_kind(modulation: Modulation) -> DataKind:
    """The data type of a modulation; both trainings of V.17 have the same one."""
    return DATA[modulation._replace(short=False)]


def frame_bits(octets: bytes) -> int:
    """Bits that a frame takes on the line, with inserted zeros, FCS and a flag; octets in the wire's order."""
    return 8 * len(octets) + bin(int.from_bytes(octets)).count("11111") + FRAME_OVERHEAD_BITS


def without_fill(octets: bytes) -> bytes:
    """A page's octets with runs of zeros cut to 14: less than any FILL, and more than any code [T.38 6.2].

    First bit on the line least significant, before and after.
    """
    bits = np.unpackbits(np.frombuffer(octets, np.uint8), bitorder="little")
    ones = np.flatnonzero(bits)
    position = np.arange(len(bits))
    last = np.zeros(len(bits), np.int64)
    last[ones] = ones + 1
    zeros = position - np.maximum.accumulate(last)
    return np.packbits(bits[(bits == 1) | (zeros < LONGEST_FILL)], bitorder="little").tobytes()
