"""A bilevel page at another resolution or on another line, without grey: pels are doubled or laid over each other."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from faxcore.page import Page, Resolution, line_pels, steps

Pels = npt.NDArray[np.bool_]


def rescale(page: Page, resolution: Resolution, line_mm: int, longest: int | None = None) -> Page:
    """The page at another resolution, on lines of 215, 255 or 303 mm: black wins over white, equal pels stay.

    A narrower page lies in the middle; a wider one, or one of more than `longest` lines, is made smaller.
    """
    (across, down), (own_across, own_down) = steps(resolution), steps(page.resolution)
    x, y, line = Fraction(across, own_across), Fraction(down, own_down), line_pels(line_mm, resolution)
    smaller = min(Fraction(1), line / (x * page.width))
    if longest is not None and page.height:
        smaller = min(smaller, longest / (y * page.height))
    x, y = x * smaller, y * smaller
    if x == 1 and line == page.width:
        return Page(_resized(page.rows, y, np.bitwise_or), line, resolution)
    pels = _resized(_resized(page.pels(), y, np.logical_or).T, x, np.logical_or).T
    return Page.from_pels(_centred(pels, line), resolution)


def _resized(rows: npt.NDArray[Any], ratio: Fraction, fold: np.ufunc) -> npt.NDArray[Any]:
    """Rows of another number: repeated, or laid over each other where they become fewer."""
    count = len(rows)
    new = -(-count * ratio.numerator // ratio.denominator)
    begins = np.arange(new) * ratio.denominator // ratio.numerator
    if ratio >= 1 or not count:
        return rows[begins]
    ends = np.minimum(-(-np.arange(1, new + 1) * ratio.denominator // ratio.numerator), count)
    padded = np.concatenate([rows, np.zeros_like(rows[:1])])
    return fold.reduceat(padded, np.stack([begins, ends], axis=1).ravel(), axis=0)[::2]


def _centred(pels: Pels, width: int) -> Pels:
    left = (width - pels.shape[1]) // 2
    return np.pad(pels, ((0, 0), (left, width - pels.shape[1] - left)))
