"""A bilevel page at another resolution, without grey: lines are doubled or laid over each other."""

from __future__ import annotations

import numpy as np

from faxcore.page import Page, Resolution


def rescale(page: Page, resolution: Resolution) -> Page:
    """The page at another number of lines per inch: pels stay where they are, black wins over white.

    ValueError where the widths of the pels differ.
    """
    if resolution.x_dpi != page.resolution.x_dpi:
        raise ValueError(f"a page of {page.resolution.x_dpi} pels per inch cannot become one of {resolution.x_dpi}")
    ratio = resolution.y_dpi / page.resolution.y_dpi
    if ratio >= 1:
        return Page(np.repeat(page.rows, round(ratio), axis=0), page.width, resolution)
    lines = round(1 / ratio)
    padded = np.pad(page.rows, ((0, -page.height % lines), (0, 0)))
    folded = np.bitwise_or.reduce(padded.reshape(-1, lines, padded.shape[1]), axis=1)
    return Page(folded, page.width, resolution)
