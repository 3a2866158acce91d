"""The simulated packet network: delay, jitter, loss, reordering and repeats, the same for every run."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from faxcore.line.checks import in_range

BLOCK = 256
"""Packets whose chances are drawn in one go."""

OVERTAKEN = 0.05
"""Seconds by which a packet is late that others overtake."""


@dataclass(frozen=True)
class Network:
    """What a network does to both directions; all checked, ValueError names what is wrong.

    `delay` is the least time one way and `jitter` what is added to it at most, in seconds (0 to 10), evenly spread
    and independent for each packet, so that packets overtake each other. `loss`, `reorder` and `duplicate` are
    shares of packets (0 to 1): lost in runs of `burst` (1 to 100), held back for 50 ms more, brought twice.
    `seed` 0 to 2^64 - 1.
    """

    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    burst: int = 1
    reorder: float = 0.0
    duplicate: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        in_range("delay", self.delay, 0, 10)
        in_range("jitter", self.jitter, 0, 10)
        for name in ("loss", "reorder", "duplicate"):
            in_range(name, getattr(self, name), 0, 1)
        if not isinstance(self.burst, Integral) or not 1 <= self.burst <= 100:
            raise ValueError(f"burst is a number of packets from 1 to 100, not {self.burst!r}")
        if not isinstance(self.seed, Integral) or not 0 <= self.seed < 2**64:
            raise ValueError(f"seed is a whole number of 0 to 2^64 - 1, not {self.seed!r}")

    def direction(self, index: int) -> Path:
        """One way through the network, from its beginning: 0 from caller to answerer, 1 back."""
        if index not in (0, 1):
            raise ValueError(f"a network has directions 0 and 1, not {index!r}")
        return Path(self, index)


class Path:
    """One way through a network."""

    def __init__(self, network: Network, index: int) -> None:
        self._network = network
        self._random = np.random.default_rng([int(network.seed), index])
        self._drawn: list[list[float]] = []
        self._to_lose = 0
        # a run begins so often that the share of lost packets is what was asked for
        loss, burst = network.loss, network.burst
        self._run_begins = loss / (burst - loss * (burst - 1)) if loss else 0.0

    @property
    def delay(self) -> float:
        """The least time through it in seconds."""
        return self._network.delay

    @property
    def lossless(self) -> bool:
        """Whether every packet comes out, once and after `delay`."""
        return self.steady and not self._network.loss

    @property
    def steady(self) -> bool:
        """Whether packets keep their order and their distances."""
        network = self._network
        return not (network.jitter or network.reorder or network.duplicate)

    def carry(self, at: float) -> list[float]:
        """When a packet that goes in at this time comes out: never, once or twice."""
        if not self._drawn:
            self._drawn = self._random.random((BLOCK, 5)).tolist()[::-1]
        lose, late, twice, *delays = self._drawn.pop()
        if not self._to_lose and lose < self._run_begins:
            self._to_lose = int(self._network.burst)
        if self._to_lose:
            self._to_lose -= 1
            return []
        held = OVERTAKEN if late < self._network.reorder else 0.0
        copies = delays[: 1 + (twice < self._network.duplicate)]
        return [at + self._network.delay + held + self._network.jitter * delay for delay in copies]
