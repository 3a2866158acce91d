"""Acquisition: from a buffered training to everything the data loop has to know.

Frame, carrier offset, clock offset and a regularised least-squares equaliser come from the known points of the
training; its scrambled ones, not used until then, say whether it was one.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from faxcore.kernels import native
from faxcore.kernels.twins import qam as layout
from faxcore.units import SAMPLE_RATE

if TYPE_CHECKING:
    from faxcore.modem.scheme import Scheme

Complex = NDArray[np.complex128]
Halves = NDArray[np.complex64]
"""Half-symbol samples."""

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

MOVES = np.arange(-2.5, 2.6, 0.5).tolist()
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


def energy(scheme: Scheme, samples: NDArray[np.int16]) -> float:
    """Energy of whole blocks of samples, direct current and hum taken out."""
    return native.qam_energy(samples, scheme.lines)


@dataclass(frozen=True)
class Lock:
    """A trained receiver just before the first symbol of the check. Times in samples from the buffer's start."""

    first: float  # peak of the first alternation
    clock: float  # where the matched filter after those begins
    drift: float  # samples a symbol, above the nominal
    phase: complex  # carrier at the next symbol
    turn: complex  # carrier advance a symbol
    taps: Complex
    delay: Halves  # those of the next symbol
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
        rest = fit.rest(fit.conditioning)
        if not rest.error < HOPELESS:
            return None
        fit.refine(fit.conditioning, rest)
    fit.solve(fit.conditioning)
    if not fit.rest(fit.check, 0).error < PASS:
        return None
    fit.refine(fit.all, fit.rest(fit.all))
    fit.solve(fit.all)
    return fit.lock(fit.rest(fit.all, 0).error)


def _acquire_again(fit: _Fit, trained: Lock) -> Lock | None:
    fit.begin_with(trained)
    for _ in range(3):
        fit.aim()
    error = fit.rest(fit.all, 0).error
    return fit.lock(error) if error < PASS else None


def front(
    scheme: Scheme, samples: NDArray[np.int16], clock: float, step: float, turn: float, n: int
) -> Halves:
    """Matched-filter outputs that begin at `clock` and every `step` (samples) after it, each turned back by `turn`."""
    out = np.empty(n, np.complex64)
    native.qam_front(samples, scheme.bank, round(clock * 2**32), round(step * 2**32), turn, out)
    return out


def _find_frame(scheme: Scheme, samples: NDArray[np.int16], expected: int) -> tuple[float, float] | None:
    """Peak of the first alternation (samples) and carrier offset (Hz)."""
    half = SAMPLE_RATE / scheme.symbol_rate / 2
    carrier_hz = scheme.carrier_hz + _offset_of_alternations(scheme, samples, expected, half)
    start = max(int((expected - FRONT_DELAY - 280) / half), 0)
    chunks, places = scheme.chunks, int(340 / half)
    begin = (start + 2 * len(scheme.alternations)) * half
    turn = 2 * math.pi * carrier_hz / SAMPLE_RATE * half
    base = front(scheme, samples, begin, half, turn, places + 2 * chunks.size)
    scores = np.empty((places, len(chunks)), np.complex64)
    native.qam_correlate(base, chunks, scores)
    total = np.sum(scores.view(np.float32) ** 2, axis=1)
    best = int(np.argmax(total))
    if best in (0, len(total) - 1):
        return None
    step = _angle(scores[best, :-1], scores[best, 1:])
    offset = carrier_hz - scheme.carrier_hz + step / (2 * math.pi * CHUNK) * scheme.symbol_rate
    return (start + best + _peak(*total[best - 1 : best + 2].tolist())) * half + FRONT_DELAY, offset


def _peak(before: float, highest: float, after: float) -> float:
    """How far behind the highest of three neighbours, in their distance, the peak of the parabola through them is."""
    left, right = highest - before, highest - after
    return 0.5 * (left - right) / (left + right)


def _offset_of_alternations(scheme: Scheme, samples: NDArray[np.int16], expected: int, half: float) -> float:
    """Carrier offset (Hz), from equal letters, which are two symbols apart."""
    m, turn = int(expected / half), 2 * math.pi * scheme.carrier_hz / SAMPLE_RATE * half
    base = front(scheme, samples, m * half, half, turn, int((expected + 2 * layout.BLOCK) / half) - m)
    return _angle(base[:-4], base[4:]) / (2 * math.pi * 4 * half) * SAMPLE_RATE


def _angle(before: Halves, after: Halves) -> float:
    """By how much the carrier turns in the mean."""
    return cmath.phase(np.sum(before.conj() * after))


class Rest(NamedTuple):
    """What an equaliser leaves over, see `qam_refine` of the kernels' twins."""

    error: float
    likeness: float
    turn: complex
    phase: float
    move: float
    phase_drift: float
    move_drift: float


class _Fit:
    """An equaliser fitted to the training, given where it begins, its carrier offset and its clock.

    Its taps are for samples whose carrier was turned back.
    """

    def __init__(self, scheme: Scheme, samples: NDArray[np.int16], first: float, offset_hz: float) -> None:
        self.scheme, self.samples = scheme, samples
        self.first = first
        self.turn = 2 * math.pi * (scheme.carrier_hz + offset_hz) / scheme.symbol_rate
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
        """Half-symbol samples: a window around known symbol k begins with number 2 k + 1."""
        n = 2 * len(self.known) + layout.TAPS + 2
        self.halves = front(self.scheme, self.samples, self._clock(0), self.symbol / 2, self.turn / 2, n)

    def _clock(self, j: int) -> float:
        """Where the matched filter of half-symbol sample j begins."""
        return self.first - FRONT_DELAY + self.symbol / 2 * (j + 2 * self.start - CENTRE - 1)

    def _twist(self) -> Complex:
        """What makes taps for samples with the carrier on of our own."""
        return np.asarray(np.exp(-0.5j * self.turn * np.arange(1, layout.TAPS + 1)))

    def solve(self, part: slice, ridge: float = 0.01) -> None:
        """Least squares, held towards a single tap where the two points of the sequence say nothing."""
        halves = self.halves[2 * part.start + 1 : 2 * part.stop + layout.TAPS - 1]
        native.qam_fit(halves, self.known[part], self.taps, CENTRE, ridge)

    def rest(self, part: slice, unknowns: int = 4) -> Rest:
        """What the equaliser leaves over."""
        halves = self.halves[2 * part.start : 2 * part.stop + layout.TAPS]
        return Rest(*native.qam_refine(halves, self.known[part], self.taps, unknowns))

    def begin_with(self, trained: Lock) -> None:
        """Take over equaliser, carrier and clock, and find the moment that suits them best."""
        self.turn += cmath.phase(trained.turn * cmath.rect(1, -self.turn))
        self.symbol = SAMPLE_RATE / self.scheme.symbol_rate + trained.drift
        self.taps = trained.taps / self._twist()
        moments = [self.first + move for move in MOVES]
        fits = [self._likeness(moment) for moment in moments]
        best = fits.index(max(fits))
        self.first = moments[best]
        if 0 < best < len(fits) - 1:
            self.first += _peak(*fits[best - 1 : best + 2]) * (moments[1] - moments[0])
        self._take()

    def _likeness(self, first: float) -> float:
        self.first = first
        self._take()
        return self.rest(self.all, 0).likeness

    def aim(self) -> None:
        """Moment and phase once more, from what the equaliser leaves over."""
        rest = self.rest(self.all, 2)
        self.taps *= rest.turn
        self.first += min(max(rest.move, -0.5), 0.5) * self.symbol / 2
        self._take()

    def refine(self, part: slice, rest: Rest) -> None:
        """Read carrier and clock offset out of what the equaliser left over, and take the samples anew."""
        stretch = min(max(rest.move_drift * self.symbol / 2, -0.002), 0.002)
        self.turn += 2 * math.pi * self.scheme.carrier_hz / SAMPLE_RATE * stretch - rest.phase_drift
        middle = self.start + (part.stop - part.start - 1) / 2
        self.first -= stretch * middle
        self.symbol += stretch
        self._take()

    def lock(self, error: float) -> Lock:
        k = self.check.start
        begin, end = (int(self.first + self.symbol * n) for n in (self.start, self.start + k))
        samples = self.samples[begin:end]
        counted = len(samples) // layout.BLOCK * layout.BLOCK
        return Lock(
            first=self.first,
            clock=self._clock(2 * k + layout.TAPS + 1),
            drift=self.symbol - SAMPLE_RATE / self.scheme.symbol_rate,
            phase=cmath.rect(1, self.turn * k),
            turn=cmath.rect(1, self.turn),
            taps=self.taps * self._twist(),
            delay=front(self.scheme, self.samples, self._clock(2 * k + 1), self.symbol / 2, 0.0, layout.TAPS),
            front_power=2 * float(np.mean(self.halves.view(np.float32) ** 2)),
            rms=2 * math.sqrt(energy(self.scheme, samples) / counted),
            evm=math.sqrt(max(error, 0.0)),
        )
