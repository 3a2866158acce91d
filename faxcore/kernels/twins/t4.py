"""The definition of the page codes MH, MR and MMR: bits as strings, changes as lists [T.4, T.6].

The changes of a line are the ascending positions of pels that differ from the pel before them; the first is black,
and behind the last comes an imaginary one at the width of the line.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
import numpy.typing as npt

from faxcore.kernels.twins.t4_codes import (
    EOL,
    EOL_ZEROS,
    HORIZONTAL,
    PASS,
    RTC_EOLS,
    RUN_CODES,
    STANDARD_WIDTHS,
    VERTICAL,
    run_code,
)

__all__ = ["t4_decode", "t4_encode", "t4_reverse"]

Octets = npt.NDArray[np.uint8]
MH, MR, MMR = range(3)
MAX_WIDTH = 16384

_RUNS = [{code: run for run, code in codes.items()} for codes in RUN_CODES]
_MODES: dict[str, int | str] = {code: delta for delta, code in VERTICAL.items()} | {PASS: PASS, HORIZONTAL: HORIZONTAL}


def t4_reverse(octets: Octets) -> None:
    """Reverse the bits of every octet, in place."""
    octets[:] = np.packbits(np.unpackbits(octets.reshape(-1, 1), axis=1), axis=1, bitorder="little").ravel()


def t4_encode(
    rows: Octets, width: int, coding: int, k: int, min_line_bits: int, out: Octets, work: npt.NDArray[np.uint16]
) -> int:
    """Code packed rows into `out`, most significant bit first; the number of octets. `work` is not used."""
    lines, reference = [], [width]
    for y, pels in enumerate(np.unpackbits(rows, axis=1, count=width)):
        changes = [*np.flatnonzero(np.diff(pels, prepend=0)).tolist(), width]
        one_d = coding == MH or (coding == MR and y % k == 0)
        head = {MH: EOL, MR: EOL + "01"[one_d], MMR: ""}[coding]
        data = _line_1d(changes, width) if one_d else _line_2d(changes, reference, width)
        lines.append(head + (data if coding == MMR else data.ljust(min_line_bits - len(head), "0")))
        reference = changes
    end = {MH: EOL * RTC_EOLS, MR: (EOL + "1") * RTC_EOLS, MMR: EOL * 2}[coding]
    bits = "".join(lines) + end
    octets = np.packbits(np.frombuffer(bits.encode(), np.uint8) & 1)
    out[: len(octets)] = octets
    return len(octets)


def _line_1d(changes: list[int], width: int) -> str:
    codes, at = [], 0
    for n, change in enumerate(changes):
        codes.append(run_code(change - at, n & 1))
        at = change
    return "".join(codes)


def _b1_b2(reference: list[int], a0: int, colour: int, width: int) -> tuple[int, int]:
    """The first change right of a0 to the colour opposite to `colour`, and the next [T.4 4.2.1.2]."""
    n = bisect_right(reference, a0)
    n += (n ^ colour) & 1
    b1, b2 = (*reference[n : n + 2], width, width)[:2]
    return b1, b2


def _line_2d(changes: list[int], reference: list[int], width: int) -> str:
    codes, a0, n = [], -1, 0
    while a0 < width:
        b1, b2 = _b1_b2(reference, a0, n & 1, width)
        a1, a2 = (*changes[n : n + 2], width)[:2]
        if b2 < a1:
            codes.append(PASS)
            a0 = b2
        elif a1 - b1 in VERTICAL:
            codes.append(VERTICAL[a1 - b1])
            a0 = a1
            n += 1
        else:
            codes.append(HORIZONTAL + run_code(a1 - max(a0, 0), n & 1) + run_code(a2 - a1, 1 - n & 1))
            a0 = a2
            n += 2
    return "".join(codes)


class _Bits:
    """Code bits, followed by endless zeros, of which the padding is a part."""

    def __init__(self, octets: Octets) -> None:
        self.bits = "".join("01"[bit] for bit in np.unpackbits(octets).tolist())

    def eol_here(self, position: int) -> int | None:
        """Where the EOL that begins here, after any fill, ends; -1 where no one bit follows; None for no EOL."""
        one = self.bits.find("1", position)
        if one < 0:
            return -1
        return one + 1 if one - position >= EOL_ZEROS else None

    def find_eol(self, position: int) -> int:
        """Where the next EOL ends, or -1."""
        zeros = self.bits.find("0" * EOL_ZEROS, position)
        return self.bits.find("1", zeros) + 1 or -1 if zeros >= 0 else -1

    def take(self, codes: dict[str, int] | dict[str, int | str], position: int) -> tuple[int | str | None, int]:
        """The meaning of the code word at a position, None for none, and where it ends."""
        for length in range(1, 14):
            if (word := self.bits[position : position + length]) in codes:
                return codes[word], position + length
        return None, position

    def take_run(self, colour: int, position: int, limit: int) -> tuple[int | None, int]:
        """A run with its make-up codes, given up beyond `limit`; None where no code word begins."""
        run = 0
        while True:
            part, position = self.take(_RUNS[colour], position)
            if not isinstance(part, int):
                return None, position
            run += part
            if part < 64 or run > limit:
                return run, position

    def take_line_1d(self, position: int, limit: int) -> tuple[list[int], int, int]:
        """Changes, pels and end of a 1-D line: it reaches the limit, or passes it, or stops where no code begins."""
        changes: list[int] = []
        pels = colour = 0
        while pels < limit:
            run, position = self.take_run(colour, position, limit)
            if run is None:
                break
            pels += run
            _end_run(changes, run, pels)
            colour ^= 1
        return changes, pels, position

    def take_line_2d(self, position: int, reference: list[int], width: int) -> tuple[list[int], int] | None:
        """Changes and end of a 2-D line, or None where it is not one [T.4 4.2.1.3]."""
        changes: list[int] = []
        a0 = -1
        while a0 < width:
            colour = len(changes) & 1
            b1, b2 = _b1_b2(reference, a0, colour, width)
            mode, position = self.take(_MODES, position)
            if mode is None or (mode == PASS and b2 >= width):
                return None
            if mode == PASS:
                a0 = b2
            elif isinstance(mode, int):
                if not a0 < b1 + mode <= width:
                    return None
                a0 = b1 + mode
                changes.append(a0)
            else:
                a0 = max(a0, 0)
                for c in (colour, 1 - colour):
                    run, position = self.take_run(c, position, width)
                    if run is None:
                        return None
                    a0 += run
                    _end_run(changes, run, a0)
                if a0 > width:
                    return None
        return changes, position


def _end_run(changes: list[int], run: int, position: int) -> None:
    """The change at the end of a run. A run of no pels in mid-line joins its neighbours: the change before was none."""
    if run == 0 and changes:
        changes.pop()
    else:
        changes.append(position)


def _paint(changes: list[int], width: int) -> Octets:
    marks = np.zeros(width, np.uint8)
    marks[changes] = 1
    return np.packbits(np.bitwise_xor.accumulate(marks))


class _Page:
    """Rows as they are decoded, with what a damaged line leaves behind."""

    def __init__(self, rows: Octets, bad: Octets, width: int) -> None:
        self.rows, self.bad, self.width, self.count = rows, bad, width, 0
        self.reference = [width]

    @property
    def full(self) -> bool:
        return self.count == len(self.rows)

    def keep(self, changes: list[int], bad: bool) -> None:
        changes = [change for change in changes if change < self.width]
        self.reference = [*changes, self.width]
        self._add(_paint(changes, self.width), bad)

    def copy_above(self) -> None:
        self._add(self.rows[self.count - 1] if self.count else np.uint8(0), True)

    def _add(self, row: Octets | np.uint8, bad: bool) -> None:
        self.rows[self.count], self.bad[self.count] = row, bad
        self.count += 1


def t4_decode(
    octets: Octets, coding: int, width: int, rows: Octets, bad: Octets, work: npt.NDArray[np.uint16]
) -> tuple[int, int]:
    """Decode octets and their 32 zeros into `rows`, marking bad ones; how many rows, and whether the end was seen.

    2 instead of 1 where the octets are MMR and the very ones that `t4_encode` gives for these rows, but for zeros.
    """
    bits, page = _Bits(octets), _Page(rows, bad, width)
    complete = _decode_t6(bits, page) if coding == MMR else _decode_t4(bits, page, coding == MR)
    exact = complete and coding == MMR and _as_encoded(octets, rows[: page.count], width)
    return page.count, complete + exact


def _as_encoded(octets: Octets, rows: Octets, width: int) -> bool:
    out = np.zeros(len(rows) * (7 * width // 8 + 16) + 32, np.uint8)
    t4_encode(rows, width, MMR, 1, 0, out, np.empty(0, np.uint16))
    return out.tobytes().rstrip(b"\0") == octets.tobytes().rstrip(b"\0")


def _decode_t6(bits: _Bits, page: _Page) -> bool:
    position = 0
    while True:
        end = bits.eol_here(position)
        if end is not None or page.full:
            return end is not None and end >= 0
        line = bits.take_line_2d(position, page.reference, page.width)
        if line is None:
            page.copy_above()
            return False
        changes, position = line
        page.keep(changes, False)


def _take_line(bits: _Bits, page: _Page, start: int, one_d: bool) -> tuple[list[int], bool, int] | None:
    """Changes, whether it is bad, and where the EOL behind it ends; None for a damaged line.

    A 1-D line of another standard width comes from a sender that ignores what it announced: it is cut or filled.
    """
    if not one_d:
        line = bits.take_line_2d(start, page.reference, page.width)
        behind = None if line is None else bits.eol_here(line[1])
        return None if line is None or behind is None else (line[0], False, behind)
    changes, pels, position = bits.take_line_1d(start, page.width)
    behind = bits.eol_here(position)
    if behind is not None and pels == page.width:
        return changes, False, behind
    changes, pels, position = bits.take_line_1d(start, MAX_WIDTH)
    behind = bits.eol_here(position)
    if behind is None or pels == page.width or pels not in STANDARD_WIDTHS:
        return None
    return changes[: len(changes) // 2 * 2], True, behind  # what a last white run ends at is no change


def _skip_eols(bits: _Bits, position: int, two_d: bool) -> tuple[int, int, bool]:
    """From behind an EOL to behind all that follow and the tag bit: that place or -1, the EOLs, whether 1-D comes."""
    eols = 1
    while True:
        start = position + two_d
        following = bits.eol_here(start)
        if following is None or following < 0:
            return start if following is None else -1, eols, not two_d or bits.bits[position] == "1"
        position = following
        eols += 1


def _is_damaged_rtc(bits: int, eols_before: int, eols_behind: int) -> bool:
    """Between what is left of an RTC, so few bits are a damaged EOL of it and no line."""
    return bits <= 3 * 13 and eols_before + eols_behind >= 4 and eols_behind < RTC_EOLS


def _decode_t4(bits: _Bits, page: _Page, two_d: bool) -> bool:
    first = bits.eol_here(0)
    headless = first is None  # a first line without EOL, or a burst of noise
    start, eols, one_d = (0, 0, True) if first is None else (-1, 0, True)
    if first is not None and first >= 0:
        start, eols, one_d = _skip_eols(bits, first, two_d)
    usable = False
    while start >= 0 and not (eols >= RTC_EOLS and page.count) and not page.full:
        line = _take_line(bits, page, start, one_d) if one_d or usable else None
        following = bits.find_eol(start) if line is None else line[2]
        if line is None and following < 0:
            break  # the carrier dropped in mid-line
        ended, eols_before = following - start, eols
        start, eols, one_d = (-1, 0, True) if following < 0 else _skip_eols(bits, following, two_d)
        if line is not None:
            page.keep(line[0], line[1])
        elif not headless:
            if page.count and _is_damaged_rtc(ended, eols_before, eols):
                return True
            page.copy_above()
        usable = line is not None
        headless = False
    return eols >= (RTC_EOLS if page.full and start >= 0 else 2)
