"""From grey to black and white: text and line art by threshold, photographs by error diffusion, never both mixed.

Runs in the drawing process. A photograph is told from print by its mid-greys: print has them along edges only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from faxcore.kernels import native

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Tile = tuple[int, int]
"""Pels and lines of a part of a page that is about square on paper."""

# The lightest grey that becomes black. A hairline is one pel wide or somewhat less and may fall between two
# lines: each then has at worst a grey of 169 at standard resolution, so anything from 170 up keeps it.
THRESHOLD = 176
MID_GREY = (48, 208)
PHOTO_SHARE = 0.3  # of mid-grey pels in an image that is a photograph from edge to edge
TILE_SHARE = 0.5  # of mid-grey pels around a tile of a photograph inside a scanned page
DOT = 16  # the part of a tile's pels and lines that is the dot of a photograph
WHITE = np.uint8(255)
PAPER = 228  # as a scanner sees it: no dots on it beside a photograph
HOLE = 4  # a light or dark place in a photograph may be twice as many tiles, 16 mm, across


class Box(NamedTuple):
    """A rectangle of pels; `solid`: an upright image and nothing else lies in it."""

    left: int
    top: int
    right: int
    bottom: int
    solid: bool = True


def bilevel(grey: Grey, tile: Tile, images: Callable[[], Iterable[Box]]) -> npt.NDArray[np.uint8]:
    """Packed rows of a grey page, shape (height, width // 8 rounded up), 1 = black.

    `grey` is uint8 (height, width), 255 = white. `images` is asked for the places of images only when the page has
    photographic greys.
    """
    rows, mid_grey_share = _measured(grey, tile)
    if (mid_grey_share > TILE_SHARE).any():
        black = grey <= THRESHOLD
        for box in images():
            _diffuse_photo(grey, black, tile, box)
        return np.packbits(black, axis=1)
    return rows


def _diffuse_photo(grey: Grey, black: Mask, tile: Tile, box: Box) -> None:
    place = np.s_[max(box.top, 0) : max(box.bottom, 0), max(box.left, 0) : max(box.right, 0)]
    part = grey[place]
    if not part.size:
        return
    if box.solid and _mid_grey(part).mean() > PHOTO_SHARE:
        black[place] = error_diffusion(part, tile)
        return
    photo = _photo_tiles(_measured(part, tile)[1])
    if photo.any():
        mask = np.repeat(np.repeat(photo, tile[1], axis=0), tile[0], axis=1)[: part.shape[0], : part.shape[1]]
        black[place] = np.where(mask, error_diffusion(np.where(part < PAPER, part, WHITE), tile), black[place])


def error_diffusion(grey: Grey, tile: Tile) -> Mask:
    """Floyd and Steinberg's error diffusion; true = black.

    Dots are as large at 400 pels per inch as at 200: smaller ones would double the time of the call and show nothing
    more.
    """
    across, down = (max(1, size // DOT) for size in tile)
    dots = ~np.asarray(Image.fromarray(grey).reduce((across, down)).convert("1"))
    if across > 1:
        dots = np.repeat(dots, across, axis=1)
    return np.repeat(dots, down, axis=0)[: grey.shape[0], : grey.shape[1]]


def _mid_grey(grey: Grey) -> Mask:
    low, high = MID_GREY
    return (grey - np.uint8(low)) < np.uint8(high - low)


def _measured(grey: Grey, tile: Tile) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Packed rows by threshold, and the share of mid-grey pels in each tile; the last ones may be cut by the edge."""
    (height, width), (pels, lines) = grey.shape, tile
    counts = np.empty((-(-height // lines), -(-width // pels)), np.int32)
    rows = np.empty((height, (width + 7) // 8), np.uint8)
    native.page_bilevel(
        np.ascontiguousarray(grey), THRESHOLD, *MID_GREY, pels, lines, np.empty(width, np.uint8), counts, rows
    )
    return rows, np.asarray(counts / (lines * pels), np.float32)


def _photo_tiles(share: npt.NDArray[np.float32]) -> Mask:
    """Tiles whose surroundings are mid-grey, with the holes between them and a photograph's edge."""
    around = _window(share, 2) / _window(np.ones_like(share), 2)
    return _grown(~_grown(~_grown(around > TILE_SHARE, HOLE), HOLE), 1)


def _grown(tiles: Mask, reach: int) -> Mask:
    return _window(tiles.astype(np.float32), reach) > 0


def _window(values: npt.NDArray[np.float32], reach: int) -> npt.NDArray[np.float32]:
    """Sums over a square of 2 * reach + 1 tiles."""
    sums = values
    for axis in (0, 1):
        pads = [(0, 0), (0, 0)]
        pads[axis] = (reach, reach)
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(sums, pads), 2 * reach + 1, axis=axis)
        sums = np.asarray(windows.sum(axis=-1), np.float32)
    return sums
