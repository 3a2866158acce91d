"""IFP packets as the signal stream: what begins, its octets, its frames, what ends [T.38 7, 8]."""

from __future__ import annotations

from typing import NamedTuple

from faxcore import units
from faxcore.carrier.collecting import FINAL_FRAME
from faxcore.carrier.modulations import CARRIED, TRAINED, training_seconds
from faxcore.carrier.timing import TCF_SECONDS
from faxcore.hdlc import Frame
from faxcore.signals import (
    V21,
    FrameEnds,
    Modulation,
    Octets,
    SignalBegins,
    SignalEnds,
    SignalFades,
    SignalItem,
    SignalReturns,
)
from faxcore.t38.ifp import Data, DataKind, Field, FieldType, Indicator, IndicatorKind, Packet, line_order

FINAL_SILENCE = units.samples(1.0)
"""After a final frame, packets that stay away say that the signal's end was lost."""

V21_SILENCE = units.samples(3.0)
FAST_SILENCE = units.samples(15.0)
TCF_MARGIN = units.samples(0.5)
"""A local TCF counts as over so long after it should be."""

CUT = bytes(2)
"""In the place of lost page data: a run of zeros in the middle of a line, which no decoder takes for a good one."""

LONGEST_FRAME = 1024
"""Octets: a frame has 260 at most, and its end may be lost."""

_ENDS_FRAME = {FieldType.HDLC_FCS_OK, FieldType.HDLC_FCS_BAD, FieldType.HDLC_FCS_OK_SIG_END,
               FieldType.HDLC_FCS_BAD_SIG_END}  # fmt: skip
_GOOD = {FieldType.HDLC_FCS_OK, FieldType.HDLC_FCS_OK_SIG_END}
_ENDS_SIGNAL = {FieldType.HDLC_SIG_END, FieldType.HDLC_FCS_OK_SIG_END, FieldType.HDLC_FCS_BAD_SIG_END,
                FieldType.T4_NON_ECM_SIG_END}  # fmt: skip
_FIELDS = _ENDS_FRAME | _ENDS_SIGNAL | {FieldType.HDLC_DATA, FieldType.T4_NON_ECM_DATA}


class Heard(NamedTuple):
    """An item of the signal that began at `began`. `raw`: its octets are no frame's but the bits of the carrier."""

    began: int
    fast: bool
    item: SignalItem
    raw: bool = False


class PacketStream:
    """Packets in order to items; times in samples of line time.

    A signal begins with its indicator or, where that is late or lost, with its data. It ends with its end field,
    with no-signal, with the next signal or with silence. Repeats are known by their meaning: peers send key packets
    three times under new numbers. `local_tcf`: TCF is not carried, a training alone stands for it [T.38 8.1].
    """

    def __init__(self, *, local_tcf: bool = False) -> None:
        self.open: Modulation | None = None
        self.began = 0
        self._local_tcf = local_tcf
        self._has_data = self._raw = self._final = self._damaged = False
        self._frame = bytearray()
        self._before: Packet | None = None
        self._at = 0
        self._kind = DataKind.V21
        self._out: list[Heard] = []

    @property
    def deadline(self) -> int | None:
        """When silence will end the open signal; None where none is open."""
        if self.open is None:
            return None
        if self.open == V21:
            return self._at + (FINAL_SILENCE if self._final and not self._frame else V21_SILENCE)
        if self._local_tcf and not self._has_data:
            return self.began + units.samples(training_seconds(self.open) + TCF_SECONDS) + TCF_MARGIN
        return self._at + FAST_SILENCE

    def push(self, packet: Packet, at: int) -> list[Heard]:
        """The items that a packet brings."""
        repeated, self._before = packet == self._before, packet
        self._at = at
        if isinstance(packet, Indicator):
            self._indicator(packet.kind, at)
        elif not (repeated and any(field.type in _ENDS_FRAME | _ENDS_SIGNAL for field in packet.fields)):
            self._data(packet, at)
        return self._taken()

    @property
    def plain(self) -> tuple[DataKind, bool] | None:
        """The kind of data that a fast signal goes on with, and whether it is raw; None where that is not certain."""
        return (self._kind, self._raw) if self._has_data and not self._damaged and self.open != V21 else None

    def go_on(self, octets: bytes, began: int, at: int) -> list[Heard]:
        """More raw data, from time `began` to `at`, in the order of the line."""
        self._before, self._at = None, at
        self._put(Octets(began, octets))
        return self._taken()

    def frames(self, octets: bytes, ends: list[int], at: int) -> list[Frame]:
        """The frames that more data up to time `at` ends, in the order of the line."""
        self._before, self._at, begin = None, at, 0
        out = []
        for end in ends:
            frame = octets[begin:end]
            if self._frame:
                frame = bytes(self._frame) + frame
                self._frame.clear()
            out.append(Frame(frame, frame[0] == 0xFF and len(frame) <= LONGEST_FRAME, end))
            begin = end
        self._frame += octets[begin:]
        if len(self._frame) > LONGEST_FRAME:
            del self._frame[LONGEST_FRAME:]
            self._damaged = True
        return out

    def lost(self, at: int) -> list[Heard]:
        """Packets are missing here: a frame that has begun is damaged, a page loses lines."""
        self._before = None
        if self.open is not None and self._raw:
            self._put(SignalFades(self._at))
            self._put(Octets(at, CUT))
            self._put(SignalReturns(at))
        self._damaged = bool(self._frame)
        return self._taken()

    def silence(self, at: int) -> list[Heard]:
        """Nothing came until `deadline`: the open signal is over."""
        self._end(at)
        return self._taken()

    def _taken(self) -> list[Heard]:
        out, self._out = self._out, []
        return out

    def _put(self, item: SignalItem) -> None:
        self._out.append(Heard(self.began, self.open != V21, item, self._raw))

    def _indicator(self, kind: IndicatorKind, at: int) -> None:
        modulation = V21 if kind is IndicatorKind.V21_PREAMBLE else TRAINED.get(kind)
        if modulation is not None and not self._is_repeat(modulation):
            self._begin(modulation, at)
        elif kind is IndicatorKind.NO_SIGNAL:
            self._end(at)

    def _is_repeat(self, modulation: Modulation) -> bool:
        """Some repeat the indicator while its signal goes on; one of V.21 after a frame begins the next signal."""
        return modulation == self.open and (modulation != V21 or not self._has_data or bool(self._frame))

    def _begin(self, modulation: Modulation, at: int) -> None:
        self._end(at)
        self.open, self.began = modulation, at
        self._has_data = self._raw = self._final = self._damaged = False
        self._frame.clear()
        if modulation == V21:
            self._put(SignalBegins(at, modulation))

    def _end(self, at: int) -> None:
        if self.open is None:
            return
        if self._frame:
            self._frame_ends(at, False)
        if self._local_tcf and not self._has_data and self.open != V21 and not self.open.short:
            self._raw = True
            self._add(bytes(round(TCF_SECONDS * self.open.bit_rate / 8)), at)
        self._put(SignalEnds(at, trained=self._has_data or self.open == V21))
        self.open, self._has_data = None, False

    def _data(self, packet: Data, at: int) -> None:
        modulation = CARRIED.get(packet.kind)
        if modulation is None:
            return
        self._kind = packet.kind
        for field in packet.fields:
            if field.type in _FIELDS:
                self._field(modulation, field, at)

    def _field(self, modulation: Modulation, field: Field, at: int) -> None:
        if field.octets:
            if self.open is None or (self.open == V21) != (modulation == V21):
                self._begin(modulation, at)
            self._raw = field.type in (FieldType.T4_NON_ECM_DATA, FieldType.T4_NON_ECM_SIG_END)
            self._add(line_order(field.octets), at)
        if field.type in _ENDS_FRAME and self._frame:
            self._frame_ends(at, field.type in _GOOD)
        if field.type in _ENDS_SIGNAL and self._has_data:
            self._end(at)

    def _add(self, octets: bytes, at: int) -> None:
        if not self._has_data and self.open is not None and self.open != V21:
            self._put(SignalBegins(at, self.open))
        self._has_data = True
        if self._raw:
            self._put(Octets(at, octets))
        elif len(self._frame) + len(octets) <= LONGEST_FRAME:
            self._frame += octets
        else:
            self._damaged = True

    def _frame_ends(self, at: int, good: bool) -> None:
        frame, damaged = bytes(self._frame), self._damaged
        self._frame.clear()
        self._damaged = False
        whole = good and not damaged and frame[0] == 0xFF
        self._final = whole and len(frame) > 1 and bool(frame[1] & FINAL_FRAME)
        self._put(Octets(at, frame))
        self._put(FrameEnds(at, whole))
