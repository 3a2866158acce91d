"""Cells of the robustness table: many bursts through one channel, counted, with exact 95 % bounds.

Burst i of every cell has the bits and the noise of seed i, whatever the channel and the engine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, chi2

from benchmarks import engines
from benchmarks.engines import Bits, Heard, Samples
from benchmarks.impairments import Channel, carry

TRAINING_SECONDS = 0.25
LOST = 0.05
"""A burst with a larger share of wrong bits has lost its data: a failure, not bit errors."""

APART = 100
"""Right bits that part two error events: more than differential coding, descrambler and Viterbi decoder join."""

FRAMES, FRAME_OCTETS = 60, 24
FRAME_BITS = 8 * (FRAME_OCTETS + 2)


@dataclass(frozen=True)
class Cell:
    """`kind` is "data" (size in bits), "training", "short" (size in bursts) or "frames" (V.21; size in bits)."""

    kind: str
    name: str
    rate: int
    channel: Channel
    size: int
    seconds: float = 4.0  # of data in a burst
    transmitter: str = "faxcore"


@dataclass
class Count:
    """What one engine made of a cell. For frames, a burst is a frame and a failure one not received."""

    bursts: int = 0
    failed: int = 0
    bits: int = 0
    errors: int = 0
    events: int = 0

    @property
    def error_rate(self) -> float:
        """Bit error rate over the bursts that did not fail."""
        return self.errors / self.bits if self.bits else float("nan")

    @property
    def error_bounds(self) -> tuple[float, float]:
        """Its 95 % bounds, by the number of error events: the errors of one event are not independent."""
        if not self.bits:
            return 0.0, 1.0
        weight = self.errors / self.events if self.events else 1.0
        low = chi2.ppf(0.025, 2 * self.events) / 2 if self.events else 0.0
        return low * weight / self.bits, chi2.ppf(0.975, 2 * self.events + 2) / 2 * weight / self.bits

    @property
    def success_bounds(self) -> tuple[float, float]:
        """Clopper-Pearson 95 % bounds of the share of bursts that did not fail."""
        good, bad = self.bursts - self.failed, self.failed
        low = beta.ppf(0.025, good, bad + 1) if good else 0.0
        return float(low), float(beta.ppf(0.975, good + 1, bad) if bad else 1.0)

    def add(self, heard: Heard, bits: Bits) -> None:
        """One burst: bits that did not come count as wrong."""
        self.bursts += 1
        wrong = np.ones(len(bits), bool)
        n = min(len(bits), len(heard.bits))
        wrong[:n] = heard.bits[:n] != bits[:n]
        if not heard.trained or np.mean(wrong) > LOST:
            self.failed += 1
            return
        places = np.flatnonzero(wrong)
        self.bits += len(bits)
        self.errors += len(places)
        self.events += len(places) and int(np.sum(np.diff(places) > APART)) + 1


def measure(cell: Cell, listening: tuple[str, ...]) -> dict[str, Count]:
    """The counts of every engine that listens, on the same samples."""
    counts = {engine: Count() for engine in listening}
    if cell.kind == "frames":
        _measure_frames(cell, counts)
        return counts
    n = round(cell.rate * (cell.seconds if cell.kind == "data" else TRAINING_SECONDS) / 8) * 8
    for seed in range(-(-cell.size // n) if cell.kind == "data" else cell.size):
        bits = np.random.default_rng(seed).integers(0, 2, n).astype(np.uint8)
        line = _line(cell, bits, seed, short=cell.kind == "short")
        first = _line(cell, bits, -1 - seed) if cell.kind == "short" else None
        for engine, count in counts.items():
            if first is None:
                heard = engines.hear(engine, cell.name, cell.rate, line)
            else:
                heard = engines.hear_short(engine, cell.rate, first, line)
            count.add(heard, bits)
    return counts


def _line(cell: Cell, bits: Bits, seed: int, *, short: bool = False) -> Samples:
    burst = engines.send(cell.transmitter, cell.name, cell.rate, bits, short=short)
    return carry(burst, cell.channel, seed % 2**32)


def _measure_frames(cell: Cell, counts: dict[str, Count]) -> None:
    for seed in range(-(-cell.size // (FRAMES * FRAME_BITS))):
        random = np.random.default_rng(seed)
        frames = [bytes([0xFF, 3, *random.integers(0, 256, FRAME_OCTETS - 2).tolist()]) for _ in range(FRAMES)]
        line = carry(engines.send_frames(frames), cell.channel, seed)
        for engine, count in counts.items():
            good = set(engines.hear_frames(engine, line))
            count.bursts += FRAMES
            count.failed += sum(frame not in good for frame in frames)


def bit_error_rate(cell: Cell, count: Count) -> tuple[float, int]:
    """Bit error rate and the events that it rests on; for frames, the rate of independent errors that loses so many."""
    if cell.kind != "frames":
        return count.error_rate, count.events
    return float(1 - (1 - count.failed / count.bursts) ** (1 / FRAME_BITS)), count.failed
