"""Grey pages to black and white: the kernels against NumPy, at every size and threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

SIZES = [(1, 1), (3, 7), (2, 8), (5, 9), (4, 1728), (33, 100), (0, 8)]


def grey_page(height: int, width: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(height * width).integers(0, 256, (height, width)).astype(np.uint8)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("threshold", [0, 1, 127, 128, 176, 254, 255])
def test_threshold(kernel_of: Callable[[str], Any], size: tuple[int, int], threshold: int) -> None:
    grey = grey_page(*size)
    rows = np.full((size[0], (size[1] + 7) // 8), 0xAA, np.uint8)
    kernel_of("page").page_threshold(grey, threshold, rows)
    assert np.array_equal(np.unpackbits(rows, axis=1, count=size[1]), grey <= threshold)
    assert not np.unpackbits(rows, axis=1)[:, size[1] :].any()


def test_threshold_of_every_grey(kernel_of: Callable[[str], Any]) -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(1, -1)
    for threshold in range(256):
        rows = np.zeros((1, 32), np.uint8)
        kernel_of("page").page_threshold(grey, threshold, rows)
        assert np.unpackbits(rows).sum() == threshold + 1


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("tile", [(1, 1), (16, 16), (8, 30), (255, 255)], ids=str)
@pytest.mark.parametrize("bounds", [(48, 208), (0, 255), (7, 7)], ids=str)
def test_mid_greys(
    kernel_of: Callable[[str], Any], size: tuple[int, int], tile: tuple[int, int], bounds: tuple[int, int]
) -> None:
    grey, (pels, lines), (low, high) = grey_page(*size), tile, bounds
    counts = np.full((-(-size[0] // lines), -(-size[1] // pels)), -1, np.int32)
    kernel_of("page").page_mid_greys(grey, low, high, pels, lines, np.empty(size[1], np.uint8), counts)
    for down, across in np.ndindex(counts.shape):
        part = grey[down * lines : (down + 1) * lines, across * pels : (across + 1) * pels]
        assert counts[down, across] == np.count_nonzero((part >= low) & (part < high))
