"""Acquisition: from a buffered training to everything the data loop has to know.

Frame, carrier offset, clock offset and a regularised least-squares equaliser come from the known points of the
training; its scrambled ones, not used until then, say whether it was one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from faxcore.kernels import native
from faxcore.kernels.twins import qam as layout
from faxcore.units import SAMPLE_RATE

if TYPE_CHECKING:
    from faxcore.modem.scheme import Scheme

Complex = NDArray[np.complex128]

CENTRE = layout.TAPS // 2 - 1
"""The equaliser's tap at the symbol itself."""

FRONT_DELAY = layout.FRONT // 2 - 1
"""Samples from a matched filter's first sample to the one it is centred on."""

HELD = 48
"""Known symbols at the end of what is learnt at once that are not learnt from: they say whether it was a training."""

CHUNK = 64
"""Symbols correlated coherently: short enough for any carrier offset, long enough to stand out of noise."""

AGAIN = 64
"""Alternations before the conditioning of a short training that help to find its moment and phase."""

MOVES = np.arange(-2.5, 2.6, 0.25)
"""Samples by which the moment of a short training may be off when its frame was found."""

PASS = 0.25
"""Largest mean squared error over the check, relative to its power; a false start has about 2."""

HOPELESS = 0.5
"""A mean squared error over the conditioning sequence that no refinement brings down."""


def _slow() -> NDArray[np.float64]:
    """Orthonormal shapes over a block of what changes slowly: direct current and hum are made of them."""
    x = np.arange(layout.BLOCK) - (layout.BLOCK - 1) / 2
    square = np.mean(x**2)
    shapes = np.stack([np.ones(layout.BLOCK), x, x**2 - square, x**3 - x * (np.mean(x**4) / square)])
    return np.asarray(shapes / np.sqrt(np.sum(shapes**2, axis=1, keepdims=True)))


SLOW = _slow()
"""Polynomials up to the third degree, a row each."""


def without_slow(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """Whole blocks of samples, a row each, direct current and hum taken out."""
    blocks = samples[: len(samples) // layout.BLOCK * layout.BLOCK].reshape(-1, layout.BLOCK).astype(np.float64)
    return np.asarray(blocks - blocks @ SLOW.T @ SLOW)


@dataclass(frozen=True)
class Lock:
    """A trained receiver just before the first symbol of the check. Times in samples from the buffer's start."""

    first: float  # peak of the first alternation
    clock: float  # where the matched filter after those begins
    drift: float  # samples a symbol, above the nominal
    phase: complex  # carrier at the next symbol
    turn: complex  # carrier advance a symbol
    taps: Complex
    delay: Complex  # the half-symbol samples of the next symbol
    front_power: float
    rms: float
    evm: float


def acquire(
    scheme: Scheme, samples: NDArray[np.int16], expected: int, trained: Lock | None = None
) -> Lock | None:
    """Train on halves of samples with alternations about sample `expected`; None where that was no training.

    With `trained` equaliser, carrier and clock are those of an earlier training; only the moment and the phase
    are new.
    """
    guess = _find_frame(scheme, samples, expected)
    if guess is None:
        return None
    fit = _Fit(scheme, samples, *guess)
    if trained is not None:
        return _acquire_again(fit, trained)
    for _ in range(2):
        fit.solve(fit.conditioning)
        if not fit.error(fit.conditioning) < HOPELESS:
            return None
        fit.refine(fit.conditioning)
    fit.solve(fit.conditioning)
    if not fit.error(fit.check) < PASS:
        return None
    fit.refine(fit.all)
    fit.solve(fit.all)
    return fit.lock()


def _acquire_again(fit: _Fit, trained: Lock) -> Lock | None:
    fit.begin_with(trained)
    for _ in range(3):
        fit.aim()
    return fit.lock() if fit.error(fit.all) < PASS else None


def front(scheme: Scheme, samples: NDArray[np.int16], clocks: NDArray[np.float64]) -> Complex:
    """Matched-filter outputs that begin at `clocks` (samples), the carrier still on."""
    out = np.empty(clocks.size, np.complex64)
    native.qam_front(samples, scheme.bank, np.round(clocks.ravel() * 2**32).astype(np.int64), out)
    return out.astype(np.complex128).reshape(clocks.shape)


def _find_frame(scheme: Scheme, samples: NDArray[np.int16], expected: int) -> tuple[float, float] | None:
    """Peak of the first alternation (samples) and carrier offset (Hz)."""
    half = SAMPLE_RATE / scheme.symbol_rate / 2
    clocks = np.arange(0, len(samples) - layout.FRONT - 1, half)
    base = front(scheme, samples, clocks) * np.exp(-2j * np.pi * scheme.carrier_hz / SAMPLE_RATE * clocks)
    # Equal letters are two symbols apart.
    m = np.arange(int(expected / half), int((expected + 2 * layout.BLOCK) / half) - 4)
    offset = np.angle(np.vdot(base[m], base[m + 4])) / (2 * np.pi * 4 * half) * SAMPLE_RATE
    base *= np.exp(-2j * np.pi * offset / SAMPLE_RATE * clocks)
    start = int((expected - FRONT_DELAY - 280) / half)
    scores = _correlate(scheme, base[max(start, 0) :], int(340 / half))
    total = np.sum(np.abs(scores) ** 2, axis=1)
    best = int(np.argmax(total))
    if best in (0, len(total) - 1):
        return None
    before, peak, after = total[best - 1 : best + 2]
    fraction = 0.5 * (before - after) / (before - 2 * peak + after)
    step = np.angle(np.vdot(scores[best, :-1], scores[best, 1:]))
    offset += step / (2 * np.pi * CHUNK) * scheme.symbol_rate
    return (max(start, 0) + best + fraction) * half + FRONT_DELAY, float(offset)


def _correlate(scheme: Scheme, base: Complex, places: int) -> Complex:
    """Correlation of each chunk of the conditioning sequence, for a first alternation at each half symbol."""
    fitted = scheme.points[scheme.conditioning[: scheme.fitted]]
    chunk = min(CHUNK, len(fitted))
    known = fitted[: len(fitted) // chunk * chunk].reshape(-1, chunk)
    known = known - known.mean(axis=1, keepdims=True)  # the carrier line says nothing about the frame
    begin = 2 * len(scheme.alternations)
    windows = sliding_window_view(base[begin:], 2 * known.size - 1)[:places, ::2]
    return np.asarray(np.einsum("pck,ck->pc", windows.reshape(len(windows), *known.shape), known.conj()))


class _Fit:
    """An equaliser fitted to the training, given where it begins, its carrier offset and its clock."""

    def __init__(self, scheme: Scheme, samples: NDArray[np.int16], first: float, offset_hz: float) -> None:
        self.scheme, self.samples = scheme, samples
        self.first = first
        self.turn_angle = 2 * np.pi * (scheme.carrier_hz + offset_hz) / scheme.symbol_rate
        self.symbol = SAMPLE_RATE / scheme.symbol_rate
        # The alternations, three lines only, teach an equaliser nothing; a known one they tell when and at what phase.
        self.start = len(scheme.alternations) - (AGAIN if scheme.modulation.short else 0)
        self.known = scheme.known[self.start :]
        self.all = slice(0, len(self.known))
        self.conditioning = slice(0, len(self.known) - scheme.held)
        self.check = slice(len(self.known) - scheme.held, len(self.known))
        self.taps: Complex = np.zeros(layout.TAPS, np.complex128)
        self._take()

    def _take(self) -> None:
        """Half-symbol samples around known symbol k: windows[2 k + 1], and half a symbol off the ones beside it."""
        self.halves = self._halves(self.first)
        self.turns = self._turns()
        self.windows = sliding_window_view(self.halves, layout.TAPS)

    def _clocks(self, first: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Where the matched filters of all half-symbol samples begin."""
        j = np.arange(2 * len(self.known) + layout.TAPS + 2) + 2 * self.start - CENTRE - 1
        return np.asarray(first - FRONT_DELAY + self.symbol / 2 * j)

    def _halves(self, first: float | NDArray[np.float64]) -> Complex:
        return front(self.scheme, self.samples, np.clip(self._clocks(first), 0, len(self.samples) - layout.FRONT - 1))

    def _turns(self) -> Complex:
        return np.asarray(np.exp(1j * self.turn_angle * np.arange(len(self.known))))

    def solve(self, part: slice, ridge: float = 0.01) -> None:
        """Least squares, held towards a single tap where the two points of the sequence say nothing."""
        halves = self.halves[2 * part.start + 1 : 2 * part.stop + layout.TAPS - 1]
        native.qam_fit(halves, self.known[part] * self.turns[part], self.taps, CENTRE, ridge)

    def begin_with(self, trained: Lock) -> None:
        """Take over equaliser, carrier and clock, and find the moment that suits them best."""
        self.taps = trained.taps.copy()
        self.turn_angle += float(np.angle(trained.turn * np.exp(-1j * self.turn_angle)))
        self.symbol = SAMPLE_RATE / self.scheme.symbol_rate + trained.drift
        moments = self.first + MOVES
        halves = self._halves(moments[:, None])
        windows = sliding_window_view(halves, layout.TAPS, axis=1)[:, 1 : 2 * len(self.known) : 2]
        v = np.einsum("mki,i->mk", windows, self.taps) * self._turns().conj()
        fits = np.abs(np.sum(v.conj() * self.known, axis=1)) ** 2 / np.sum(np.abs(v) ** 2, axis=1)
        self.first = float(moments[int(np.argmax(fits))])
        self._take()

    def aim(self) -> None:
        """Moment and phase once more, from what the equaliser leaves over."""
        v = self.equalised(self.all)
        turn = np.vdot(v, self.known)
        v, self.taps = v * turn / abs(turn), self.taps * turn / abs(turn)
        slope = 0.5 * (self.equalised(self.all, 1) - self.equalised(self.all, -1))  # by half a symbol
        design = np.stack([1j * v, slope])
        found = np.linalg.solve((design.conj() @ design.T).real, (design.conj() @ (self.known - v)).real)
        self.first += float(np.clip(found[1], -0.5, 0.5)) * self.symbol / 2
        self._take()

    def equalised(self, part: slice, move: int = 0) -> Complex:
        """The equaliser's output, all of it `move` half symbols later; turned back by the carrier, at that time."""
        turns = np.exp(-0.5j * self.turn_angle * move) * self.turns[part].conj()
        windows = self.windows[2 * part.start + move + 1 : 2 * part.stop + move : 2]
        return np.asarray(np.einsum("ki,i->k", windows, self.taps) * turns)

    def refine(self, part: slice) -> None:
        """Read carrier and clock offset out of what the equaliser left over, and take the samples anew."""
        v = self.equalised(part)
        k = np.arange(len(v)) - (len(v) - 1) / 2
        slope = 0.5 * (self.equalised(part, 1) - self.equalised(part, -1))  # by half a symbol
        design = np.stack([1j * v, 1j * v * k, slope, slope * k])
        rest = self.known[part] - v
        found = np.linalg.solve((design.conj() @ design.T).real, (design.conj() @ rest).real)
        stretch = float(np.clip(found[3] * self.symbol / 2, -0.002, 0.002))
        self.turn_angle += 2 * np.pi * self.scheme.carrier_hz / SAMPLE_RATE * stretch - found[1]
        middle = self.start + (len(v) - 1) / 2
        self.first -= stretch * middle
        self.symbol += stretch
        self._take()

    def error(self, part: slice) -> float:
        """Mean squared error relative to the power of the points."""
        c = self.known[part]
        rest = c - self.equalised(part)
        return float(np.sum(np.abs(rest) ** 2) / np.sum(np.abs(c) ** 2))

    def lock(self) -> Lock:
        k = self.check.start
        begin, end = (int(self.first + self.symbol * n) for n in (self.start, self.start + k))
        return Lock(
            first=self.first,
            clock=float(self._clocks(self.first)[2 * k + layout.TAPS + 1]),
            drift=self.symbol - SAMPLE_RATE / self.scheme.symbol_rate,
            phase=complex(np.exp(1j * self.turn_angle * k)),
            turn=complex(np.exp(1j * self.turn_angle)),
            taps=self.taps,
            delay=self.halves[2 * k + 1 : 2 * k + layout.TAPS + 1],
            front_power=float(np.mean(np.abs(self.halves) ** 2)),
            rms=2 * float(np.sqrt(np.mean(without_slow(self.samples[begin:end]) ** 2))),
            evm=self.error(self.all) ** 0.5,
        )
