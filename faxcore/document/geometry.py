"""Where a page of paper falls on a line of 1728 pels."""

from __future__ import annotations

from typing import NamedTuple

from faxcore.page import A4_WIDTH, FINE, Resolution

MM_PER_INCH = 25.4
LINE_MM = A4_WIDTH / FINE.x_dpi * MM_PER_INCH
FILLS_LINE_MM = (205.0, 220.0)  # A4 and letter: printed from edge to edge, as every machine's scanner takes them


class Layout(NamedTuple):
    """A drawn page: its content lies at `left` and is `width` x `height` pels; `turned` by 90 degrees clockwise."""

    left: int
    width: int
    height: int
    turned: bool


def layout(width_mm: float, height_mm: float, resolution: Resolution) -> Layout:
    """The place of a page of paper, true in length [T.4 2.2].

    Landscape pages wider than the line are turned. A width of 205 to 220 mm fills the line exactly; narrower
    pages keep their scale and are centred, wider ones are scaled down to the line.
    """
    narrowest, widest = FILLS_LINE_MM
    turned = width_mm > height_mm and width_mm > widest
    if turned:
        width_mm, height_mm = height_mm, width_mm
    if width_mm > widest:
        height_mm *= LINE_MM / width_mm
    width = A4_WIDTH if width_mm >= narrowest else max(1, round(width_mm / MM_PER_INCH * resolution.x_dpi))
    height = max(1, round(height_mm / MM_PER_INCH * resolution.y_dpi))
    return Layout((A4_WIDTH - width) // 2, width, height, turned)
