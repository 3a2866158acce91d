"""Grey pages to black and white: the kernels against NumPy, at every size and threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

SIZES = [(1, 1), (3, 7), (2, 8), (5, 9), (4, 1728), (33, 100), (3, 201), (0, 8)]
Grey = np.ndarray[Any, np.dtype[np.uint8]]
Counts = np.ndarray[Any, np.dtype[np.int32]]


def grey_page(height: int, width: int) -> Grey:
    return np.random.default_rng(height * width).integers(0, 256, (height, width)).astype(np.uint8)


def measured(
    kernel: Any, grey: Grey, threshold: int = 176, bounds: tuple[int, int] = (48, 208), tile: tuple[int, int] = (16, 16)
) -> tuple[Grey, Counts]:
    (height, width), (pels, lines) = grey.shape, tile
    rows = np.full((height, (width + 7) // 8), 0xAA, np.uint8)
    counts = np.full((-(-height // lines), -(-width // pels)), -1, np.int32)
    kernel.page_bilevel(grey, threshold, *bounds, pels, lines, np.empty(width, np.uint8), counts, rows)
    return rows, counts


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("threshold", [0, 1, 127, 128, 176, 254, 255])
def test_threshold(kernel_of: Callable[[str], Any], size: tuple[int, int], threshold: int) -> None:
    grey = grey_page(*size)
    rows, _ = measured(kernel_of("page"), grey, threshold)
    assert np.array_equal(np.unpackbits(rows, axis=1, count=size[1]), grey <= threshold)
    assert not np.unpackbits(rows, axis=1)[:, size[1] :].any()


def test_threshold_of_every_grey(kernel_of: Callable[[str], Any]) -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(1, -1)
    for threshold in range(256):
        rows, _ = measured(kernel_of("page"), grey, threshold)
        assert np.unpackbits(rows).sum() == threshold + 1


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("tile", [(1, 1), (16, 16), (8, 30), (255, 255)], ids=str)
@pytest.mark.parametrize("bounds", [(48, 208), (0, 255), (7, 7)], ids=str)
def test_mid_greys(
    kernel_of: Callable[[str], Any], size: tuple[int, int], tile: tuple[int, int], bounds: tuple[int, int]
) -> None:
    grey, (pels, lines), (low, high) = grey_page(*size), tile, bounds
    _, counts = measured(kernel_of("page"), grey, bounds=bounds, tile=tile)
    for down, across in np.ndindex(counts.shape):
        part = grey[down * lines : (down + 1) * lines, across * pels : (across + 1) * pels]
        assert counts[down, across] == np.count_nonzero((part >= low) & (part < high))
