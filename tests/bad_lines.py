"""Lines on which calls have a hard time: any of a seed, and those that fall silent at a given moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from faxcore.line import Direction, Line

Samples = npt.NDArray[np.int16]


def random_line(seed: int) -> Line:
    """A line of any kind, most of them bad in one or two ways: drop-outs, slips, clock, echo, lost frames."""
    random = np.random.default_rng(seed)
    gain, snr = -float(random.uniform(0, 30)), float(random.uniform(18, 36))
    chosen = random.random(5) < 0.3
    return Line(
        noise_dbm0=max(-13 + gain - snr, -90.0), law=[None, "mu", "a"][int(random.integers(3))], gain_db=gain,
        delay=float(random.choice([0.0, 0.02, 0.2, 0.8])), seed=seed,
        drop_outs=float(random.uniform(0.5, 4)) * chosen[0],
        slips=float(random.uniform(0.5, 4)) * chosen[1],
        clock_ppm=float(random.uniform(-150, 150)) * chosen[2],
        echo_db=float(random.uniform(-30, -10)) if chosen[3] else None,
        echo_delay=float(random.uniform(0.005, 0.06)),
        frames_lost=float(random.uniform(0, 0.003)) * chosen[4],
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

    has_echo = False

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
