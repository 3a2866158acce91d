"""Types of the native module. Arrays are C-contiguous; shapes and units stand beside each function."""

import numpy as np
import numpy.typing as npt

source_hash: str

def levels() -> list[str]: ...
def level() -> str: ...
def select_level(name: str, /) -> None: ...

# T.4 and T.6. coding: 0 MH, 1 MR, 2 MMR; code bits are in octets most significant first; width 1 to 16384 pels;
# rows (height, (width + 7) // 8) packed, most significant pel left, 1 = black; work at least 33024 items of scratch.

# k >= 1: every k-th MR line is 1-D; out at least height * ((7 * width + min_line_bits) // 8 + 16) + 32; octets written
def t4_encode(rows: npt.NDArray[np.uint8], width: int, coding: int, k: int, min_line_bits: int, out: npt.NDArray[np.uint8], work: npt.NDArray[np.uint16], /) -> int: ...

# octets: coded ones and 32 zeros; rows and bad (1: the row is bad) are filled as far as lines go; (rows, end was seen)
def t4_decode(octets: npt.NDArray[np.uint8], coding: int, width: int, rows: npt.NDArray[np.uint8], bad: npt.NDArray[np.uint8], work: npt.NDArray[np.uint16], /) -> tuple[int, bool]: ...

# the bits of every octet, in place
def t4_reverse(octets: npt.NDArray[np.uint8], /) -> None: ...
