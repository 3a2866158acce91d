"""Lines that no `faxcore.Line` is: with drop-outs, slips and clocks that differ, all from one seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from faxcore.line import Direction, Line

Samples = npt.NDArray[np.int16]
PIECE = 40
SPARE = 1200  # samples of delay that slips may use up


@dataclass(frozen=True)
class BadLine:
    """`line` with what happens on top: rates are events a minute, lengths are drawn from the issue's ranges."""

    line: Line
    seed: int
    drop_outs: float = 0.0  # of 10 to 500 ms
    slips: float = 0.0  # of 1 to 240 samples, lost or doubled
    ppm: float = 0.0  # of the far end's clock, as single samples lost or doubled

    def direction(self, index: int) -> BadDirection:
        return BadDirection(self, self.line.direction(index), index)


class BadDirection:
    """One way through a bad line."""

    def __init__(self, bad: BadLine, inner: Direction, index: int) -> None:
        self.bad, self.inner = bad, inner
        self.delay_samples = inner.delay_samples + SPARE
        self.random = np.random.default_rng([bad.seed, index])
        self.buffer = np.zeros(2 * SPARE, np.int16)
        self.read = SPARE
        self.next_slip = self._gap(bad.slips)
        self.next_drop = self._gap(bad.drop_outs)
        self.muted = 0
        self.clock = 0.0

    def _gap(self, a_minute: float) -> float:
        return float(self.random.exponential(60 * 8000 / a_minute)) if a_minute else np.inf

    def carry(self, samples: Samples) -> Samples:
        """In pieces of 40 samples, whatever the owner's chunks."""
        base = len(self.buffer)
        self.buffer = np.concatenate([self.buffer, samples])
        pieces = [(min(PIECE, len(samples) - i), i) for i in range(0, len(samples), PIECE)]
        out = np.concatenate([self._piece(n, base + i + n) for n, i in pieces] or [samples])
        self.buffer, self.read = self.buffer[-4 * SPARE :], self.read - max(0, len(self.buffer) - 4 * SPARE)
        return self.inner.carry(out)

    def _piece(self, n: int, there: int) -> Samples:
        """The next n samples; the first `there` of the buffer have been sent by now."""
        self._slip(n, there)
        piece = self.buffer[self.read : self.read + n].copy()
        self.read += n
        self.next_drop -= n
        if self.next_drop <= 0:
            self.muted, self.next_drop = int(self.random.integers(80, 4000)), self._gap(self.bad.drop_outs)
        piece[: max(0, min(n, self.muted))] = 0
        self.muted -= n
        return piece

    def _slip(self, n: int, there: int) -> None:
        self.next_slip -= n
        self.clock += n * self.bad.ppm * 1e-6
        move = 0
        if self.next_slip <= 0:
            move, self.next_slip = int(self.random.integers(-240, 241)), self._gap(self.bad.slips)
        if abs(self.clock) >= 1:
            move, self.clock = move + int(self.clock), self.clock - int(self.clock)
        self.read = int(np.clip(self.read + move, there - 2 * SPARE, there - n))


def random_line(seed: int) -> BadLine:
    """A line of any of these kinds, most of them bad in one or two ways."""
    random = np.random.default_rng(seed)
    gain, snr = -float(random.uniform(0, 30)), float(random.uniform(18, 36))
    line = Line(
        noise_dbm0=max(-13 + gain - snr, -90.0), law=[None, "mu", "a"][int(random.integers(3))], gain_db=gain,
        delay=float(random.choice([0.0, 0.02, 0.2, 0.8])), seed=seed,
    )  # fmt: skip
    chosen = random.random(3) < 0.4
    return BadLine(
        line, seed,
        drop_outs=float(random.uniform(0.5, 4)) * chosen[0],
        slips=float(random.uniform(0.5, 4)) * chosen[1],
        ppm=float(random.uniform(-150, 150)) * chosen[2],
    )  # fmt: skip


@dataclass(frozen=True)
class Muted:
    """`line` on which a signal falls out, the caller's and no other: `spans` are (begin, length) in s of line time."""

    line: Line
    spans: tuple[tuple[float, float], ...]
    ways: tuple[int, ...] = (0,)

    def direction(self, index: int) -> Direction | MutedDirection:
        inner = self.line.direction(index)
        return MutedDirection(inner, self.spans) if index in self.ways else inner


class MutedDirection:
    """One way through a line that falls out; the noise of the line goes on."""

    def __init__(self, inner: Direction, spans: tuple[tuple[float, float], ...]) -> None:
        self.inner, self.delay_samples = inner, inner.delay_samples
        self.spans = [(round(8000 * begin), round(8000 * (begin + length))) for begin, length in spans]
        self.passed = 0

    def carry(self, samples: Samples) -> Samples:
        samples = samples.copy()
        for begin, end in self.spans:
            samples[max(0, begin - self.passed) : max(0, end - self.passed)] = 0
        self.passed += len(samples)
        return self.inner.carry(samples)
