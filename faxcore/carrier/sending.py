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
SPACING = 0.02  # between repeats: a short burst of losses shall not take all
CNG_PERIOD = 3.5  # [T.30 4.2]
POLL = 0.02  # while a page is not drawn yet
V21_OCTETS = 7  # in a packet, at most [T.38 7.5]
FRAME_OVERHEAD_BITS = 24  # FCS and a flag
PADDING_CHUNKS = 3  # of zeros behind a page: some relays drop the carrier early
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

    def order(self, transmissions: tuple[orders.Transmission, ...], at: float) -> Timeline:
        """All transmissions of an Order from `at` on; Said after the last one, before its tail."""
        for number, item in enumerate(transmissions):
            end, tail = yield from self._signal(item, at)
            if number + 1 == len(transmissions):
                yield Said(end)
            self.fraction = None
            at = end
            if tail:
                yield from self.indicate(IndicatorKind.NO_SIGNAL, end + TAIL)
                at = end + TAIL
        return at

    def indicate(self, kind: IndicatorKind, at: float) -> Iterator[Emission]:
        """An indicator, as often as it is repeated."""
        return self._repeated(Indicator(kind), at)

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
                return at + seconds, False
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
        return (yield from self._frames(frames, at + PREAMBLE_SECONDS))

    def _fast_frames(
        self, modulation: Modulation, frames: tuple[bytes, ...], before: float, share: float, at: float
    ) -> Generator[Step, None, float]:
        at = yield from self._train(modulation, at)
        burst = self._burst(modulation, frames, at + ECM_FLAGS_SECONDS, raw=False, page=(before, share))
        yield burst
        yield from self._end(Data(data_kind(modulation), (Field(FieldType.HDLC_FCS_OK_SIG_END),)), burst.end)
        return burst.end

    def _burst(
        self, modulation: Modulation, parts: Sequence[bytes], at: float, *, raw: bool,
        page: tuple[float, float] | None = None,
    ) -> Burst:  # fmt: skip
        kind, rate = data_kind(modulation), modulation.bit_rate
        return pack(parts, kind, self.form, self._chunk(modulation), raw=raw, at=at, bit_rate=rate, page=page)

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

    def _train(self, modulation: Modulation, at: float) -> Generator[Step, None, float]:
        yield from self.indicate(TRAINING[modulation], at)
        return at + training_seconds(modulation)

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
        return max(1, min(int(self.settings.chunk * modulation.bit_rate / 8), self.largest))


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
