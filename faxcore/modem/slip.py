"""Lock again within the data: what a receiver does when its decisions no longer fit.

A jitter buffer or a clock that slipped inserted or dropped samples. Equaliser, carrier and clock rates are still those
of the training; a new moment within the symbol and a new phase bring the decisions back.
"""

from __future__ import annotations

import cmath
import math
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from faxcore.kernels import native
from faxcore.kernels.twins import qam as layout
from faxcore.modem.acquisition import Halves, Lock, Rest, front
from faxcore.units import SAMPLE_RATE

if TYPE_CHECKING:
    from faxcore.modem.scheme import Scheme

MOMENTS, PHASES = 12, 24
"""Places within a symbol and within a quarter of a turn that are tried."""

SYMBOLS = 64
"""Symbols that decide, where the samples kept have so many."""


class Relock(NamedTuple):
    """Where the data goes on. The clock is in samples, `error` the mean squared one of the decisions."""

    clock: float
    phase: complex  # carrier at the next symbol
    last: int  # number of the last point
    delay: Halves  # the half-symbol samples of the next symbol
    error: float


class Slicer:
    """The nearest point of data for any place, by a table of cells."""

    CELLS = 64

    def __init__(self, points: NDArray[np.complex128]) -> None:
        self.points = points.astype(np.complex64)
        self.reach = 1.25 * float(np.abs([self.points.real, self.points.imag]).max())
        axis = (np.arange(self.CELLS) + 0.5) * (2 * self.reach / self.CELLS) - self.reach
        middles = axis + 1j * axis[:, None]
        self._nearest = np.abs(middles[:, :, None] - self.points).argmin(axis=2)

    def numbers(self, v: NDArray[np.complex64]) -> NDArray[np.int64]:
        """Number of the nearest point."""
        scale, most = self.CELLS / (2 * self.reach), self.CELLS - 1
        x, y = (np.clip((part + self.reach) * scale, 0, most).astype(np.int64) for part in (v.real, v.imag))
        return np.asarray(self._nearest[y, x])

    def decided(self, v: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """The nearest point."""
        return np.asarray(self.points[self.numbers(v)])

    def errors(self, v: NDArray[np.complex64]) -> NDArray[np.float32]:
        """Mean squared distance to the nearest point along the last axis."""
        return np.asarray(np.mean(np.abs(v - self.decided(v)) ** 2, axis=-1))

    @cached_property
    def at_random(self) -> float:
        """What decisions leave over where the phase is any: their mean squared error."""
        turns = np.exp(2j * np.pi * np.arange(360) / 360).astype(np.complex64)
        return float(np.mean(self.errors(self.points * turns[:, None])))


def relock(scheme: Scheme, samples: NDArray[np.int16], clock: float, lock: Lock) -> Relock:
    """The best lock on the symbols before `clock` (samples), where the next half symbol's matched filter begins now.

    `samples` reach from a few dozen symbols before it to the end of the filter behind it.
    """
    search = _Search(scheme, samples, clock, lock)
    search.look_around()
    for _ in range(3):
        search.aim()
    return search.found()


class _Search:
    """A clock, and a turn of the carrier, in which the last symbols fit the decisions made of them."""

    def __init__(self, scheme: Scheme, samples: NDArray[np.int16], clock: float, lock: Lock) -> None:
        self.scheme, self.samples, self.clock, self.turn = scheme, samples, clock, 1 + 0j
        self.half = (SAMPLE_RATE / scheme.symbol_rate + lock.drift) / 2
        self.n = min(SYMBOLS, (int((clock - 4) / self.half) - layout.TAPS - 3) // 2)
        nominal = 2 * math.pi * scheme.carrier_hz / scheme.symbol_rate
        self.angle = (nominal + cmath.phase(lock.turn * cmath.rect(1, -nominal))) / 2  # by half a symbol, of many turns
        self.taps = lock.taps * np.exp(1j * self.angle * np.arange(layout.TAPS))

    def _take(self) -> tuple[Halves, NDArray[np.complex64]]:
        """Half-symbol samples, the carrier turned back, and the equaliser's outputs; windows begin with the second."""
        halves = 2 * self.n + layout.TAPS
        samples = front(self.scheme, self.samples, self.clock - (halves + 1) * self.half, self.half, self.angle, halves)
        windows = sliding_window_view(samples, layout.TAPS)[1::2]
        return samples, np.asarray(np.sum(windows * (self.taps * self.turn), axis=1), np.complex64)

    def look_around(self) -> None:
        """Moments within a symbol and phases within a quarter of a turn: the constellations look alike from each."""
        turns = np.exp(0.5j * np.pi * np.arange(PHASES) / PHASES).astype(np.complex64)
        tried, middle = [], self.clock
        for i in range(MOMENTS):
            self.clock = middle + (i / MOMENTS - 0.5) * 2 * self.half
            errors = self.scheme.slicer.errors(self._take()[1] * turns[:, None])
            best = int(np.argmin(errors))
            tried.append((float(errors[best]), self.clock, best))
        _, self.clock, best = min(tried)
        self.turn = complex(turns[best])

    def aim(self) -> None:
        """Moment and phase once more, from what the decisions leave over."""
        halves, v = self._take()
        rest = Rest(*native.qam_refine(halves, self.scheme.slicer.decided(v), self.taps * self.turn, 2))
        move = min(max(rest.move, -0.5), 0.5) * self.half
        self.clock += move
        self.turn *= rest.turn * cmath.rect(1, -2 * math.pi * self.scheme.carrier_hz / SAMPLE_RATE * move)

    def found(self) -> Relock:
        _, v = self._take()
        return Relock(
            clock=self.clock,
            phase=cmath.rect(1, (2 * self.n + 1) * self.angle) / self.turn,
            last=int(self.scheme.slicer.numbers(v)[-1]),
            delay=front(self.scheme, self.samples, self.clock - layout.TAPS * self.half, self.half, 0.0, layout.TAPS),
            error=float(self.scheme.slicer.errors(v)),
        )
