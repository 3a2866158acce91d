"""Where a counted error curve crosses an error rate: lines whose crossing is known, and curves that say nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.cells import Cell, Count
from benchmarks.impairments import Channel
from benchmarks.robustness import Threshold, threshold


def found(snr: list[float], errors: list[int], bits: int = 10**6) -> Threshold:
    cells = [Cell("data", "v29", 9600, Channel(x), bits) for x in snr]
    return threshold(cells, [Count(10, 0, bits, n, n) for n in errors], 1e-4)


@pytest.mark.parametrize("crossing", [17.0, 18.3])
@pytest.mark.parametrize("decades", [0.5, 2.0])
def test_a_straight_line(crossing: float, decades: float) -> None:
    snr = np.arange(crossing - 1, crossing + 2, 0.5)
    errors = np.rint(100 * 10 ** (-decades * (snr - crossing)))
    assert found(snr.tolist(), errors.astype(int).tolist()).snr_db == pytest.approx(crossing, abs=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_few_errors_and_cells_without_any(seed: int) -> None:
    snr = np.arange(16.5, 19.6, 0.5)
    errors = np.random.default_rng(seed).poisson(20 * 10 ** (-1.2 * (snr - 17.5)))
    at = found(snr.tolist(), errors.tolist(), 200_000)
    assert abs(at.snr_db - 17.5) < 2 * at.half_width < 1.0


@pytest.mark.parametrize("errors", [[0, 0, 0], [0, 5, 0], [3, 3, 3], [1, 4, 9], [0, 0, 1]])
def test_a_curve_that_does_not_fall_says_nothing(errors: list[int]) -> None:
    at = found([16.0, 17.0, 18.0], errors)
    assert math.isnan(at.snr_db)
    assert math.isnan(at.half_width)


def test_one_cell_again_and_again_says_nothing() -> None:
    assert math.isnan(found([17.0, 17.0], [90, 80]).snr_db)
