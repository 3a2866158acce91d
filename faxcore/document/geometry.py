"""Where a page of paper falls on the lines of a facsimile."""

from __future__ import annotations

from typing import NamedTuple

from faxcore.page import PAPER_SLACK, Paper, Resolution, line_pels

MM_PER_INCH = 25.4
FILLS_LINE_MM = {215: (205.0, 220.0), 255: (245.0, 261.0), 303: (290.0, 309.0)}
"""Paper that is printed from edge to edge, as every machine's scanner takes it: A4 and letter, B4, A3."""

class Size(NamedTuple):
    """Of a page of paper, in mm; `as_it_lies`: it already is lines of a facsimile and is not turned."""

    width_mm: float
    height_mm: float
    as_it_lies: bool = False


class Layout(NamedTuple):
    """A drawn page of lines of `line` pels: its content lies at `left` and is `width` x `height` pels.

    `turned`: by 90 degrees clockwise.
    """

    line: int
    left: int
    width: int
    height: int
    turned: bool


def paper(size: Size) -> Paper:
    """The narrowest line that a page fits on in its own size, and its length there."""
    width_mm, height_mm = size[:2]
    if not size.as_it_lies:
        width_mm, height_mm, _ = _upright(width_mm, height_mm)
    for line_mm, (_, widest) in FILLS_LINE_MM.items():
        if width_mm <= widest:
            return Paper(line_mm, height_mm)
    return Paper(line_mm, height_mm * line_mm / width_mm)


def layout(
    width_mm: float, height_mm: float, resolution: Resolution, line_mm: int = 215, longest_mm: float | None = None
) -> Layout:
    """The place of a page of paper on lines of 215, 255 or 303 mm, true in length [T.4 2.2].

    Landscape pages wider than A4 are turned. Paper that fills the line fills it exactly, narrower pages keep their
    scale and are centred, wider ones are scaled down to the line, and pages longer than `longest_mm` to that.
    """
    width_mm, height_mm, turned = _upright(width_mm, height_mm)
    narrowest, widest = FILLS_LINE_MM[line_mm]
    line = line_pels(line_mm, resolution)
    if width_mm > widest:
        true_mm = line / resolution.x_dpi * MM_PER_INCH
        width_mm, height_mm = true_mm, height_mm * true_mm / width_mm
    fills = width_mm >= narrowest
    if longest_mm is not None and height_mm > longest_mm * PAPER_SLACK:
        width_mm, height_mm, fills = width_mm * longest_mm / height_mm, longest_mm, False
    width = line if fills else max(1, round(width_mm / MM_PER_INCH * resolution.x_dpi))
    height = max(1, round(height_mm / MM_PER_INCH * resolution.y_dpi))
    return Layout(line, (line - width) // 2, width, height, turned)


def longest_lines(longest_mm: float | None, resolution: Resolution) -> int | None:
    """Lines of a page that is as long as the paper, with what may hang over its end."""
    return None if longest_mm is None else round(longest_mm * PAPER_SLACK / MM_PER_INCH * resolution.y_dpi)


def _upright(width_mm: float, height_mm: float) -> tuple[float, float, bool]:
    if width_mm > height_mm and width_mm > FILLS_LINE_MM[215][1]:
        return height_mm, width_mm, True
    return width_mm, height_mm, False
