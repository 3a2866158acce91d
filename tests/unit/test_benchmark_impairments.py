"""The robustness table: its channel does what it says, its counts and bounds are those of the books."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks import impairments
from benchmarks.cells import Count
from benchmarks.engines import Heard
from benchmarks.impairments import LEAD, TAIL, Channel, carry
from faxcore import modem
from faxcore.units import dbm0_of_rms

Real = npt.NDArray[np.float64]


def burst(seconds: float = 2.0) -> npt.NDArray[np.int16]:
    bits = np.random.default_rng(1).integers(0, 2, round(9600 * seconds))
    return modem.modulate(bits, "v29", 9600)


def tone(hz: float, seconds: float = 2.0) -> Real:
    return 10000 * np.cos(2 * np.pi * hz / 8000 * np.arange(round(8000 * seconds)))


def rms(samples: npt.ArrayLike) -> float:
    return float(np.sqrt(np.mean(np.asarray(samples, np.float64) ** 2)))


def frequency(samples: Real) -> float:
    """Of one tone: the slope of its phase."""
    n = np.arange(len(samples))
    turned = samples * np.exp(-2j * np.pi * 1700 / 8000 * n)
    low = np.convolve(turned, np.hanning(400), "valid")
    return 1700 + float(np.polyfit(np.arange(len(low)), np.unwrap(np.angle(low)), 1)[0]) * 8000 / (2 * np.pi)


@pytest.mark.parametrize("line", ["flat", "slope", "echo 3 ms"])
@pytest.mark.parametrize("level", [-13.0, -40.0])
def test_noise_is_so_far_below_what_arrives_over_the_whole_band(line: str, level: float) -> None:
    clean = carry(burst(), Channel(level_dbm0=level, line=line), 1).astype(np.float64)
    noisy = carry(burst(), Channel(snr_db=15.0, level_dbm0=level, line=line), 1)
    noise = noisy - clean
    data = slice(LEAD + 4000, LEAD + 16000)
    assert dbm0_of_rms(rms(clean[data])) == pytest.approx(level, abs=0.1)
    assert 20 * np.log10(rms(clean[data]) / rms(noise)) == pytest.approx(15.0, abs=0.15)
    halves = np.abs(np.fft.rfft(noise)) ** 2
    assert halves[: len(halves) // 2].sum() == pytest.approx(halves[len(halves) // 2 :].sum(), rel=0.05)


def test_noise_before_the_burst_is_there_or_not() -> None:
    before = carry(burst(), Channel(snr_db=20.0, noise_before=True), 2)
    quiet = carry(burst(), Channel(snr_db=20.0, noise_before=False), 2)
    assert rms(before[:LEAD]) == pytest.approx(rms(before[200 - TAIL :]), rel=0.1)
    assert rms(quiet[:LEAD]) < 1
    start = np.flatnonzero(before != quiet)[-1] + 1
    late = 160  # at most: a burst begins anywhere in 20 ms
    assert LEAD + 160 <= start <= LEAD + 240 + late, "V.29's 20 ms without energy, and the front of its first pulse"


def test_a_seed_is_a_noise() -> None:
    channel = Channel(snr_db=20.0)
    assert np.array_equal(carry(burst(), channel, 3), carry(burst(), channel, 3))
    assert not np.array_equal(carry(burst(), channel, 3), carry(burst(), channel, 4))


def test_a_burst_is_late_by_parts_of_a_sample_and_turned() -> None:
    n = np.arange(16000)
    got = impairments.offset(tone(1700.0), 0.0, 0.0, 40.3, 1.0)
    wanted = 10000 * np.cos(2 * np.pi * 1700 / 8000 * (n - 40.3) + 1.0)
    assert rms((got - wanted)[600:-600]) < 1e-3 * rms(wanted)


@pytest.mark.parametrize("hz", [-15.0, 7.0])
def test_carrier_offset_moves_every_frequency_alike(hz: float) -> None:
    for sent in (1600.0, 1900.0):
        assert frequency(impairments.offset(tone(sent), hz, 0.0)[400:-400]) == pytest.approx(sent + hz, abs=0.01)


@pytest.mark.parametrize("ppm", [-400.0, 100.0])
def test_clock_offset_stretches_time(ppm: float) -> None:
    n = np.arange(16000)
    for hz in (1000.0, 3000.0):
        wanted = 10000 * np.cos(2 * np.pi * hz / 8000 * n * (1 + 1e-6 * ppm))
        got = impairments.offset(tone(hz), 0.0, ppm)
        assert rms((got - wanted)[400:-400]) < 1e-3 * rms(wanted)


@pytest.mark.parametrize("line", list(impairments.ATTENUATIONS))
def test_line_filters_attenuate_as_given(line: str) -> None:
    response = np.abs(np.fft.rfft(impairments.impulse_response(line)))
    for hz, db in zip(impairments.FREQUENCIES, impairments.ATTENUATIONS[line], strict=True):
        if 300 <= hz <= 3200:
            assert 20 * np.log10(response[round(hz * impairments.FILTER / 8000)]) == pytest.approx(-db, abs=0.3)


@pytest.mark.parametrize("line", list(impairments.DELAYS))
def test_line_filters_delay_as_given(line: str) -> None:
    step = 8000 / impairments.FILTER
    spectrum = np.fft.rfft(np.roll(impairments.impulse_response(line), -impairments.FILTER // 2))
    delay_ms = -1000 * np.diff(np.unwrap(np.angle(spectrum))) / (2 * np.pi * step)
    for hz, ms in zip(impairments.FREQUENCIES, impairments.DELAYS[line], strict=True):
        if 500 <= hz <= 3200:
            assert delay_ms[round(hz / step)] == pytest.approx(ms, abs=0.1)


def test_an_echo_is_a_later_copy() -> None:
    response = impairments.impulse_response("echo 3 ms")
    middle = impairments.FILTER // 2
    assert response[middle] == pytest.approx(1.0, abs=0.01)
    assert response[middle + 24] == pytest.approx(10 ** (-18 / 20), abs=0.01)


def test_the_law_is_that_of_the_network() -> None:
    assert len(np.unique(carry(burst(), Channel(law="a"), 1))) <= 256
    assert len(np.unique(carry(burst(), Channel(), 1))) > 1000


def test_a_count_tells_errors_from_lost_bursts() -> None:
    bits = np.zeros(1000, np.uint8)
    two_events = bits.copy()
    two_events[[10, 12, 30, 500]] = 1
    count = Count()
    count.add(Heard(True, bits), bits)
    count.add(Heard(True, two_events), bits)
    count.add(Heard(True, bits[:900]), bits)  # a tenth did not come
    count.add(Heard(False, bits), bits)
    assert (count.bursts, count.failed, count.bits, count.errors, count.events) == (4, 2, 2000, 4, 2)
    low, high = count.error_bounds
    assert low < count.error_rate < high


def test_bounds_are_those_of_the_tables() -> None:
    assert Count(bursts=300).success_bounds == pytest.approx((0.98778, 1.0), abs=1e-5)
    assert Count(bursts=10, failed=1).success_bounds == pytest.approx((0.55498, 0.99747), abs=1e-5)
    assert Count(bits=1000).error_bounds == pytest.approx((0.0, 3.6889e-3), abs=1e-7)
    assert Count(bits=1000, errors=10, events=10).error_bounds == pytest.approx((4.7954e-3, 18.3904e-3), abs=1e-7)


def test_direct_current_and_hum_are_added() -> None:
    clean = carry(burst(), Channel(level_dbm0=-20.0), 3).astype(np.float64)
    more = carry(burst(), Channel(level_dbm0=-20.0, dc=200, hum_dbm0=-30.0), 3) - clean
    assert np.mean(more) == pytest.approx(200, abs=2)
    assert dbm0_of_rms(rms(more - np.mean(more))) == pytest.approx(-30.0, abs=0.1)
    assert frequency_of_hum(more) == pytest.approx(50.0, abs=0.1)


def frequency_of_hum(samples: Real) -> float:
    spectrum = np.abs(np.fft.rfft((samples - np.mean(samples)) * np.hanning(len(samples)), 8 * len(samples)))
    return float(np.argmax(spectrum)) / (8 * len(samples)) * 8000
