"""`encode` and `decode`: arguments, bit order, and what a decoder makes of damaged pages [T.4 4.1, 4.2].

Coded pages are put together from the code words of the vectors, so that each case shows what is on the line.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from faxcore.coding import MAX_WIDTH, Decoded, decode, encode
from faxcore.kernels import native
from faxcore.page import FINE, STANDARD, SUPERFINE, Page
from tests.support import vectors

CODES = vectors("t4_codes")
EOL = CODES["eol"]
RTC = 6 * EOL
WIDTH = 64


def run(colour: str, pels: int) -> str:
    make_up = CODES[f"{colour}_makeup"] | CODES["common_makeup"]
    return (make_up[str(pels // 64 * 64)] if pels >= 64 else "") + CODES[f"{colour}_terminating"][str(pels % 64)]


def mh(*runs: int) -> str:
    """The 1-D code of runs, white first."""
    return "".join(run("white" if n % 2 == 0 else "black", pels) for n, pels in enumerate(runs))


def octets(bits: str) -> bytes:
    return np.packbits([int(bit) for bit in bits]).tobytes() if bits else b""


def decoded(bits: str, coding: str = "mh", width: int = WIDTH, **options: Any) -> Decoded:
    return decode(octets(bits), coding, width, FINE, bit_order="msb", **options)


def starts(result: Decoded) -> list[int]:
    """The first black pel of each row; -1 for a white one. The test lines differ in it."""
    return [int(row.argmax()) if row.any() else -1 for row in result.page.pels()]


def line(n: int) -> str:
    """A line whose black run begins at pel n."""
    return mh(n, 5, WIDTH - 5 - n)


def lines(*numbers: int) -> str:
    return "".join(EOL + line(n) for n in numbers)


def random_page(width: int = 300, height: int = 40, seed: int = 5) -> Page:
    pels = np.random.default_rng(seed).random((height, width)) < 0.1
    return Page.from_pels(np.logical_xor.accumulate(pels, axis=1), FINE)


@pytest.mark.parametrize("coding", ["mh", "mr", "mmr"])
@pytest.mark.parametrize("bit_order", ["lsb", "msb"])
def test_round_trip(coding: str, bit_order: str) -> None:
    page = random_page()
    result = decode(encode(page, coding, bit_order=bit_order), coding, 300, FINE, bit_order=bit_order)
    assert result == Decoded(page, 0, 0, True)


def test_bit_orders_are_each_others_mirror() -> None:
    page = random_page()
    mirror = bytes(int(f"{octet:08b}"[::-1], 2) for octet in encode(page, "mr"))
    assert mirror == encode(page, "mr", bit_order="msb")


@pytest.mark.parametrize(("resolution", "k"), [(STANDARD, 2), (FINE, 4), (SUPERFINE, 4)])
def test_k_follows_the_resolution(resolution: Any, k: int) -> None:
    page = Page(random_page().rows, 300, resolution)
    assert encode(page, "mr") == encode(page, "mr", k=k) != encode(page, "mr", k=k + 1)


@pytest.mark.parametrize("coding", ["mh", "mr"])
def test_every_coded_line_has_its_minimum(coding: str) -> None:
    page = random_page(height=10)
    bits = "".join(f"{octet:08b}" for octet in encode(page, coding, bit_order="msb", min_line_bits=288))
    ends = [i + 12 for i in range(len(bits)) if bits.startswith(EOL, i)]
    lengths = np.diff(ends)[:10]
    assert (lengths >= 288).all()
    assert (lengths == 288).any()
    assert decode(octets(bits), coding, 300, FINE, bit_order="msb").page == page


@pytest.mark.parametrize("coding", ["mh", "mr", "mmr"])
def test_page_without_lines(coding: str) -> None:
    page = Page(np.zeros((0, 27), np.uint8), 216, FINE)
    assert decode(encode(page, coding), coding, 216, FINE) == Decoded(page, 0, 0, True)
    assert decode(b"", coding, 216, FINE) == Decoded(page, 0, 0, False)


def test_known_number_of_rows() -> None:
    short = decoded(lines(1, 2) + RTC, rows=5)
    assert (starts(short), short.bad_rows, short.longest_bad_run, short.complete) == ([1, 2, -1, -1, -1], 3, 3, False)
    cut = decoded(lines(1, 2, 3) + RTC, rows=2)
    assert (starts(cut), cut.bad_rows, cut.complete) == ([1, 2], 0, True)


@pytest.mark.parametrize("limit", [0, 1, 4096, 5000])
def test_all_v0_gives_no_more_than_the_allowed_rows(limit: int) -> None:
    result = decode(b"\xff" * 1000, "mmr", 1728, FINE, max_rows=limit)
    assert (result.page.height, result.complete) == (limit, False)


@pytest.mark.parametrize("height", [4095, 4096, 4097, 9000])
def test_long_pages(height: int) -> None:
    page = random_page(width=40, height=height)
    assert decode(encode(page, "mr"), "mr", 40, FINE) == Decoded(page, 0, 0, True)


# --- damage [T.4 4.1, 4.2] ---


def test_damaged_line_becomes_the_line_above() -> None:
    for damaged in (mh(3, 5, WIDTH - 9), mh(3, 5, WIDTH - 7), mh(3, 5) + "000000001", line(3) + "1", "0000001111"):
        result = decoded(EOL + line(1) + EOL + line(2) + EOL + damaged + EOL + line(4) + RTC)
        assert (starts(result), result.bad_rows, result.longest_bad_run) == ([1, 2, 2, 4], 1, 1)
        assert result.complete


def test_first_damaged_line_is_white() -> None:
    assert starts(decoded(EOL + mh(3, 5) + EOL + line(2) + RTC)) == [-1, 2]


def test_runs_of_bad_rows() -> None:
    bad = EOL + mh(3, 5)
    result = decoded(bad + lines(1) + 3 * bad + lines(2) + 2 * bad + lines(3) + RTC)
    assert (result.page.height, result.bad_rows, result.longest_bad_run) == (9, 6, 3)


def test_flipped_bits_on_a_page_spoil_only_their_lines() -> None:
    page = random_page(width=1728, height=60)
    coded = encode(page, "mh", bit_order="msb")
    bits = "".join(f"{octet:08b}" for octet in coded)
    ends = [i for i in range(len(bits)) if bits.startswith(EOL, i)]
    hit = [7, 8, 30]
    flipped = list(bits)
    for row in hit:
        for i in range(ends[row] + 60, ends[row] + 64):
            flipped[i] = "01"[flipped[i] == "0"]
    result = decoded("".join(flipped), width=1728)
    good = np.setdiff1d(np.arange(60), hit)
    assert result.page.height == 60
    assert np.array_equal(result.page.rows[good], page.rows[good])
    assert (result.bad_rows, result.longest_bad_run) == (3, 2)
    assert np.array_equal(result.page.rows[[7, 8, 30]], page.rows[[6, 6, 29]])


def test_2d_lines_below_a_damaged_one_are_bad_until_the_next_1d_line() -> None:
    one, two, v0 = CODES["eol_plus_tag1"], CODES["eol_plus_tag0"], 3 * CODES["two_d"]["V0"]
    page = one + line(1) + two + v0 + one + mh(2, 9) + two + v0 + two + v0 + one + line(4) + two + v0
    result = decoded(page + 6 * one, "mr")
    assert starts(result) == [1, 1, 1, 1, 1, 4, 4]
    assert (result.bad_rows, result.longest_bad_run, result.complete) == (3, 3, True)


def test_mmr_ends_at_an_error() -> None:
    v0, horizontal = CODES["two_d"]["V0"], CODES["two_d"]["H"] + mh(3, 5)
    page = horizontal + v0 + 3 * v0
    assert starts(decoded(page + EOL + EOL, "mmr")) == [3, 3]
    broken = decoded(page + "0000001111" + 30 * "1", "mmr")
    assert (starts(broken), broken.bad_rows, broken.complete) == ([3, 3, 3], 1, False)
    known = decoded(page + "0000001111" + 30 * "1", "mmr", rows=5)
    assert (starts(known), known.bad_rows, known.longest_bad_run) == ([3, 3, 3, -1, -1], 3, 3)


@pytest.mark.parametrize("modes", [("VL3",), ("V0", "V0", "VR1"), ("V0", "V0", "P")], ids="-".join)
def test_2d_codes_that_leave_the_line(modes: tuple[str, ...]) -> None:
    """Left of the line, right of it, and with nothing to pass; the line above is black from 0 to 5."""
    first = CODES["two_d"]["H"] + mh(0, 5) + CODES["two_d"]["V0"]
    result = decoded(first + "".join(CODES["two_d"][mode] for mode in modes) + 20 * "1", "mmr")
    assert (starts(result), result.bad_rows) == ([0, 0], 1)


# --- EOLs [T.4 4.1.2-4.1.4] ---


@pytest.mark.parametrize("before", ["", "1" * 50, "0110" * 9, "0" * 500], ids=["none", "ones", "noise", "zeros"])
def test_what_comes_before_the_first_eol(before: str) -> None:
    assert decoded(before + lines(1, 2) + RTC) == decoded(lines(1, 2) + RTC)


def test_first_line_without_eol() -> None:
    assert starts(decoded(line(1) + lines(2, 3) + RTC)) == [1, 2, 3]


def test_fill_may_be_huge() -> None:
    assert starts(decoded("0" * 100_000 + lines(1) + "0" * 200_000 + lines(2) + RTC)) == [1, 2]


@pytest.mark.parametrize("eols", [0, 1, 2, 5, 6])
@pytest.mark.parametrize("behind", ["", "0" * 90])
def test_pages_that_end_early(eols: int, behind: str) -> None:
    result = decoded(lines(1, 2) + eols * EOL + behind)
    assert (starts(result), result.bad_rows, result.complete) == ([1, 2], 0, eols >= 2)


def test_nothing_behind_rtc_is_a_line() -> None:
    assert starts(decoded(lines(1, 2) + RTC + line(3) + lines(4))) == [1, 2]


def test_two_eols_in_mid_page_are_one() -> None:
    result = decoded(lines(1) + EOL + lines(2) + RTC)
    assert (starts(result), result.bad_rows) == ([1, 2], 0)


@pytest.mark.parametrize("hit", range(1, 6))
@pytest.mark.parametrize("coding", ["mh", "mr"])
def test_damaged_rtc_is_no_line(hit: int, coding: str) -> None:
    eol = EOL if coding == "mh" else CODES["eol_plus_tag1"]
    rtc = [eol] * 6
    rtc[hit] = "000010000001" + eol[12:]
    result = decoded(eol + line(1) + eol + line(2) + "".join(rtc), coding)
    assert (starts(result), result.bad_rows, result.complete) == ([1, 2], 0, True)


def test_damaged_last_line_before_a_whole_rtc_is_a_line() -> None:
    result = decoded(lines(1, 2) + EOL + mh(3, 5) + RTC)
    assert (starts(result), result.bad_rows, result.complete) == ([1, 2, 2], 1, True)


def test_line_cut_by_the_end_of_the_carrier_is_none() -> None:
    result = decoded(lines(1, 2) + EOL + mh(3, 5))
    assert (starts(result), result.bad_rows, result.complete) == ([1, 2], 0, False)


# --- widths ---


def test_senders_that_ignore_the_announced_width() -> None:
    narrow = EOL + mh(100, 5, 1623) + EOL + mh(200, 1528) + EOL + mh(1728)
    filled = decoded(narrow + RTC, width=2048)
    assert (starts(filled), filled.bad_rows) == ([100, 200, -1], 3)
    assert not filled.page.pels()[:, 1728:].any()
    wide = EOL + mh(100, 5, 1943) + EOL + mh(1800, 248)
    cut = decoded(wide + RTC, width=1728)
    assert (starts(cut), cut.bad_rows) == ([100, -1], 2)


def test_runs_of_no_pels_are_allowed_anywhere() -> None:
    spliced = EOL + mh(10, 0, 10, 5, 0, 5, WIDTH - 30)
    result = decoded(spliced + RTC)
    assert result.bad_rows == 0
    assert np.flatnonzero(result.page.pels()[0]).tolist() == list(range(20, 30))


# --- arguments ---


@pytest.mark.parametrize("wrong", [
    {"coding": "jbig"}, {"bit_order": "big"}, {"width": 0}, {"width": MAX_WIDTH + 1}, {"width": -1}, {"rows": -1},
    {"max_rows": -1},
], ids=str)
def test_wrong_values_for_decode(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong)).replace("max_rows", "rows")):
        decode(**({"octets": b"", "coding": "mh", "width": 8, "resolution": FINE} | wrong))


@pytest.mark.parametrize("wrong", [{"coding": "MH"}, {"bit_order": ""}, {"min_line_bits": -1}, {"k": 0}], ids=str)
def test_wrong_values_for_encode(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        encode(**({"page": random_page(), "coding": "mr"} | wrong))


def test_too_wide_page() -> None:
    with pytest.raises(ValueError, match="width"):
        encode(Page(np.zeros((1, 2049), np.uint8), MAX_WIDTH + 1, FINE), "mh")


@pytest.mark.parametrize("junk", [None, 3.5, "text", [], object(), 10**30, -1])
def test_kernels_refuse_junk(junk: Any) -> None:
    rows, bad, work = np.zeros((2, 8), np.uint8), np.zeros(2, np.uint8), np.zeros(33024, np.uint16)
    calls: list[tuple[Any, list[Any]]] = [
        (native.t4_encode, [rows, 64, 0, 1, 0, np.zeros(200, np.uint8), work]),
        (native.t4_decode, [np.zeros(40, np.uint8), 0, 64, rows, bad, work]),
        (native.t4_reverse, [bad]),
    ]
    for kernel, arguments in calls:
        kernel(*arguments)
        for place in range(len(arguments)):
            with pytest.raises((TypeError, ValueError)):
                kernel(*arguments[:place], junk, *arguments[place + 1 :])
        with pytest.raises(TypeError):
            kernel(*arguments, junk)


@pytest.mark.parametrize(("name", "place", "value"), [
    ("octets", 0, np.ones(40, np.uint8)),
    ("octets", 0, np.zeros(31, np.uint8)),
    ("rows", 3, np.zeros((2, 7), np.uint8)),
    ("rows", 3, np.zeros((2, 16), np.uint8)[:, ::2]),
    ("bad", 4, np.zeros(1, np.uint8)),
    ("work", 5, np.zeros(33023, np.uint16)),
])
def test_decode_kernel_checks_its_bounds(name: str, place: int, value: Any) -> None:
    arguments: list[Any] = [np.zeros(40, np.uint8), 0, 64, np.zeros((2, 8), np.uint8), np.zeros(2, np.uint8),
                            np.zeros(33024, np.uint16)]
    arguments[place] = value
    with pytest.raises((ValueError, TypeError), match=name):
        native.t4_decode(*arguments)


def test_encode_kernel_checks_its_bounds() -> None:
    work = np.zeros(33024, np.uint16)
    with pytest.raises(ValueError, match="out"):
        native.t4_encode(np.zeros((2, 8), np.uint8), 64, 0, 1, 0, np.zeros(175, np.uint8), work)


@pytest.mark.parametrize("bit_order", ["lsb", "msb"])
def test_a_page_that_came_as_mmr_keeps_its_octets(bit_order: str) -> None:
    page = random_page()
    octets = encode(page, "mmr", bit_order=bit_order)
    kept = decode(octets + b"\0\0", "mmr", 300, FINE, bit_order=bit_order).page
    assert kept.mmr == encode(page, "mmr", bit_order="msb")
    assert encode(kept, "mmr", bit_order=bit_order) == octets
    assert encode(kept, "mh") == encode(page, "mh")
    assert replace(kept, rows=kept.rows[:-1]).mmr is None


def test_other_pages_keep_none() -> None:
    page = random_page()
    octets = encode(page, "mmr")
    others = [
        decode(encode(page, "mr"), "mr", 300, FINE),
        decode(octets + b"\1", "mmr", 300, FINE),
        decode(octets[:-1], "mmr", 300, FINE),
        decode(octets, "mmr", 300, FINE, rows=page.height - 1),
        decode(octets, "mmr", 300, FINE, rows=page.height + 1),
    ]
    assert [other.page.mmr for other in others] == [None] * len(others)
    assert decode(octets, "mmr", 300, FINE, rows=page.height).page.mmr is not None
