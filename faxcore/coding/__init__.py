"""The page codes: MH and MR [T.4], MMR [T.6]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from faxcore.kernels import native
from faxcore.page import Page, Resolution

__all__ = ["MAX_WIDTH", "Decoded", "decode", "encode"]

MAX_WIDTH = 16384
"""Pels in the widest line that is coded or decoded."""

_CODINGS = {"mh": 0, "mr": 1, "mmr": 2}
_WORK = 2 * (MAX_WIDTH + 128)
_PADDING = 32
_AS_ENCODED = 2
_FIRST_ROWS = 4096


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the octets of one coded page gave.

    `page` has one row for each coded line; damaged ones hold the line above. `bad_rows` counts those and lines of
    a wrong width, `longest_bad_run` is the most of them in a row. `complete`: the end of the page was seen, as RTC,
    EOFB or all the rows that were asked for.
    """

    page: Page
    bad_rows: int
    longest_bad_run: int
    complete: bool


def encode(page: Page, coding: str, *, bit_order: str = "lsb", min_line_bits: int = 0, k: int | None = None) -> bytes:
    """The octets of a page, with RTC or EOFB at its end [T.4 4.1, 4.2; T.6].

    `coding` is "mh", "mr" or "mmr". `bit_order` "lsb" puts the first code bit into the least significant bit of an
    octet, as modems and ECM frames want it, "msb" into the most significant, as TIFF, PDF and T.38 do. In MH and MR
    every coded line, with its EOL, has at least `min_line_bits` bits (0 to 1048576). In MR every `k`-th line is
    1-D, by default every 2nd up to 100 lines an inch and every 4th above, which every receiver takes [T.4 4.2.2].
    ValueError where an argument is not one of these or the page is wider than `MAX_WIDTH`.
    """
    number = _coding(coding)
    least_first = _least_first(bit_order)
    if page.mmr is not None and (coding, min_line_bits, k) == ("mmr", 0, None):
        return _reversed(page.mmr) if least_first else page.mmr
    if k is None:
        k = 2 if page.resolution.y_dpi <= 100 else 4
    out = np.empty(page.height * ((7 * page.width + min_line_bits) // 8 + 16) + 32, np.uint8)
    size = native.t4_encode(page.rows, page.width, number, k, min_line_bits, out, np.empty(_WORK, np.uint16))
    if least_first:
        native.t4_reverse(out[:size])
    return out[:size].tobytes()


def decode(
    octets: bytes,
    coding: str,
    width: int,
    resolution: Resolution,
    *,
    bit_order: str = "lsb",
    rows: int | None = None,
    max_rows: int = 1 << 16,
) -> Decoded:
    """The page that coded octets hold; any octets give one.

    `width` is in pels (1 to `MAX_WIDTH`), `coding` and `bit_order` as for `encode`. With `rows`, exactly so many come
    out: what lacks is white and counted as bad. Without, a page ends at its end mark, at the end of the octets or
    after `max_rows`. A line is bad if it holds an invalid code or another number of pels than `width`, and in MR
    also if it is 2-D and the line above was damaged; it becomes a copy of the line above. In MMR the first bad line
    ends the page [T.4 4, T.6 2]. ValueError where an argument is not one of these.
    """
    number = _coding(coding)
    coded = np.zeros(len(octets) + _PADDING, np.uint8)
    coded[: len(octets)] = np.frombuffer(octets, np.uint8)
    if _least_first(bit_order):
        native.t4_reverse(coded)
    limit = max_rows if rows is None else rows
    if limit < 0:
        raise ValueError(f"a page of {limit} rows is asked for")
    bitmap, bad, end = _decode_up_to(limit, coded, number, width)
    mmr = coded.tobytes().rstrip(b"\0") if end == _AS_ENCODED else None
    complete = end > 0
    if rows is not None:
        complete = len(bitmap) == rows
        if not complete:
            lacking, mmr = rows - len(bitmap), None
            bitmap = np.pad(bitmap, ((0, lacking), (0, 0)))
            bad = np.pad(bad, (0, lacking), constant_values=1)
    page = Page(bitmap, width, resolution).came_as(mmr)
    return Decoded(page, int(np.count_nonzero(bad)), _longest_run(bad), complete)


def _decode_up_to(
    limit: int, coded: npt.NDArray[np.uint8], coding: int, width: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], int]:
    """Rows, their bad marks and how the end was seen; room for many rows is only made for pages that have them."""
    work = np.empty(_WORK, np.uint16)
    capacity = min(limit, _FIRST_ROWS)
    while True:
        rows = np.empty((capacity, (width + 7) // 8), np.uint8)
        bad = np.empty(capacity, np.uint8)
        count, end = native.t4_decode(coded, coding, width, rows, bad, work)
        if end or count < capacity or capacity == limit:
            return rows[:count].copy(), bad[:count], end
        capacity = min(limit, 16 * capacity)


def _reversed(octets: bytes) -> bytes:
    turned = np.frombuffer(octets, np.uint8).copy()
    native.t4_reverse(turned)
    return turned.tobytes()


def _coding(name: str) -> int:
    if name not in _CODINGS:
        raise ValueError(f"coding is {name!r}, not one of {', '.join(_CODINGS)}")
    return _CODINGS[name]


def _least_first(bit_order: str) -> bool:
    if bit_order not in ("lsb", "msb"):
        raise ValueError(f"bit_order is {bit_order!r}, not lsb or msb")
    return bit_order == "lsb"


def _longest_run(bad: npt.NDArray[np.uint8]) -> int:
    if not bad.any():
        return 0
    edges = np.flatnonzero(np.diff(bad != 0, prepend=False, append=False))
    return int((edges[1::2] - edges[::2]).max())
