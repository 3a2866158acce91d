"""What happens to a line now and then: drop-outs, slips, lost frames, clocks that differ; the same for any chunks."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

A_MINUTE = 60 * 8000
DROP_OUT = 80, 4000  # samples: 10 to 500 ms
SLIP = 1, 240
FRAME = 160
SLOT = 400  # samples between two moments at which a clock may jump
SPARE = 400  # samples of delay that slips and clocks may use up: a jitter buffer's
TAPS, PLACES = 24, 256


class Mutes:
    """Stretches of a stream that fall silent: (begin, length) in samples come from `draw`, each after the other."""

    def __init__(self, random: np.random.Generator, *, a_minute: float = 0.0, frames: float = 0.0) -> None:
        self._random, self._a_minute, self._frames = random, a_minute, frames
        self._passed = 0
        self._span = (0, 0)
        self._next()

    def _next(self) -> None:
        """The span after this one."""
        after = self._span[1]
        if self._frames:
            begin = after + FRAME * (int(self._random.geometric(self._frames)) - 1)
            self._span = begin, begin + FRAME
        else:
            begin = after + round(self._random.exponential(A_MINUTE / self._a_minute))
            self._span = begin, begin + int(self._random.integers(*DROP_OUT, endpoint=True))

    def apply(self, samples: Samples) -> Samples:
        """The next samples of the stream, changed in place."""
        end = self._passed + len(samples)
        while self._span[0] < end:
            samples[max(0, self._span[0] - self._passed) : max(0, self._span[1] - self._passed)] = 0
            if self._span[1] > end:
                break
            self._next()
        self._passed = end
        return samples


@cache
def _between() -> npt.NDArray[np.float64]:
    """Windowed sinc for each place between two samples: (PLACES, TAPS)."""
    t = np.arange(TAPS) - TAPS // 2 + 1 - np.arange(PLACES)[:, None] / PLACES
    window = np.i0(7.0 * np.sqrt(np.clip(1 - (t / (TAPS / 2)) ** 2, 0, 1))) / np.i0(7.0)
    return np.asarray(np.sinc(t) * window)


class Clock:
    """The far end's clock runs `ppm` fast, and `slips` times a minute samples are lost or doubled.

    What goes in comes out SPARE samples later, more or less; where the difference has used that up, the stream jumps
    back to it, as a jitter buffer does.
    """

    def __init__(self, random: np.random.Generator, *, ppm: float, slips: float) -> None:
        self._random, self._ppm, self._slips = random, ppm * 1e-6, slips
        self._buffer = np.zeros(4 * SPARE, np.int16)
        self._first = -4 * SPARE  # number of the buffer's first sample
        self._passed = 0
        self._lead = 0.0  # samples by which slips and jumps are ahead
        self._next_slip = self._gap()

    def _gap(self) -> float:
        return float(self._random.exponential(A_MINUTE / self._slips)) if self._slips else np.inf

    def apply(self, samples: Samples) -> Samples:
        """As many samples as go in."""
        self._buffer = np.concatenate([self._buffer, samples])
        out = np.empty(len(samples), np.int16)
        done = 0
        while done < len(samples):
            at = self._passed + done
            if at % SLOT == 0:
                self._settle(at)
            n = min(SLOT - at % SLOT, len(samples) - done)
            out[done : done + n] = self._read(at, n)
            done += n
        self._passed += len(samples)
        spare = len(self._buffer) - 4 * SPARE
        if spare > 0:
            self._buffer, self._first = self._buffer[spare:], self._first + spare
        return out

    def _settle(self, at: int) -> None:
        """The slips that are due, and a jump where there is no room for more."""
        while at >= self._next_slip:
            self._lead += int(self._random.integers(*SLIP, endpoint=True)) * (-1) ** int(self._random.integers(2))
            self._next_slip += self._gap()
        ahead = self._lead + at * self._ppm
        if abs(ahead) > SPARE - TAPS:
            self._lead -= round(ahead)

    def _read(self, at: int, n: int) -> Samples:
        begin = at + self._lead - SPARE - self._first
        if not self._ppm:
            return self._buffer[int(begin) : int(begin) + n]
        place = begin + np.arange(n) + (at + np.arange(n)) * self._ppm
        whole = np.floor(place).astype(np.int64)
        rows = _between()[((place - whole) * PLACES).astype(np.int64)]
        window = self._buffer[whole[:, None] + np.arange(1 - TAPS // 2, TAPS // 2 + 1)]
        sums: npt.NDArray[np.float64] = np.sum(rows * window, axis=1)
        return np.clip(np.rint(sums), -32768, 32767).astype(np.int16)
