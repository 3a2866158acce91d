"""DIS from options, DCS from DIS: the choices of a sender [T.30 table 2]."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from faxcore.options import Options
from faxcore.page import FINE, METRIC, R16, RESOLUTIONS, STANDARD, SUPERFINE, Paper, Resolution, line_pels
from faxcore.signals import V29_7200, V29_9600, Modulation
from faxcore.t30.capabilities import (
    Capabilities,
    Form,
    Parameters,
    build_field,
    choose_coding,
    choose_form,
    choose_parameters,
    choose_resolution,
    own_capabilities,
    parse_field,
    rate_ladder,
    too_large,
)
from faxcore.t30.dis_bits import BITS, RESERVED, describe
from tests.t30_support import A4


def of(*bits: int) -> Capabilities:
    return Capabilities(frozenset(bits))


NO_ECM = Options(ecm=False)


def asking(**options: Any) -> Options:
    """Options that the door does not open yet."""
    usual = {"modulations": ("v17", "v29", "v27ter"), "codings": ("mmr", "mr", "mh"), "ecm": False, "width": "a3"}
    return cast(Options, SimpleNamespace(**{**usual, "min_rate": 2400, "max_rate": 14400, **options}))


def test_our_dis() -> None:
    far = Capabilities.parse(own_capabilities(Options(modulations=("v29",), ecm=False)))
    assert far.can_receive
    assert not far.has_document
    assert not far.ecm
    assert set(far.modulations) == {V29_9600, V29_7200}
    assert far.codings == ("mr", "mh")
    assert (far.widths_mm, far.lengths) == ((215, 255, 303), ("unlimited",))
    assert all(far.takes(resolution) and far.scan_ms(resolution) == 0 for resolution in RESOLUTIONS.values())
    assert Capabilities.parse(own_capabilities(Options(width="a4"))).widths_mm == (215,)
    assert Capabilities.parse(own_capabilities(Options(width="b4"))).widths_mm == (215, 255)


def test_our_dis_says_what_the_options_say() -> None:
    assert Capabilities.parse(own_capabilities(Options(codings=("mh",)))).codings == ("mh",)
    full = Capabilities.parse(own_capabilities(asking(ecm=True)))
    assert full.codings == ("mmr", "mr", "mh")
    assert {modulation.name for modulation in full.modulations} == {"v17", "v29", "v27ter"}
    slow = Capabilities.parse(own_capabilities(asking(modulations=("v27ter",))))
    assert slow.modulations == (Modulation("v27ter", 4800), Modulation("v27ter", 2400))


def form(far: Capabilities, resolution: Resolution, paper: Paper = A4, **options: Any) -> Form:
    return choose_form(far, resolution, paper, Options(**options))


ALL_MODEMS, V29_AND_V27TER, V29, V27TER, FALLBACK = (11, 12, 14), (11, 12), (11,), (12,), ()


@pytest.mark.parametrize(
    ("far", "options", "ladder"),
    [
        (ALL_MODEMS, {}, "v17 14400, v17 12000, v17 9600, v17 7200, v27ter 4800, v27ter 2400"),
        (V29_AND_V27TER, {}, "v29 9600, v29 7200, v27ter 4800, v27ter 2400"),
        (V27TER, {}, "v27ter 4800, v27ter 2400"),
        (FALLBACK, {}, "v27ter 2400"),
        (ALL_MODEMS, {"modulations": ("v29", "v17")}, "v17 14400, v17 12000, v29 9600, v29 7200"),
        (ALL_MODEMS, {"modulations": ("v29",)}, "v29 9600, v29 7200"),
        (ALL_MODEMS, {"max_rate": 9600, "min_rate": 7200}, "v17 9600, v17 7200"),
        (V29, {"max_rate": 7200}, "v29 7200"),
        (V29, {"modulations": ("v27ter",)}, ""),
        (V27TER, {"modulations": ("v29",)}, ""),
        ((13, 14), {}, "v29 9600, v29 7200, v27ter 4800, v27ter 2400"),
    ],
)
def test_rate_ladder(far: tuple[int, ...], options: dict[str, Any], ladder: str) -> None:
    """The order that common engines use; a reserved code means V.27ter and V.29 [T.30 table 2]."""
    assert ", ".join(map(str, rate_ladder(of(*far), asking(**options)))) == ladder


INCH = {name: resolution for name, resolution in RESOLUTIONS.items() if resolution not in METRIC}


@pytest.mark.parametrize(
    ("bits", "wanted", "chosen"),
    [
        ((15, 41), SUPERFINE, SUPERFINE), ((15,), SUPERFINE, FINE), ((), SUPERFINE, STANDARD),
        ((41,), FINE, STANDARD), ((15, 41), FINE, FINE), ((15, 41), STANDARD, STANDARD),
        ((15, 41, 43), R16, R16), ((15, 41, 42), R16, SUPERFINE), ((15,), R16, FINE),
        ((42, 43), INCH["400x400"], INCH["400x400"]), ((15, 42), INCH["400x400"], INCH["300x300"]),
        ((15, 43), INCH["300x300"], INCH["200x200"]), ((41,), INCH["300x300"], INCH["200x400"]),
        ((), INCH["300x300"], INCH["200x100"]),
    ],
)  # fmt: skip
def test_resolution_falls_to_what_the_far_end_takes(
    bits: tuple[int, ...], wanted: Resolution, chosen: Resolution
) -> None:
    assert choose_resolution(of(*bits), wanted) == chosen


def test_coding() -> None:
    assert choose_coding(of(16), Options()) == "mr"
    assert choose_coding(of(16), Options(codings=("mh", "mr"))) == "mh"
    assert choose_coding(of(), Options()) == "mh"
    assert choose_coding(of(), Options(codings=("mr",))) is None
    assert choose_coding(of(16, 27, 31), asking()) == "mr"
    assert choose_coding(of(16, 27, 31), asking(ecm=True)) == "mmr"
    assert choose_coding(of(16, 31), asking(ecm=True)) == "mr"  # T.6 without ECM is a bug of the far end


SCAN = {"000": (), "001": (23,), "010": (22,), "100": (21,), "011": (22, 23), "110": (21, 22), "101": (21, 23),
        "111": (21, 22, 23)}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "resolution", "half", "dcs"),
    [
        ("000", STANDARD, False, "000"), ("000", FINE, False, "000"), ("001", FINE, False, "001"),
        ("010", STANDARD, False, "010"), ("100", FINE, False, "100"), ("111", STANDARD, False, "111"),
        # the halving codes exist in DIS only; a machine which got 110 in DCS hung up
        ("011", STANDARD, False, "010"), ("011", FINE, False, "100"),
        ("110", STANDARD, False, "000"), ("110", FINE, False, "010"),
        ("101", STANDARD, False, "001"), ("101", FINE, False, "000"),
        # bit 46: half of the value at 7.7 lines/mm, but never less than 5 ms
        ("000", SUPERFINE, True, "010"), ("000", SUPERFINE, False, "000"), ("110", SUPERFINE, True, "100"),
        ("011", SUPERFINE, True, "100"), ("100", SUPERFINE, True, "100"), ("111", SUPERFINE, True, "111"),
        ("101", SUPERFINE, True, "010"), ("001", SUPERFINE, True, "000"),
    ],
)  # fmt: skip
def test_scan_time_in_dcs(code: str, resolution: Resolution, half: bool, dcs: str) -> None:
    far = of(15, 41, *SCAN[code], *((46,) if half else ()))
    bits = parse_field(choose_parameters(far, Modulation("v29", 9600), form(far, resolution), "mh", NO_ECM).build())
    assert tuple(bit for bit in (21, 22, 23) if bit in bits) == SCAN[dcs]


def test_least_bits_of_a_line() -> None:
    """T.4 clause 3: 14400 bit/s and 20 ms are 288 bits, 9600 and 10 ms are 96."""
    assert Parameters(modulation=Modulation("v17", 14400), scan_ms=20).min_line_bits == 288
    assert Parameters(modulation=Modulation("v29", 9600), scan_ms=10).min_line_bits == 96
    assert Parameters(modulation=Modulation("v29", 7200), scan_ms=0).min_line_bits == 0
    assert Parameters(modulation=Modulation("v29", 9600), scan_ms=10, ecm=True).min_line_bits == 0


def test_dcs_takes_the_longest_page_allowed_and_one_resolution() -> None:
    for lengths, ones in (((), set()), ((19,), {19}), ((20,), {20})):
        far = of(15, 41, *lengths)
        bits = parse_field(choose_parameters(far, Modulation("v29", 9600), form(far, FINE), "mr", NO_ECM).build())
        assert bits == {10, 11, 15, 16} | ones


def test_field_ends_where_extend_ends() -> None:
    assert parse_field(bytes.fromhex("000600ff")) == {10, 11}
    assert parse_field(b"") == frozenset()
    assert parse_field(bytes([0xFF] * 40)) == frozenset(range(1, 129))
    assert build_field(frozenset()) == bytes(3)
    assert build_field(frozenset({127}))[-1] == 0x40


def test_every_bit_has_its_words() -> None:
    assert [bit.number for bit in BITS] == list(range(1, 128))
    assert all(bit.capability == "EXTEND" for bit in BITS if bit.number >= 24 and bit.number % 8 == 0)
    assert describe(frozenset({10, 50}), setting=True) == ["receiver shall receive", "SID is being sent"]
    assert describe(frozenset({2, 16}), setting=False) == [RESERVED, "two-dimensional (MR) coding"]


@pytest.mark.parametrize(
    ("bits", "paper", "width_mm", "length", "fits"),
    [
        ((20,), (303, 420), 215, "unlimited", False), ((18, 20), (303, 420), 303, "unlimited", True),
        ((17, 20), (303, 420), 255, "unlimited", False), ((17, 18, 20), (303, 420), 303, "unlimited", True),
        ((17, 19), (255, 364), 255, "B4", True), ((17,), (255, 364), 255, "A4", False),
        ((18,), (215, 297), 215, "A4", True), ((), (215, 300), 215, "A4", True), ((), (215, 355.6), 215, "A4", False),
        ((77,), (215, 355.6), 215, "legal", True), ((76,), (215, 279.4), 215, "letter", True),
        ((76, 77, 20), (215, 355.6), 215, "unlimited", True), ((76, 77), (215, 297), 215, "A4", True),
        ((19, 77), (215, 900), 215, "B4", False), ((20,), (215, 9000), 215, "unlimited", True),
    ],
)  # fmt: skip
def test_size_of_pages(
    bits: tuple[int, ...], paper: tuple[int, float], width_mm: int, length: str, fits: bool
) -> None:
    """Width and length as the page needs, not more than DIS allows [T.30 table 2, bits 17 to 20, 76 and 77]."""
    chosen = form(of(*bits), FINE, Paper(*paper))
    assert (chosen.width_mm, chosen.length) == (width_mm, length)
    assert too_large(chosen, Paper(*paper), adapt=False) is not fits
    assert too_large(chosen, Paper(*paper), adapt=True) is (paper == (215, 900))
    dcs = choose_parameters(of(*bits), Modulation("v29", 9600), chosen, "mh", NO_ECM)
    again = Parameters.parse(dcs.build())
    assert (again.width_mm, again.length, again.line_pels) == (width_mm, length, line_pels(width_mm, FINE))


def test_pages_are_no_wider_than_we_want() -> None:
    far = of(18, 20)
    assert [form(far, FINE, Paper(303, 420.0), width=width).width_mm for width in ("a4", "b4", "a3")] == [215, 255, 303]


@pytest.mark.parametrize("resolution", RESOLUTIONS.values(), ids=RESOLUTIONS)
@pytest.mark.parametrize("width_mm", [215, 255, 303])
def test_dcs_says_resolution_and_width(resolution: Resolution, width_mm: int) -> None:
    dcs = Parameters(modulation=Modulation("v29", 9600), resolution=resolution, width_mm=width_mm, scan_ms=0)
    bits = parse_field(dcs.build())
    assert len(bits & {15, 41, 42, 43, 105, 106, 107, 108, 109}) == (resolution.name not in ("standard", "200x100"))
    assert (44 in bits) == (resolution.name in ("200x100", "200x200", "200x400", "400x400"))
    assert Parameters.parse(dcs.build()) == dcs


def test_line_times_at_300_lines_an_inch_and_more() -> None:
    """T.4 clause 3: none, save at 15.4 lines/mm, where DIS bit 46 halves it."""
    far = of(21)
    times = {name: far.scan_ms(resolution) for name, resolution in RESOLUTIONS.items()}
    assert {name for name, ms in times.items() if not ms} == {"R16x15.4", "300x300", "400x400"}
