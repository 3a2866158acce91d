"""The line at the upper edge that says when, who and which page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from faxcore.page import FINE, Page, Resolution, steps

# In lines at fine resolution: white above, the letters (3 mm), white below.
ABOVE, BELOW = 10, 6
GAP = "    "
UNKNOWN = "?"
STRIPS = {(2, 1): "standard", (2, 2): "fine", (2, 4): "superfine", (3, 3): "300x300", (4, 4): "R16x15.4"}
"""Which letters of `glyphs.npz` fit a resolution."""

Pels = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Header:
    """What a header line says: `date`, the sender's `identity`, a free `text` and how many `pages` there are."""

    date: datetime
    identity: str
    text: str
    pages: int

    def __post_init__(self) -> None:
        if not isinstance(self.date, datetime):
            raise TypeError(f"date is a datetime, not {self.date!r}")
        if not (isinstance(self.identity, str) and isinstance(self.text, str)):
            raise TypeError(f"identity and text are strings, not {self.identity!r} and {self.text!r}")
        if not isinstance(self.pages, int) or self.pages < 1:
            raise ValueError(f"pages is a number from 1 on, not {self.pages!r}")


def with_header(page: Page, header: Header | None, index: int) -> Page:
    """The page, index from 0, with a header line in its upper margin, or above the page where it has none."""
    if header is None:
        return page
    left = GAP.join(part for part in (f"{header.date:%Y-%m-%d %H:%M}", header.identity, header.text) if part)
    band = np.packbits(_band(left, f"{index + 1}/{header.pages}", page.width, page.resolution), axis=1)
    if page.height >= len(band) and not page.rows[: len(band)].any():
        return Page(np.concatenate([band, page.rows[len(band) :]]), page.width, page.resolution)
    return Page(np.concatenate([band, page.rows]), page.width, page.resolution)


def _band(left: str, right: str, width: int, resolution: Resolution) -> Pels:
    """White lines, one line of text, white lines; the text is cut before it meets the page number."""
    margin = width // 36
    number, text = _set(right, resolution), _set(left, resolution)
    above, below = (round(lines * resolution.y_dpi / FINE.y_dpi) for lines in (ABOVE, BELOW))
    band = np.zeros((above + len(text) + below, width), np.bool_)
    line = band[above : above + len(text)]
    if number.shape[1] + 2 * margin <= width:
        line[:, width - margin - number.shape[1] : width - margin] = number
    room = max(0, width - 3 * margin - number.shape[1])
    text = text[:, :room]
    line[:, margin : margin + text.shape[1]] = text
    return band


def _set(text: str, resolution: Resolution) -> Pels:
    """The pels of a line of text; letters beyond Latin-1 become question marks."""
    glyphs = _glyphs(STRIPS[steps(resolution)])
    return np.concatenate([glyphs.get(letter, glyphs[UNKNOWN]) for letter in text or " "], axis=1)


@cache
def _glyphs(resolution: str) -> dict[str, Pels]:
    """Letters to their pels, from `glyphs.npz`."""
    with resources.files(__package__).joinpath("glyphs.npz").open("rb") as file, np.load(file) as atlas:
        letters, own = str(atlas["letters"]), f"ends {resolution}"
        ends = atlas[own if own in atlas else "ends"]
        strip = np.unpackbits(atlas[resolution], axis=1, count=int(ends[-1])).astype(np.bool_)
    return dict(zip(letters, np.split(strip, ends[:-1], axis=1), strict=True))
