"""What the two kinds of foreign files have in common. Runs in the drawing process."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from faxcore.document.geometry import Layout, Size, layout
from faxcore.page import Resolution, steps

TILE_PELS_A_STEP = 8  # 16 pels and lines at 200 pels per inch


class UnreadableError(Exception):
    """A document cannot be read: the cause in words, the page counted from 1, a result code."""

    def __init__(self, cause: str, page: int | None = None, code: int = 43) -> None:
        super().__init__(cause)
        self.cause, self.page, self.code = cause, page, code


class Drawing(NamedTuple):
    """How a page is wanted: at which resolution, on lines of 215, 255 or 303 mm, no longer than `longest_mm`."""

    resolution: Resolution
    line_mm: int = 215
    longest_mm: float | None = None

    def layout(self, size: Size) -> Layout:
        """The place of a page of this size."""
        return layout(size.width_mm, size.height_mm, self.resolution, self.line_mm, self.longest_mm)

    @property
    def tile(self) -> tuple[int, int]:
        """Pels and lines of a tile that is about square on paper."""
        across, down = steps(self.resolution)
        return across * TILE_PELS_A_STEP, down * TILE_PELS_A_STEP


class ForeignFile(Protocol):
    """An opened PDF or image file."""

    def close(self) -> None:
        """Gives its memory back."""

    def sizes(self) -> list[Size]:
        """Of each page."""

    def draw(self, page: int, how: Drawing) -> npt.NDArray[np.uint8]:
        """Packed rows of a page, 1 = black."""
