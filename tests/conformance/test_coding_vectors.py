"""The vectors of T.4 and T.6: every code word, lines and whole pages, in every compute mode."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path
from typing import Any

import numpy as np
import pytest

from faxcore.kernels.twins import t4_codes
from tests.support import vectors

BITMAPS = vectors("t4_bitmaps")["bitmaps"]
PAGES = [(bitmap, name) for bitmap in BITMAPS for name in bitmap["encodings"]]
LINES = vectors("t4_mh_lines")["lines"]
CODINGS = {"mh": 0, "mr": 1, "t6": 2}
GUARD = 0xA5


def packed(lines: list[list[int]]) -> np.ndarray:
    return np.packbits([np.repeat(np.arange(len(runs)) & 1, runs) for runs in lines], axis=1)


def encode(t4: Any, rows: np.ndarray, width: int, coding: int, k: int = 1, min_line_bits: int = 0) -> bytes:
    """The coded octets; the octets behind the room that was asked for must be untouched."""
    room = rows.shape[0] * ((7 * width + min_line_bits) // 8 + 16) + 32
    buffer = np.full(room + 64, GUARD, np.uint8)
    size = t4.t4_encode(rows, width, coding, k, min_line_bits, buffer[:room], np.empty(33024, np.uint16))
    assert (buffer[room:] == GUARD).all()
    return buffer[:size].tobytes()


def decode(t4: Any, octets: bytes, width: int, coding: int, capacity: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """Rows, bad marks and whether the end was seen; what lies behind them must be untouched."""
    coded = np.frombuffer(octets + bytes(32), np.uint8)
    rows = np.full((capacity + 1, (width + 7) // 8), GUARD, np.uint8)
    bad = np.full(capacity + 1, GUARD, np.uint8)
    count, complete = t4.t4_decode(coded, coding, width, rows[:capacity], bad[:capacity], np.empty(33024, np.uint16))
    assert (rows[count:] == GUARD).all()
    assert (bad[count:] == GUARD).all()
    return rows[:count], bad[:count], complete


def from_bits(bits: str) -> bytes:
    return np.packbits([int(bit) for bit in bits]).tobytes() if bits else b""


@pytest.mark.parametrize(("bitmap", "name"), PAGES, ids=[f"{bitmap['name']}-{name}" for bitmap, name in PAGES])
def test_pages(bitmap: dict[str, Any], name: str, kernel_of: Any) -> None:
    t4, width, coding = kernel_of("t4"), bitmap["width"], CODINGS[name[:2]]
    rows = packed([line["runs"] for line in bitmap["lines"]])
    expected = bytes.fromhex(bitmap["encodings"][name]["hex_msb_first"])
    k = int(name[4]) if coding == 1 else 1
    assert encode(t4, rows, width, coding, k, 96 if name.endswith("min96bits") else 0) == expected
    decoded, bad, complete = decode(t4, expected, width, coding, 100)
    assert np.array_equal(decoded, rows)
    assert complete
    assert not bad.any()


@pytest.mark.parametrize("line", LINES, ids=[line["name"].replace(" ", "-") for line in LINES])
def test_lines(line: dict[str, Any], kernel_of: Any) -> None:
    t4, width = kernel_of("t4"), line["width"]
    eol = vectors("t4_codes")["eol"]
    rows = packed([line["runs_from_white"]])
    assert encode(t4, rows, width, 0) == from_bits(eol + line["bits"] + 6 * eol)
    decoded, bad, complete = decode(t4, from_bits(eol + line["bits"] + eol), width, 0, 9)
    assert (decoded.tolist(), bad.tolist(), complete) == (rows.tolist(), [0], False)


def test_code_words() -> None:
    codes = vectors("t4_codes")
    for colour, name in enumerate(("white", "black")):
        words = codes[f"{name}_terminating"] | codes[f"{name}_makeup"] | codes["common_makeup"]
        assert {str(run): word for run, word in t4_codes.RUN_CODES[colour].items()} == words
    mode_names = {"P": t4_codes.PASS, "H": t4_codes.HORIZONTAL}
    for delta, code in t4_codes.VERTICAL.items():
        mode_names["V0" if not delta else f"V{'RL'[delta < 0]}{abs(delta)}"] = code
    assert mode_names == codes["two_d"]
    assert codes["eol"] == t4_codes.EOL


def test_checked_in_tables_are_those_of_the_generator() -> None:
    native = Path(__file__).parents[2] / "native"
    generator = run_path(str(native / "t4_tables.py"))
    assert generator["header"]() == (native / "t4_tables.h").read_text()


def test_reverse(kernel_of: Any) -> None:
    for bitmap in BITMAPS:
        page = bitmap["encodings"]["t6_page"]
        octets = np.frombuffer(bytes.fromhex(page["hex_msb_first"]), np.uint8).copy()
        kernel_of("t4").t4_reverse(octets)
        assert octets.tobytes() == bytes.fromhex(page["hex_lsb_first"])
