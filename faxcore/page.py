"""A page: a bilevel bitmap at a facsimile resolution, the thing that all floors hand around."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Resolution(NamedTuple):
    """A facsimile resolution, dots per inch as TIFF files write them [T.4 2]."""

    name: str
    x_dpi: int
    y_dpi: int


STANDARD = Resolution("standard", 204, 98)  # R8 x 3.85 lines/mm
FINE = Resolution("fine", 204, 196)  # R8 x 7.7 lines/mm
SUPERFINE = Resolution("superfine", 204, 391)  # R8 x 15.4 lines/mm
R16 = Resolution("R16x15.4", 408, 391)

METRIC = (STANDARD, FINE, SUPERFINE, R16)
INCH = tuple(Resolution(f"{x}x{y}", x, y) for x, y in ((200, 100), (200, 200), (200, 400), (300, 300), (400, 400)))
"""Each of the two families, the coarsest first."""

RESOLUTIONS = {r.name: r for r in METRIC + INCH}

A4_WIDTH = 1728
"""Pels in a line of 215 mm at R8 [T.4 2.1]."""

LINES_MM = {"a4": 215, "b4": 255, "a3": 303}
"""The three widths of a line, by the paper that fills it [T.4 2.1]."""

PAPER_SLACK = 1.02
"""Nobody's letter is made smaller for a few lines that hang over the end of the paper."""

_R8_PELS = {215: A4_WIDTH, 255: 2048, 303: 2432}


def steps(resolution: Resolution) -> tuple[int, int]:
    """Density across and down in hundreds of pels per inch: metric and inch pages of equal pels have equal steps.

    Such pages are sent to each other unchanged, a few percent distorted [T.30 table 2, note to bits 44, 45].
    """
    return round(resolution.x_dpi / 100), round(resolution.y_dpi / 100)


def line_pels(width_mm: int, resolution: Resolution) -> int:
    """Pels in a line of 215, 255 or 303 mm [T.4 2.1]."""
    return _R8_PELS[width_mm] * steps(resolution)[0] // 2


class Paper(NamedTuple):
    """What a page needs of the far end's paper: a line of 215, 255 or 303 mm, and its length in mm."""

    width_mm: int
    length_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A bilevel bitmap.

    `rows` is uint8 of shape (height, (width + 7) // 8): one row a line, the leftmost pel in the most
    significant bit, 1 = black, the bits after the last pel 0. It is made read-only. `mmr` is set
    for a page that came as MMR and would be coded to the same octets again, the first bit the most significant.
    """

    rows: npt.NDArray[np.uint8]
    width: int
    resolution: Resolution
    mmr: bytes | None = field(default=None, init=False)  # of a page made from another's rows nothing is known

    def __post_init__(self) -> None:
        if self.rows.dtype != np.uint8 or self.rows.ndim != 2 or self.rows.shape[1] != (self.width + 7) // 8:
            raise ValueError(f"rows of a page {self.width} pels wide are uint8 of shape (n, {(self.width + 7) // 8})")
        if not self.rows.flags.c_contiguous:
            object.__setattr__(self, "rows", np.ascontiguousarray(self.rows))
        self.rows.flags.writeable = False

    def came_as(self, mmr: bytes | None) -> Page:
        """This page, of which `faxcore.coding` has seen that it is coded to these octets of MMR."""
        object.__setattr__(self, "mmr", mmr)
        return self

    @property
    def height(self) -> int:
        """Number of lines."""
        return int(self.rows.shape[0])

    @classmethod
    def from_pels(cls, pels: npt.NDArray[np.bool_], resolution: Resolution) -> Page:
        """A page from a (height, width) array of pels, true = black."""
        return cls(np.packbits(pels, axis=1), pels.shape[1], resolution)

    def pels(self) -> npt.NDArray[np.bool_]:
        """The (height, width) array of pels, true = black."""
        return np.unpackbits(self.rows, axis=1, count=self.width).astype(np.bool_)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Page):
            return NotImplemented
        same = (self.width, self.resolution) == (other.width, other.resolution)
        return same and bool(np.array_equal(self.rows, other.rows))

    def __hash__(self) -> int:
        """Of some rows: pages are keys of caches, and all of them would take longer than what is kept there."""
        return hash((self.width, self.resolution, self.rows.shape, self.rows[::64].tobytes()))

    def __repr__(self) -> str:
        return f"Page({self.width}x{self.height}, {self.resolution.name})"
