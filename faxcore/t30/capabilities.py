"""DIS, DTC and DCS: the field, what it means, and how a sender chooses [T.30 table 2]."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from faxcore.options import RATES, Options
from faxcore.page import (
    FINE,
    INCH,
    LINES_MM,
    METRIC,
    PAPER_SLACK,
    R16,
    RESOLUTIONS,
    STANDARD,
    SUPERFINE,
    Paper,
    Resolution,
    line_pels,
    steps,
)
from faxcore.signals import Modulation
from faxcore.t30.dis_bits import Bits, build_field, parse_field

DOCUMENT, RECEIVES = 9, 10
INTERNET = 123
"""An internet-aware device over T.38: no training check, no rates of modems."""
FNV, PSA, SEP, SUB, PWD_SID = 33, 35, 47, 49, 50
"""Bits for addresses and their refusal; 50 means PWD in DIS and DTC and SID in DCS."""

# Bits 11 12 13 14 of DIS, the richest first; a code that is not here means V.27ter and V.29 [T.30 table 2, note 3.2].
_OFFERS = {
    "1101": ("v17", "v29", "v27ter"),
    "1100": ("v29", "v27ter"),
    "1000": ("v29",),
    "0100": ("v27ter",),
}
_OFFER_FALLBACK_2400 = "0000"

# Bits 11 12 13 14 of DCS.
_RATE_CODES = {
    Modulation("v27ter", 2400): "0000",
    Modulation("v27ter", 4800): "0100",
    Modulation("v29", 9600): "1000",
    Modulation("v29", 7200): "1100",
    Modulation("v17", 14400): "0001",
    Modulation("v17", 12000): "0101",
    Modulation("v17", 9600): "1001",
    Modulation("v17", 7200): "1101",
}
RESERVED_RATE = Modulation("reserved", 0)
_RATES_BY_CODE = {code: modulation for modulation, code in _RATE_CODES.items()}

# Bits 17 18 and 19 20. Both bits set is invalid: the width is then read as the largest, the length as unlimited.
_WIDTHS_MM = {"00": (215,), "10": (215, 255), "01": (215, 255, 303), "11": (215, 255, 303)}
_WIDTH_CODES = {215: "00", 255: "10", 303: "01"}
_LENGTHS = {"00": ("A4",), "10": ("A4", "B4"), "01": ("unlimited",), "11": ("unlimited",)}
_LENGTH_BITS = {"A4": (), "B4": (19,), "unlimited": (20,), "letter": (76,), "legal": (77,)}
LENGTHS_MM = {"A4": 297.0, "B4": 364.0, "unlimited": None, "letter": 279.4, "legal": 355.6}

# Bits 21 22 23: milliseconds a line at 3.85 and at 7.7 lines/mm. Only DIS has the codes with two times.
_SCAN_MS = {
    "000": (20, 20), "001": (40, 40), "010": (10, 10), "100": (5, 5),
    "011": (10, 5), "110": (20, 10), "101": (40, 20), "111": (0, 0),
}  # fmt: skip
_SCAN_CODES = {20: "000", 40: "001", 10: "010", 5: "100", 0: "111"}

# Resolution bits in the order a receiver looks at them [T.30 table 2]: what the bit means with bit 44 = 0 and = 1.
_RESOLUTIONS: dict[int | None, tuple[Resolution, Resolution]] = {
    106: (Resolution("1200x1200", 1200, 1200),) * 2,
    109: (Resolution("600x1200", 600, 1200),) * 2,
    105: (Resolution("600x600", 600, 600),) * 2,
    108: (Resolution("400x800", 400, 800),) * 2,
    43: (R16, RESOLUTIONS["400x400"]),
    107: (Resolution("300x600", 300, 600),) * 2,
    42: (RESOLUTIONS["300x300"],) * 2,
    41: (SUPERFINE, RESOLUTIONS["200x400"]),
    15: (FINE, RESOLUTIONS["200x200"]),
    None: (STANDARD, RESOLUTIONS["200x100"]),
}
_RESOLUTION_BITS = {resolution: bit for bit, both in _RESOLUTIONS.items() for resolution in both}
_INCH = 44
_INCH_BITS: dict[Resolution, Bits] = {metric: frozenset() for metric, _ in _RESOLUTIONS.values()} | {
    inch: frozenset({_INCH}) for metric, inch in _RESOLUTIONS.values() if inch != metric
}


def _code(bits: Bits, *numbers: int) -> str:
    return "".join("1" if number in bits else "0" for number in numbers)


def _ones(code: str, first: int) -> set[int]:
    return {first + index for index, bit in enumerate(code) if bit == "1"}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a DIS or DTC says."""

    bits: Bits

    @classmethod
    def parse(cls, fif: bytes) -> Capabilities:
        """Of the field of DIS or DTC, first bit sent least significant; never raises."""
        return cls(parse_field(fif))

    @property
    def can_receive(self) -> bool:
        """The terminal can receive a fax document."""
        return RECEIVES in self.bits

    @property
    def has_document(self) -> bool:
        """A document is ready to be polled."""
        return DOCUMENT in self.bits

    @property
    def ecm(self) -> bool:
        """Error correction mode."""
        return 27 in self.bits

    @property
    def codings(self) -> tuple[str, ...]:
        """Codings this engine knows too; "mmr" only where ECM, which it needs, is there."""
        return tuple(
            coding for coding, there in (("mmr", {27, 31} <= self.bits), ("mr", 16 in self.bits), ("mh", True)) if there
        )

    @property
    def modulations(self) -> tuple[Modulation, ...]:
        """Every modulation and rate that may be used towards this terminal [T.30 table 2, bits 11-14]."""
        code = _code(self.bits, 11, 12, 13, 14)
        if code == _OFFER_FALLBACK_2400:
            return (Modulation("v27ter", 2400),)
        return tuple(Modulation(name, rate) for name in _OFFERS.get(code, _OFFERS["1100"]) for rate in RATES[name])

    @property
    def widths_mm(self) -> tuple[int, ...]:
        """Recording widths."""
        return _WIDTHS_MM[_code(self.bits, 17, 18)]

    @property
    def lengths(self) -> tuple[str, ...]:
        """Recording lengths, out of "A4", "B4" and "unlimited"."""
        return _LENGTHS[_code(self.bits, 19, 20)]

    def takes(self, resolution: Resolution) -> bool:
        """The terminal takes pages of this resolution."""
        bit = _RESOLUTION_BITS[resolution]
        return bit is None or bit in self.bits

    def scan_ms(self, resolution: Resolution) -> float:
        """Minimum time of a coded line in milliseconds [T.30 table 2, bits 21-23 and 46; T.4 3]."""
        at_standard, at_fine = _SCAN_MS[_code(self.bits, 21, 22, 23)]
        match steps(resolution):
            case _, 1:
                return at_standard
            case _, 2:
                return at_fine
            case 2, 4:
                return at_fine / 2 if 46 in self.bits else at_fine
            case _:
                return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a DCS sets for the pages that follow.

    `modulation` is RESERVED_RATE for a reserved code; `width_mm`, `length`, `scan_ms` as in `Capabilities`;
    `ecm_frame` in octets; `sub` and `sid`: SUB and SID come in the same signal; `internet`: without
    modems, and `modulation` says nothing.
    """

    modulation: Modulation
    resolution: Resolution = STANDARD
    coding: str = "mh"
    width_mm: int = 215
    length: str = "A4"
    scan_ms: int = 20
    ecm: bool = False
    ecm_frame: int = 256
    sub: bool = False
    sid: bool = False
    fnv: bool = False
    internet: bool = False

    @property
    def page_modulation(self) -> Modulation:
        """What pages use: the short training, where there is one, since TCF had the long one [T.30 5, note 5]."""
        return self.modulation._replace(short=self.modulation.name == "v17")

    @property
    def min_line_bits(self) -> int:
        """Least bits of a coded line, FILL included [T.4 3]."""
        return math.ceil(self.modulation.bit_rate * self.scan_ms / 1000) if not self.ecm else 0

    @property
    def line_pels(self) -> int:
        """Pels in a line."""
        return line_pels(self.width_mm, self.resolution)

    @classmethod
    def parse(cls, fif: bytes) -> Parameters:
        """Of the field of DCS, first bit sent least significant; never raises."""
        bits = parse_field(fif)
        resolution = next(both for bit, both in _RESOLUTIONS.items() if bit is None or bit in bits)
        return cls(
            modulation=_RATES_BY_CODE.get(_code(bits, 11, 12, 13, 14), RESERVED_RATE),
            internet=INTERNET in bits and not bits & {11, 12, 13, 14},
            resolution=resolution[_INCH in bits],
            coding=_coding_set(bits),
            width_mm=_WIDTHS_MM[_code(bits, 17, 18)][-1],
            length=_length_set(bits),
            scan_ms=_SCAN_MS[_code(bits, 21, 22, 23)][0],
            ecm=27 in bits,
            ecm_frame=64 if 28 in bits else 256,
            sub=SUB in bits,
            sid=PWD_SID in bits,
            fnv=FNV in bits,
        )

    def build(self) -> bytes:
        """The field of DCS [T.30 table 2]: for codings and resolutions that this engine sends."""
        bits = {RECEIVES} | _ones(_SCAN_CODES[self.scan_ms], 21)
        bits |= {INTERNET} if self.internet else _ones(_RATE_CODES[self.modulation], 11)
        bits |= _ones(_WIDTH_CODES[self.width_mm], 17) | set(_LENGTH_BITS[self.length])
        resolution = _RESOLUTION_BITS[self.resolution]
        bits |= {resolution} if resolution else set()
        bits |= _INCH_BITS[self.resolution]
        bits |= {"mh": set(), "mr": {16}, "mmr": {31}}[self.coding]
        bits |= {27} if self.ecm else set()
        bits |= {28} if self.ecm and self.ecm_frame == 64 else set()
        bits |= {bit for bit, said in ((SUB, self.sub), (PWD_SID, self.sid), (FNV, self.fnv)) if said}
        return build_field(frozenset(bits))


def build_continue(parameters: Parameters) -> bytes:
    """The field of CTC: bits 1 to 16 of DCS, of which only the rate counts [T.30 A.4.1]."""
    return build_field(frozenset(_ones(_RATE_CODES[parameters.modulation], 11)))[:2]


def parse_continue(fif: bytes) -> Modulation:
    """The rate that CTC sets; RESERVED_RATE where it sets none."""
    return _RATES_BY_CODE.get(_code(parse_field(fif), 11, 12, 13, 14), RESERVED_RATE)


ANYTHING = Capabilities(frozenset(range(1, 128)))
"""A far end that takes all, before it has said what it takes."""

NOTHING_SET = Parameters(modulation=Modulation("", 0), resolution=Resolution("", 0, 0), coding="")
"""Before the first DCS."""


def _coding_set(bits: Bits) -> str:
    for coding, bit in (("t85-l0", 79), ("t85", 78), ("mmr", 31), ("mr", 16)):
        if bit in bits and (bit == 16 or 27 in bits):
            return coding
    return "mh"


def _length_set(bits: Bits) -> str:
    for length, bit in (("legal", 77), ("letter", 76)):
        if bit in bits and not bits & {19, 20}:
            return length
    return _LENGTHS[_code(bits, 19, 20)][-1]


ANY_RESOLUTION = frozenset({15, 41, 42, 43, 44, 45})


def own_capabilities(options: Options, *, internet: bool = False) -> bytes:
    """The field of our DIS: what `options` let us receive; any resolution and length, no minimum time of a line."""
    return build_field(_receives(options) | {SUB, PWD_SID} | ({INTERNET} if internet else set()))


def polled_capabilities(options: Options) -> bytes:
    """The field of the DIS of a terminal that has a document to be polled and receives none."""
    return build_field(_receives(options) - {RECEIVES} | {DOCUMENT, SEP, PSA, PWD_SID})


def own_poll(options: Options, asked: Bits) -> bytes:
    """The field of our DTC: what `options` let us receive, and which of SEP, PSA and PWD are `asked` with it."""
    return build_field(_receives(options) | asked)


def _receives(options: Options) -> Bits:
    wanted = set(options.modulations)
    code = min((code for code in _OFFERS if wanted <= set(_OFFERS[code])), key=lambda code: len(_OFFERS[code]))
    bits = {RECEIVES, 20, FNV} | ANY_RESOLUTION | _ones(code, 11) | _ones(_SCAN_CODES[0], 21)
    bits |= _ones(_WIDTH_CODES[LINES_MM[options.width]], 17)
    bits |= {16} if "mr" in options.codings else set()
    bits |= {27} if options.ecm else set()
    bits |= {31} if options.ecm and "mmr" in options.codings else set()
    return frozenset(bits)


def rate_ladder(far: Capabilities, options: Options) -> tuple[Modulation, ...]:
    """Modulations to try, fastest first; at each rate the one that `options` prefer. Empty: nothing in common."""
    preferred: dict[int, Modulation] = {}
    for name in options.modulations:
        for modulation in far.modulations:
            if modulation.name == name and options.min_rate <= modulation.bit_rate <= options.max_rate:
                preferred.setdefault(modulation.bit_rate, modulation)
    return tuple(preferred[rate] for rate in sorted(preferred, reverse=True))


class Form(NamedTuple):
    """What DCS says of the size of pages: fields as in `Parameters`."""

    resolution: Resolution
    width_mm: int
    length: str

    @property
    def length_mm(self) -> float | None:
        """The longest page; None: any."""
        return LENGTHS_MM[self.length]


def choose_form(far: Capabilities, wanted: Resolution, paper: Paper, options: Options) -> Form:
    """The form for a page that needs `paper`: as wanted, or the next less that the far end takes."""
    widest = min(paper.width_mm, LINES_MM[options.width])
    width_mm = max(width for width in far.widths_mm if width <= widest)
    return Form(choose_resolution(far, wanted), width_mm, _choose_length(far, width_mm, paper.length_mm))


SMALLEST = 0.5  # of its own size: what is smaller nobody can read


def too_large(form: Form, paper: Paper, *, adapt: bool) -> bool:
    """The page does not fit as it is or, where it may `adapt`, made smaller."""
    longest = math.inf if form.length_mm is None else form.length_mm * PAPER_SLACK
    if adapt:
        return paper.length_mm * SMALLEST > longest
    return paper.length_mm > longest or paper.width_mm > form.width_mm


def choose_resolution(far: Capabilities, wanted: Resolution) -> Resolution:
    """`wanted`, or the next lower one of its family that the far end takes."""
    family = METRIC if wanted in METRIC else INCH
    return next(resolution for resolution in family[family.index(wanted) :: -1] if far.takes(resolution))


def _choose_length(far: Capabilities, width_mm: int, length_mm: float) -> str:
    """The longest that DIS allows; North American paper where the page is of its size [T.30 table 2, bits 76, 77]."""
    longest = far.lengths[-1]
    if longest != "unlimited" and width_mm == 215:
        if 76 in far.bits and math.isclose(length_mm, 279.4, abs_tol=2):
            return "letter"
        if 77 in far.bits and 297 < length_mm <= 358:
            return "legal"
    return longest


def choose_coding(far: Capabilities, options: Options) -> str | None:
    """The first of our codings that the far end takes, or None. MMR waits for ECM [T.30 table 2, bit 31]."""
    usable = [coding for coding in options.codings if coding in far.codings and (options.ecm or coding != "mmr")]
    return usable[0] if usable else None


def choose_parameters(
    far: Capabilities, modulation: Modulation, form: Form, coding: str, options: Options
) -> Parameters:
    """The DCS for pages of a form of ours, at the line time that the far end asked for [T.30 table 2]."""
    ecm = options.ecm and far.ecm
    scan_ms = 0 if ecm else far.scan_ms(form.resolution)
    return Parameters(
        ecm=ecm,
        ecm_frame=64 if 7 in far.bits else 256,
        modulation=modulation,
        resolution=form.resolution,
        coding=coding,
        width_mm=form.width_mm,
        length=form.length,
        sub=options.sub_address is not None and SUB in far.bits,
        sid=options.sender_id is not None and PWD_SID in far.bits,
        fnv=FNV in far.bits,
        scan_ms=5 if 0 < scan_ms < 5 else round(scan_ms),  # half of 5 ms stays 5: DCS has no code for less
    )
