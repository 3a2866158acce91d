"""Each kernel of native/qam_acquire.c and qam_fit.c against its twin, and the checks at its door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from faxcore import kernels
from faxcore.kernels import native
from faxcore.kernels.twins import qam as layout
from faxcore.kernels.twins import qam_acquire as twin
from faxcore.modem import v29
from faxcore.signals import V29_9600

SCHEME = v29.scheme(V29_9600)
CENTRE = 15


def fenced(values: Any) -> Any:
    """The same, in memory where what is read behind it shows."""
    return np.append(values, [np.nan] * 40).astype(np.complex64)[: len(values)]


def random_complex(seed: int, n: int) -> Any:
    random = np.random.default_rng(seed)
    return fenced(1000 * (random.standard_normal(n) + 1j * random.standard_normal(n)))


def random_samples(n: int) -> Any:
    return np.random.default_rng(4).integers(-19000, 19000, n).astype(np.int16)


@pytest.mark.parametrize(
    ("clock", "step", "turn"),
    [(7 << 29, 3 << 31, 1.1), (0, 0, 0.0), (-40 << 32, 123456789, -2.5), (260 << 32, 1 << 36, 7.0)],
)
def test_front(clock: int, step: int, turn: float, kernel_of: Any) -> None:
    """Also before and after the samples."""
    samples, out = random_samples(300), np.zeros((2, 150), np.complex64)
    kernel_of("qam_acquire").qam_front(samples, SCHEME.bank, clock, step, turn, out[0])
    twin.qam_front(samples, SCHEME.bank, clock, step, turn, out[1])
    assert np.array_equal(out[0], out[1])
    assert out[0].all()


def test_front_at_the_door() -> None:
    samples, out = random_samples(300), np.zeros(2, np.complex64)
    with pytest.raises(ValueError, match="samples"):
        native.qam_front(samples[:32], SCHEME.bank, 0, 0, 0.0, out)
    with pytest.raises(ValueError, match="bank"):
        native.qam_front(samples, SCHEME.bank[:, :1].copy(), 0, 0, 0.0, out)
    with pytest.raises(ValueError, match="out"):
        native.qam_front(samples, SCHEME.bank, 0, 0, 0.0, np.zeros((1 << 20) + 1, np.complex64))
    for wrong in ((2**60, 0, 0.0), (0, -1, 0.0), (0, 2**40, 0.0), (0, 0, np.nan), (0, 0, 1e9)):
        with pytest.raises(ValueError, match=r"clock|step|turn"):
            native.qam_front(samples, SCHEME.bank, *wrong, out)


@pytest.mark.parametrize("n", [0, 79, 80, 700])
def test_energy(n: int, kernel_of: Any) -> None:
    samples = random_samples(n)
    energy = kernel_of("qam_acquire").qam_energy(samples, SCHEME.lines)
    assert energy == pytest.approx(twin.qam_energy(samples, SCHEME.lines), rel=1e-12)
    assert (energy > 0) == (n >= 80)
    with pytest.raises(ValueError, match="lines"):
        native.qam_energy(samples, SCHEME.lines[:6])


def test_energy_of_what_is_slow_is_none() -> None:
    t = np.arange(400)
    hum, tone = 500 + 300 * np.sin(2 * np.pi * 50 / 8000 * t), 100 * np.sin(2 * np.pi * 1700 / 8000 * t)
    energy = native.qam_energy(np.round(hum + tone).astype(np.int16), SCHEME.lines)
    assert energy == pytest.approx(400 * 100**2 / 2, rel=0.05)


@pytest.mark.parametrize(("chunks", "length", "places"), [(1, 1, 16), (1, 38, 17), (7, 64, 204)])
def test_correlate(chunks: int, length: int, places: int, kernel_of: Any) -> None:
    halves, known = random_complex(1, places + 2 * chunks * length - 2), random_complex(2, chunks * length)
    scores, known = np.zeros((2, places, chunks), np.complex64), known.reshape(chunks, length)
    kernel_of("qam_acquire").qam_correlate(halves, known, scores[0])
    twin.qam_correlate(halves, known, scores[1])
    assert np.array_equal(scores[0], scores[1])
    plain = np.correlate(halves[: places + 2 * length - 2], np.insert(known[0], slice(1, None), 0), "valid")
    assert np.allclose(scores[0][:, 0], plain[:places], rtol=0, atol=1e-4 * np.abs(plain).max())


def test_correlate_at_the_door() -> None:
    halves, known = np.zeros(100, np.complex64), np.zeros((2, 21), np.complex64)
    scores = np.zeros((18, 2), np.complex64)
    native.qam_correlate(halves, known, scores)
    with pytest.raises(ValueError, match="halves"):
        native.qam_correlate(halves[1:], known, scores)
    with pytest.raises(ValueError, match="known"):
        native.qam_correlate(halves, known[:0], scores)
    for wrong in (scores[:15], scores[:, :1].copy()):
        with pytest.raises(ValueError, match="scores"):
            native.qam_correlate(halves, known, wrong)


@pytest.mark.parametrize("n", [1, 40, 432])
@pytest.mark.parametrize("centre", [0, 15, 31])
def test_fit(n: int, centre: int, kernel_of: Any) -> None:
    halves, targets, taps = random_complex(n, 2 * n + 30), random_complex(n + 1, n), np.zeros((2, 32), np.complex128)
    kernel_of("qam_acquire").qam_fit(halves, targets, taps[0], centre, 0.01)
    twin.qam_fit(halves, targets, taps[1], centre, 0.01)
    assert np.allclose(taps[0], taps[1], rtol=0, atol=1e-9 * np.abs(taps[1]).max())


def a_line(n: int) -> tuple[Any, Any, Any]:
    """Known points, halves that a filter makes of them with phase, moment and noise a little off, and taps for it."""
    random = np.random.default_rng(n)
    targets = np.exp(0.5j * np.pi * random.integers(0, 4, n + 40))
    at = np.arange(2 * n + 32) / 2 * (1 + 1e-4) + (layout.TAPS - CENTRE) / 2 + 0.03
    pulse = np.sinc(at[:, None] - np.arange(n + 40)) * np.exp(1j * (0.2 + 0.001 * np.arange(2 * n + 32)))[:, None]
    halves = fenced(1e6 * (pulse @ targets + 0.01 * random.standard_normal(2 * n + 32)))
    known, taps = fenced(targets[16 : n + 16]), np.zeros(layout.TAPS, np.complex128)
    twin.qam_fit(halves[1:-1], known, taps, CENTRE, 0.01)
    return halves, known, taps * np.exp(0.3j)


@pytest.mark.parametrize("unknowns", [0, 2, 4])
@pytest.mark.parametrize("n", [34, 48, 433])
def test_refine(n: int, unknowns: int, kernel_of: Any) -> None:
    given = *a_line(n), unknowns
    found, wanted = kernel_of("qam_acquire").qam_refine(*given), twin.qam_refine(*given)
    assert np.allclose(found, wanted, rtol=1e-5, atol=1e-5)
    assert found[2] == pytest.approx(np.exp(-0.3j), abs=0.05)  # what the taps are turned by
    assert all(value == 0 for value in found[3 + unknowns :])


def test_refine_finds_phase_and_moment(kernel_of: Any) -> None:
    """Halves taken too late, more so by the symbol, and turned: found as the opposite of what was done."""
    halves, known, taps = a_line(400)
    taps = taps * np.exp(-0.3j)
    k = np.arange(len(halves)) / 2 - 200
    at = np.arange(len(halves)) + 0.04 + 0.0003 * k  # in halves
    late = np.sinc(at[:, None] - np.arange(len(halves))) @ halves
    late = (late * np.exp(0.0002j * k)).astype(np.complex64)
    middle = slice(50, 350)
    found = kernel_of("qam_acquire").qam_refine(late[100 : 2 * 350 + 32], known[middle], taps, 4)
    before = kernel_of("qam_acquire").qam_refine(halves[100 : 2 * 350 + 32], known[middle], taps, 4)
    # The change over a whole symbol is less steep than the slope: moves come out up to half too large.
    assert 0.04 <= before[4] - found[4] <= 0.06
    assert before[5] - found[5] == pytest.approx(0.0002, abs=2e-5)
    assert 0.0003 <= before[6] - found[6] <= 0.00045


def test_refine_of_nothing(kernel_of: Any) -> None:
    """Silence tells of no phase and no moment."""
    halves, known, taps = np.zeros(112, np.complex64), np.ones(40, np.complex64), np.ones(32, np.complex128)
    found = kernel_of("qam_acquire").qam_refine(halves, known, taps, 4)
    assert found[0] == 1
    assert found[1:] == (0, 1, 0, 0, 0, 0)


@pytest.mark.parametrize("function", ["qam_fit", "qam_refine"])
def test_windows_at_the_door(function: str) -> None:
    halves, targets, taps = random_complex(1, 112), random_complex(2, 40), np.zeros(32, np.complex128)
    call, last = getattr(native, function), (15, 0.01) if function == "qam_fit" else (4,)
    with pytest.raises(ValueError, match="halves"):
        call(halves[3:], targets, taps, *last)
    with pytest.raises(ValueError, match="halves"):
        call(halves, targets[:0], taps, *last)
    with pytest.raises(ValueError, match="taps"):
        call(halves, targets, taps[1:], *last)
    for wrong in ((32, 0.01), (-1, 0.01), (15, 0.0), (15, np.nan)) if function == "qam_fit" else ((-1,), (5,)):
        with pytest.raises(ValueError, match=r"centre|ridge|unknowns"):
            call(halves, targets, taps, *wrong)


def fitted() -> bytes:
    taps = np.zeros(32, np.complex128)
    native.qam_fit(random_complex(3, 894), random_complex(4, 432), taps, 15, 0.01)
    return taps.tobytes()


def refined() -> bytes:
    return np.array(native.qam_refine(*a_line(400), 4)).tobytes()


@pytest.mark.parametrize("result", [fitted, refined])
def test_every_cpu_level_gives_the_same(result: Callable[[], bytes]) -> None:
    """GCC 12 made fused multiplies of it at some levels."""
    before, got = kernels.cpu_level(), set()
    for level in kernels.cpu_levels():
        kernels.select_cpu_level(level)
        got.add(result())
    kernels.select_cpu_level(before)
    assert len(got) == 1
