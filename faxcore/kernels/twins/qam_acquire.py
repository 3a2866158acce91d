"""Twins of native/qam_acquire.c and native/qam_fit.c: what an acquisition does with every sample and symbol.

"Half-symbol samples" are outputs of the matched filter, half a symbol apart. A window of TAPS of them, weighted by the
equaliser's taps, is the output at a symbol; the windows of neighbouring symbols are two further.
"""

from __future__ import annotations

import cmath
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from faxcore.kernels.twins.qam import BLOCK, FRONT, LINES, TAPS, dot, matched


def qam_front(
    samples: NDArray[np.int16], bank: NDArray[np.int16], clock: int, step: int, turn: float, out: NDArray[np.complex64]
) -> None:
    """Matched-filter outputs that begin at `clock` and every `step` after it (2^-32 samples), the carrier turned back.

    Clocks before and after the samples count as the first and the last; each output is turned by `turn` radians more
    than the one before, the first not at all.
    """
    clocks = np.clip(clock + step * np.arange(len(out)), 0, (len(samples) - FRONT - 1) << 32)
    values, carrier, back = matched(samples, bank, clocks), 1 + 0j, cmath.rect(1, -turn)
    for i, value in enumerate(values):
        out[i] = complex(value) * carrier
        carrier *= back


def qam_energy(samples: NDArray[np.int16], lines: NDArray[np.float32]) -> float:
    """Energy of whole blocks of samples, without direct current and hum."""
    blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK).astype(np.float32)
    rest = dot(blocks, blocks)
    for slow in lines[2 * LINES :]:
        part = dot(blocks, slow)
        rest = rest - part * part
    return float(np.sum(rest, dtype=np.float64))


def qam_correlate(
    halves: NDArray[np.complex64], known: NDArray[np.complex64], scores: NDArray[np.complex64]
) -> None:
    """Correlation of each chunk of known points (chunks, points), for each place where the first may be.

    `scores` (places, chunks): places are half symbols, each the next item of `halves`.
    """
    places, by_re, by_im = len(scores), np.zeros(scores.shape, np.complex64), np.zeros(scores.shape, np.complex64)
    for c, chunk in enumerate(known):
        for k, point in enumerate(chunk):
            at = 2 * (c * len(chunk) + k)
            by_re[:, c] += point.real * halves[at : at + places]
            by_im[:, c] += point.imag * halves[at : at + places]
    scores.real, scores.imag = by_re.real + by_im.imag, by_re.imag - by_im.real


def qam_fit(
    halves: NDArray[np.complex64], targets: NDArray[np.complex64], taps: NDArray[np.complex128],
    centre: int, ridge: float,
) -> None:  # fmt: skip
    """Equaliser taps that bring each window of half-symbol samples to its target, by regularised least squares.

    What the targets leave open is held towards the best single tap, at `centre`; `ridge` is the weight of that
    relative to the mean power of the samples. Kernel and twin agree within 1e-9 of the largest tap.
    """
    windows = _windows(halves, 0, len(targets))
    normal, aim = windows.conj().T @ windows, windows.conj().T @ targets.astype(np.complex128)
    load = ridge * np.trace(normal).real / TAPS
    prior = np.zeros(TAPS, np.complex128)
    prior[centre] = aim[centre] / normal[centre, centre].real
    taps[:] = np.linalg.solve(normal + load * np.eye(TAPS), aim + load * prior)


def qam_refine(
    halves: NDArray[np.complex64], targets: NDArray[np.complex64], taps: NDArray[np.complex128], unknowns: int
) -> tuple[float, float, complex, float, float, float, float]:
    """What the equaliser leaves over of known symbols, whose windows begin with the second of `halves`.

    Mean squared error and squared correlation, both relative; the turn that suits the symbols best; and after it
    (phase, moment, phase a symbol, moment a symbol) still to add: radians and half symbols, symbols counted from the
    middle. The first `unknowns` of these four are looked for, the rest are 0. Kernel and twin agree within 1e-5.
    """
    d = targets.astype(np.complex128)
    early, v, late = (_windows(halves, move, len(d)) @ taps for move in (0, 1, 2))
    error, match, power = np.sum(np.abs(d - v) ** 2), np.vdot(v, d), np.sum(np.abs(d) ** 2)
    turn = match / abs(match) if match else 1 + 0j
    v, slope = v * turn, 0.5 * (late - early) * turn
    k = np.arange(len(d)) - (len(d) - 1) / 2
    design = np.stack([1j * v, slope, 1j * v * k, slope * k])[:unknowns]
    found = np.zeros(4)
    found[:unknowns] = np.linalg.lstsq((design.conj() @ design.T).real, (design.conj() @ (d - v)).real, 1e-12)[0]
    likeness = abs(match) ** 2 / (np.sum(np.abs(v) ** 2) * power) if match else 0.0
    phase, move, phase_drift, move_drift = found.tolist()
    return float(error / power), float(likeness), complex(turn), phase, move, phase_drift, move_drift


def _windows(halves: NDArray[np.complex64], first: int, n: int) -> Any:
    return sliding_window_view(halves.astype(np.complex128), TAPS)[first : first + 2 * n : 2]
