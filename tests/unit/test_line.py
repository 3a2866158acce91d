"""The simulated line: delay, gain, companding exact; noise of the right level, shape and independence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from faxcore import g711, line
from faxcore.kernels import native
from faxcore.kernels.twins import line as twin
from faxcore.line import Line

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)
KEY = np.array([0x12345678, 0x9ABCDEF0, 0x0F1E2D3C], np.uint32)


@pytest.fixture
def noise() -> np.ndarray:
    """A million samples of noise at 10 000 RMS, scaled to RMS 1."""
    out = np.empty(1_000_000, np.int16)
    native.line_carry(np.zeros_like(out), out, 0, KEY, 1.0, 5000.0, 0)
    return out / 5000.0


@pytest.mark.parametrize("law", [0, 1, 2])
@pytest.mark.parametrize(("gain", "sigma"), [(1.0, 0.0), (0.3, 0.0), (1.0, 7.3), (0.9, 3000.0), (10.0, 0.01)])
def test_kernels_agree_with_the_twin_to_the_bit(kernel_of: Any, law: int, gain: float, sigma: float) -> None:
    for position, first, last in ((0, 0, 65536), (2**32 - 5, 0, 777), (2**40 + 3, 30_000, 30_001)):
        samples = EVERY_SAMPLE[first:last]
        wanted, found = np.empty_like(samples), np.empty_like(samples)
        twin.line_carry(samples, wanted, position, KEY, gain, sigma, law)
        kernel_of("line").line_carry(samples, found, position, KEY, gain, sigma, law)
        assert np.array_equal(found, wanted)


@pytest.mark.parametrize("law", g711.LAWS)
def test_companding_is_g711(law: str) -> None:
    assert np.array_equal(Line(law=law).direction(0).carry(EVERY_SAMPLE), g711.through(EVERY_SAMPLE, law))


def test_a_clean_line_carries_a_copy() -> None:
    carried = Line(law=None).direction(1).carry(EVERY_SAMPLE)
    assert np.array_equal(carried, EVERY_SAMPLE)
    assert not np.shares_memory(carried, EVERY_SAMPLE)


def test_gain_rounds_and_saturates() -> None:
    carried = Line(law=None, gain_db=6.0).direction(0).carry(EVERY_SAMPLE)
    wanted = np.clip(np.rint(EVERY_SAMPLE * 10 ** (6 / 20)), -32768, 32767)
    assert np.abs(carried - wanted).max() <= 1
    assert (carried == wanted).mean() > 0.999


@pytest.mark.parametrize("parts", [[65536], [1] * 50, [100, 0, 1, 4000], [7, 160, 160]], ids=str)
def test_delay_and_chunks(parts: list[int]) -> None:
    simulated = Line(noise_dbm0=-40.0, law="a", gain_db=-3.0, delay=0.0125, seed=9)
    whole = simulated.direction(0).carry(EVERY_SAMPLE)
    way = simulated.direction(0)
    assert way.delay_samples == 100
    pieces = np.split(EVERY_SAMPLE, np.minimum(np.cumsum(parts), len(EVERY_SAMPLE)))
    assert np.array_equal(np.concatenate([way.carry(piece) for piece in pieces]), whole)
    clean = Line(law=None, delay=0.0125).direction(0).carry(EVERY_SAMPLE)
    assert not clean[:100].any()
    assert np.array_equal(clean[100:], EVERY_SAMPLE[:-100])


def test_noise_level() -> None:
    out = Line(noise_dbm0=-30.0, law=None, seed=1).direction(0).carry(np.zeros(400_000, np.int16)).astype(float)
    assert 3.14 + 20 * math.log10(out.std() * math.sqrt(2) / 32768) == pytest.approx(-30.0, abs=0.03)


def test_noise_moments(noise: np.ndarray) -> None:
    assert abs(noise.mean()) < 0.005
    assert noise.std() == pytest.approx(1.0, abs=0.005)
    assert abs(stats.skew(noise)) < 0.015
    assert abs(stats.kurtosis(noise)) < 0.03


def test_noise_is_gaussian_to_its_tails(noise: np.ndarray) -> None:
    """Counts beyond 1 to 4.5 sigma within five standard errors; the distance of the distributions."""
    for sigma in (1, 2, 3, 3.5, 4, 4.5):
        wanted = 2 * stats.norm.sf(sigma) * len(noise)
        assert abs((np.abs(noise) > sigma).sum() - wanted) < 5 * math.sqrt(wanted)
    assert 4.5 < np.abs(noise).max() < 6
    assert stats.kstest(noise, "norm").statistic < 0.002


def test_noise_is_white(noise: np.ndarray) -> None:
    for lag in (1, 2, 3, 7, 16, 64, 160, 4096):
        assert abs(np.mean(noise[lag:] * noise[:-lag])) < 0.005
        assert abs(np.mean(noise[lag:] ** 2 * noise[:-lag] ** 2) - 1) < 0.015
    power = (np.abs(np.fft.rfft(noise.reshape(-1, 1000), axis=1)) ** 2).mean(axis=0)[1:-1] / 1000
    assert np.abs(power - 1).max() < 0.2


def test_directions_and_seeds_are_independent() -> None:
    silence = np.zeros(100_000, np.int16)
    lines = [Line(noise_dbm0=-20.0, law=None, seed=seed).direction(k).carry(silence).astype(float)
             for seed in (0, 1, 2**63) for k in (0, 1)]
    correlation = np.corrcoef(lines) - np.eye(len(lines))
    assert np.abs(correlation).max() < 0.02


@pytest.mark.parametrize("arguments", [
    {"noise_dbm0": 1.0}, {"noise_dbm0": float("nan")}, {"noise_dbm0": "x"}, {"law": "u"}, {"law": []},
    {"gain_db": 21}, {"gain_db": float("inf")}, {"delay": -0.1}, {"delay": 3}, {"delay": None}, {"seed": -1},
    {"seed": 1.5}, {"seed": 2**64}], ids=repr)
def test_arguments(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        Line(**arguments)


@pytest.mark.parametrize("index", [-1, 2, None, "0"])
def test_directions(index: Any) -> None:
    with pytest.raises(ValueError, match="directions"):
        Line().direction(index)


@pytest.mark.parametrize("garbage", [None, b"ab", [1], np.zeros(4), np.zeros((2, 2), np.int16),
                                     np.zeros(8, np.int16)[::2]],
                         ids=repr)
@pytest.mark.parametrize("kind", [{}, {"law": None}, {"law": None, "delay": 0.1}], ids=repr)
def test_garbage_at_the_door(garbage: Any, kind: dict[str, Any]) -> None:
    if kind and isinstance(garbage, np.ndarray) and garbage.dtype == np.int16 and garbage.ndim == 1:
        assert len(Line(**kind).direction(0).carry(garbage)) == len(garbage)  # strides do no harm here
        return
    with pytest.raises((TypeError, ValueError)):
        Line(**kind).direction(0).carry(garbage)


def test_numbers_of_numpy_are_numbers() -> None:
    simulated = Line(noise_dbm0=np.float32(-50), gain_db=np.int64(-3), delay=np.float64(0.01), seed=np.uint64(7))
    plain = Line(noise_dbm0=-50.0, gain_db=-3.0, delay=0.01, seed=7)
    assert np.array_equal(simulated.direction(0).carry(EVERY_SAMPLE), plain.direction(0).carry(EVERY_SAMPLE))


@pytest.mark.parametrize("change", [{0: [1]}, {1: np.zeros(3, np.int16)}, {2: -1}, {3: KEY[:2]}, {3: KEY.astype(float)},
                                    {4: float("nan")}, {5: -1.0}, {6: 3}, {6: "mu"}], ids=repr)
def test_garbage_at_the_kernel(change: dict[int, Any]) -> None:
    arguments = [EVERY_SAMPLE, np.empty_like(EVERY_SAMPLE), 0, KEY, 1.0, 0.0, 0]
    for k, value in change.items():
        arguments[k] = value
    with pytest.raises((TypeError, ValueError)):
        native.line_carry(*arguments)


def test_laws_have_the_numbers_of_the_kernel() -> None:
    assert line._LAWS == {None: 0, "mu": 1, "a": 2}
