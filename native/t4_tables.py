"""Write t4_tables.h from the code words in faxcore/kernels/twins/t4_codes.py: `python native/t4_tables.py`.

Every entry is one number, so that a look-up is one load:

* T4_RUN[colour][run], run < 2560: code bits << 5 | length, make-up and terminating code together.
* T4_ONE[colour][next 13 bits]: run << 4 | length of the code at their front; 0 where none begins.
* T4_PAIR[colour][next 12 bits]: second run << 10 | first run << 4 | length of two terminating codes, the first
  of that colour, neither of no pels; 0 where two such do not fit.
* T4_MODE[next 7 bits]: mode << 4 | length. Modes 1 to 7 are vertical with a1 - b1 = mode - 4, then pass (12: 8 and
  no distance) and horizontal.
* T4_MODE_CODE[2 * (a1 - b1) + 6], or [13] for pass: code bits << 6 | length.
* T4_LANE_*[a1 - b1 + 3]: code bits, their length, and 1 << length, for byte shuffles; 7 and up are no code.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
CODES = runpy.run_path(str(HERE.parent / "faxcore/kernels/twins/t4_codes.py"))
T4_PASS, T4_HORIZONTAL = 12, 13


def expand(bits: int, codes: dict[str, int]) -> list[int]:
    """A table over the next `bits` bits: value << 4 | length of the code word at their front."""
    table = [0] * (1 << bits)
    for code, value in codes.items():
        first = int(code, 2) << (bits - len(code))
        for i in range(first, first + (1 << (bits - len(code)))):
            table[i] = value << 4 | len(code)
    return table


def run_table(colour: int) -> list[int]:
    words = [CODES["run_code"](run, colour) for run in range(CODES["LONGEST_MAKE_UP"])]
    return [int(word, 2) << 5 | len(word) for word in words]


def one_table(colour: int) -> list[int]:
    return expand(13, {code: run for run, code in CODES["RUN_CODES"][colour].items()})


def pair_table(colour: int) -> list[int]:
    first, second = (
        {code: run for run, code in CODES["RUN_CODES"][c].items() if 0 < run < 64} for c in (colour, 1 - colour)
    )
    pairs = {a + b: second[b] << 6 | first[a] for a in first for b in second if len(a + b) <= 12}
    return expand(12, pairs)


def mode_table() -> list[int]:
    modes = {code: delta + 4 for delta, code in CODES["VERTICAL"].items()}
    return expand(7, modes | {CODES["PASS"]: T4_PASS, CODES["HORIZONTAL"]: T4_HORIZONTAL})


def array(kind: str, name: str, shape: str, tables: list[list[int]]) -> Iterator[str]:
    yield f"static const {kind} {name}{shape} = {{"
    for table in tables:
        if len(tables) > 1:
            yield "{"
        for i in range(0, len(table), 128):
            yield ",".join(map(str, table[i : i + 128])) + ","
        if len(tables) > 1:
            yield "},"
    yield "};"


def header() -> str:
    """The text of t4_tables.h."""
    verticals = list(CODES["VERTICAL"].values())
    mode_codes = [0] * 13 + [int(CODES["PASS"], 2) << 6 | len(CODES["PASS"])]
    mode_codes[::2] = [int(code, 2) << 6 | len(code) for code in verticals]
    lanes = [*verticals, *[""] * 9]
    widths = [0] * (max(CODES["STANDARD_WIDTHS"]) // 32 + 1)
    for width in CODES["STANDARD_WIDTHS"]:
        widths[width // 32] = 1
    lines = [
        "/* Made by t4_tables.py, which says what an entry holds. Do not edit. */",
        "#ifndef FAXCORE_T4_TABLES_H",
        "#define FAXCORE_T4_TABLES_H",
        "#include <stdint.h>",
        f"enum {{ T4_PASS = {T4_PASS}, T4_HORIZONTAL = {T4_HORIZONTAL} }};",
        *array("uint32_t", "T4_RUN", f"[2][{CODES['LONGEST_MAKE_UP']}]", [run_table(0), run_table(1)]),
        *array("uint16_t", "T4_ONE", "[2][8192]", [one_table(0), one_table(1)]),
        *array("uint16_t", "T4_PAIR", "[2][4096]", [pair_table(0), pair_table(1)]),
        *array("uint8_t", "T4_MODE", "[128]", [mode_table()]),
        *array("uint16_t", "T4_MODE_CODE", "[14]", [mode_codes]),
        *array("uint8_t", "T4_LANE_BITS", "[16]", [[int(code or "0", 2) for code in lanes]]),
        *array("uint8_t", "T4_LANE_LENGTH", "[16]", [[len(code) for code in lanes]]),
        *array("uint8_t", "T4_LANE_POWER", "[16]", [[1 << len(code) for code in lanes]]),
        "/* Indexed by width / 32: 1 where that is the width of a page [T.4 2]. */",
        *array("uint8_t", "T4_STANDARD_WIDTH", f"[{len(widths)}]", [widths]),
        "#endif",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (HERE / "t4_tables.h").write_text(header())
