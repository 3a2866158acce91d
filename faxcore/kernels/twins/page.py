"""What native/page.c means: grey pages to black and white, and where their mid-greys are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]


def page_bilevel(
    grey: Grey,
    threshold: int,
    low: int,
    high: int,
    tile_pels: int,
    tile_lines: int,
    columns: Grey,
    counts: npt.NDArray[np.int32],
    rows: Grey,
) -> None:
    """Packed rows, 1 = black: pels that are at most `threshold`; and how many pels of each tile are mid-grey.

    That is at least `low` and below `high`.
    """
    rows[:] = np.packbits(grey <= threshold, axis=1)
    mid = (grey >= low) & (grey < high)
    (height, width) = mid.shape
    padded = np.pad(mid, ((0, -height % tile_lines), (0, -width % tile_pels)))
    counts[:] = padded.reshape(counts.shape[0], tile_lines, counts.shape[1], tile_pels).sum(axis=(1, 3))
