"""The frames of T.30 that pass a gateway: what it changes in them, and what it learns from them [T.38 6.2]."""

from __future__ import annotations

from dataclasses import dataclass

from faxcore.errors import FrameError
from faxcore.options import RATES, Options
from faxcore.signals import Modulation
from faxcore.t30.capabilities import Parameters, parse_continue
from faxcore.t30.frames import FCF, REVERSED, Frame, parse_frame, parse_frames

_PRIVATE = {REVERSED[fcf | x] for fcf, x in ((FCF.NSF, 0), (FCF.NSC, 0), (FCF.NSS, 0), (FCF.NSS, 0x80))}
_OFFERS = {REVERSED[FCF.DIS], REVERSED[FCF.DTC]}
_CHOICES = {REVERSED[FCF.DCS], REVERSED[FCF.DCS | 0x80]}
_FCF_AT, _FIF_AT = 2, 3

_V8, _ECM, _T6, _INTERNET = 6, 27, 31, 123
_RATE_BITS = 11, 12, 13, 14
_RATE_CODES = (("v17", "1101"), ("v29", "1100"), ("v27ter", "0100"))
_RATES_OF_CODE = {"1101": ("v17", "v29", "v27ter"), "1100": ("v29", "v27ter"), "1000": ("v29",), "0100": ("v27ter",)}
_SLOWEST = "0000"    # V.27ter at 2400 bit/s only


COMMANDS = {FCF.DIS, FCF.DTC, FCF.DCS, FCF.CTC, FCF.EOM, FCF.MPS, FCF.EOP, FCF.PPS, FCF.EOR, FCF.RR, FCF.EOS,
            FCF.PRI_EOM, FCF.PRI_MPS, FCF.PRI_EOP}    # fmt: skip
"""What a terminal repeats until it is answered."""


def last_of(frames: tuple[bytes, ...]) -> FCF:
    """What a signal of these frames says in the end."""
    found = parse_frames(frames[-1:])
    return found[0].fcf if found else FCF.UNKNOWN


class Editor:
    """Changes the octets of one frame as they pass, first bit least significant; nothing is set that was not there.

    DIS and DTC offer only what `options` and a gateway can carry, private frames lose their contents and with them
    their meaning, and nobody takes the far end for an internet aware terminal. `refused`: CFR becomes FTT.
    """

    def __init__(self, options: Options, *, refused: bool = False) -> None:
        self._options, self._refused = options, refused
        self._fcf = -1
        self._length = 0

    def edit(self, octets: bytes) -> bytes:
        """The next octets of the frame."""
        return bytes(self._octet(octet) for octet in octets)

    def _octet(self, octet: int) -> int:
        at, self._length = self._length, self._length + 1
        if at == _FCF_AT:
            self._fcf = octet
            if self._refused and octet & 0xFE == REVERSED[FCF.CFR]:
                return REVERSED[FCF.FTT] | octet & 1
        if at < _FIF_AT:
            return octet
        first = 8 * (at - _FIF_AT) + 1
        if self._fcf in _PRIVATE:
            return 0
        if self._fcf in _OFFERS:
            return self._offer(octet, first)
        return _without(octet, first, (_INTERNET,)) if self._fcf in _CHOICES else octet

    def _offer(self, octet: int, first: int) -> int:
        banned = (_V8, _INTERNET) if self._options.ecm else (_V8, _INTERNET, _ECM, _T6)
        octet = _without(octet, first, banned)
        return _slower(octet, self._options) if first == 9 else octet


def _without(octet: int, first: int, bits: tuple[int, ...]) -> int:
    for bit in bits:
        if first <= bit < first + 8:
            octet &= ~(1 << bit - first)
    return octet


def _slower(octet: int, options: Options) -> int:
    """The second octet of DIS, its modulations cut down to those that both ends and the gateway have."""
    code = "".join(str(octet >> bit - 9 & 1) for bit in _RATE_BITS)
    offered = _RATES_OF_CODE.get(code, ("v27ter",) if code == _SLOWEST else ("v29", "v27ter"))
    carried = [name for name in offered if name in options.modulations and _carries(name, options)]
    new = next((c for name, c in _RATE_CODES if name in carried), _SLOWEST)
    if code == _SLOWEST or (new == "0100" and options.max_rate < 4800):
        new = _SLOWEST
    elif new == "1100" and carried == ["v29"]:
        new = "1000"
    for bit, value in zip(_RATE_BITS, new, strict=True):
        octet = octet & ~(1 << bit - 9) | int(value) << bit - 9
    return octet


def _carries(name: str, options: Options) -> bool:
    """A modulation is offered with all its rates or not at all; V.27ter may be offered without the faster one."""
    return options.max_rate >= (2400 if name == "v27ter" else max(RATES[name]))


@dataclass(slots=True)
class Conversation:
    """What the frames that have passed say about the signals to come. `from_line`: the pages come from
    the telephone line; `training`: a training check comes next; `line_bits`: the least bits of a line."""

    from_line: bool | None = None
    modulation: Modulation | None = None
    ecm: bool = False
    training: bool = False
    line_bits: int = 0
    over: bool = False
    far_end_spoke: bool = False
    line_frames: int = 0

    def hear(self, octets: bytes, *, from_line: bool) -> Frame | None:
        """Take a frame with a good FCS; None if it is none of T.30."""
        try:
            frame = parse_frame(octets)
        except FrameError:
            return None
        self.far_end_spoke = self.far_end_spoke or not from_line
        self.line_frames += from_line
        match frame.fcf:
            case FCF.DCS:
                chosen = Parameters.parse(frame.fif)
                self.from_line, self.training = from_line, True
                self.modulation, self.ecm, self.line_bits = chosen.modulation, chosen.ecm, chosen.min_line_bits
            case FCF.CTC:
                self.from_line, self.training = from_line, False
                self.modulation = parse_continue(frame.fif)
            case FCF.CFR:
                self.training = False
                self._shorten()
            case FCF.DCN:
                self.over = True
        return frame

    def burst_ended(self) -> None:
        """A fast signal was heard: the next one has the short training, unless a frame says otherwise."""
        if not self.training:
            self._shorten()

    def _shorten(self) -> None:
        if self.modulation is not None and self.modulation.name == "v17":
            self.modulation = self.modulation._replace(short=True)

    @property
    def expected(self) -> Modulation | None:
        """The fast signal that comes next, None before a choice was heard or where a reserved code was chosen."""
        return self.modulation if self.modulation is not None and self.modulation.bit_rate else None

    @property
    def framed(self) -> bool:
        """Whether the next fast signal brings frames: error correction, but not its training check."""
        return self.ecm and not self.training

