"""What the two kinds of foreign files have in common. Runs in the drawing process."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from faxcore.page import FINE, Resolution

TILE_LINES_AT_FINE = 16


class UnreadableError(Exception):
    """A document cannot be read: the cause in words, the page counted from 1, a result code."""

    def __init__(self, cause: str, page: int | None = None, code: int = 43) -> None:
        super().__init__(cause)
        self.cause, self.page, self.code = cause, page, code


class ForeignFile(Protocol):
    """An opened PDF or image file."""

    def close(self) -> None:
        """Gives its memory back."""

    def sizes(self) -> list[tuple[float, float]]:
        """Width and height of each page in mm."""

    def draw(self, page: int, resolution: Resolution) -> npt.NDArray[np.uint8]:
        """Packed rows of a page, 1 = black, 216 octets each."""


def tile_lines(resolution: Resolution) -> int:
    """Lines of a tile that is square on paper and 16 pels wide."""
    return round(TILE_LINES_AT_FINE * resolution.y_dpi / FINE.y_dpi)
