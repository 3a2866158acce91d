"""From grey to black and white: text and line art by threshold, photographs by error diffusion, never both mixed.

Runs in the drawing process. A photograph is told from print by its mid-greys: print has them along edges only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

# The lightest grey that becomes black. A hairline is one pel wide or somewhat less and may fall between two
# lines: each then has at worst a grey of 169 at standard resolution, so anything from 170 up keeps it.
THRESHOLD = 176
MID_GREY = (48, 208)
PHOTO_SHARE = 0.3  # of mid-grey pels in an image that is a photograph from edge to edge
TILE_SHARE = 0.5  # of mid-grey pels around a tile of a photograph inside a scanned page
TILE_PELS = 16
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


def bilevel(grey: Grey, tile_lines: int, images: Callable[[], Iterable[Box]]) -> npt.NDArray[np.uint8]:
    """Packed rows of a grey page, shape (height, width // 8 rounded up), 1 = black.

    `grey` is uint8 (height, width), 255 = white; a tile of `tile_lines` lines and 16 pels should be about
    square on paper. `images` is asked for the places of images only when the page has photographic greys.
    """
    black = grey <= THRESHOLD
    tiles = _mid_grey_share(grey, tile_lines)
    if (tiles > TILE_SHARE).any():
        for box in images():
            _diffuse_photo(grey, black, tile_lines, box)
    return np.packbits(black, axis=1)


def _diffuse_photo(grey: Grey, black: Mask, tile_lines: int, box: Box) -> None:
    place = np.s_[max(box.top, 0) : max(box.bottom, 0), max(box.left, 0) : max(box.right, 0)]
    part = grey[place]
    if not part.size:
        return
    if box.solid and _mid_grey(part).mean() > PHOTO_SHARE:
        black[place] = error_diffusion(part, tile_lines)
        return
    photo = _photo_tiles(_mid_grey_share(part, tile_lines))
    if photo.any():
        mask = np.repeat(np.repeat(photo, tile_lines, axis=0), TILE_PELS, axis=1)[: part.shape[0], : part.shape[1]]
        black[place] = np.where(mask, error_diffusion(np.where(part < PAPER, part, WHITE), tile_lines), black[place])


def error_diffusion(grey: Grey, tile_lines: int) -> Mask:
    """Floyd and Steinberg's error diffusion; true = black.

    Dots are two lines high at superfine: flat ones would double the time of the call and show nothing more.
    """
    lines = max(1, tile_lines // TILE_PELS)
    dots = Image.fromarray(grey).reduce((1, lines)).convert("1")
    return np.repeat(~np.asarray(dots), lines, axis=0)[: len(grey)]


def _mid_grey(grey: Grey) -> Mask:
    low, high = MID_GREY
    return (grey - np.uint8(low)) < np.uint8(high - low)


def _mid_grey_share(grey: Grey, tile_lines: int) -> npt.NDArray[np.float32]:
    """Share of mid-grey pels in each tile; the last tiles may be cut by the edge."""
    mid = _mid_grey(grey).view(np.uint8)
    height, width = mid.shape
    if height % tile_lines or width % TILE_PELS:
        mid = np.pad(mid, ((0, -height % tile_lines), (0, -width % TILE_PELS)))
    columns = mid.reshape(-1, tile_lines, mid.shape[1]).sum(axis=1, dtype=np.uint8)
    counts = columns.reshape(len(columns), -1, TILE_PELS).sum(axis=2, dtype=np.float32)
    return np.asarray(counts / (tile_lines * TILE_PELS), np.float32)


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
