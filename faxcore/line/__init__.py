"""The simulated telephone line: delay, gain, echo, noise, companding and what happens now and then.

The same for every chunking of the samples.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import numpy.typing as npt

from faxcore import units
from faxcore.kernels import native
from faxcore.kernels.twins.line import LAW_A, LAW_MU, LAW_NONE
from faxcore.line.checks import in_range
from faxcore.line.network import Network, Path
from faxcore.line.troubles import SPARE, Clock, Mutes

__all__ = ["Direction", "Line", "Network", "Path"]

_LAWS = {None: LAW_NONE, "mu": LAW_MU, "a": LAW_A}

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Line:
    """What a line does to both directions; all checked, ValueError names what is wrong.

    `noise_dbm0` is the level of white noise over 0-4 kHz (-100 to 0; None: none), `law` the network's
    companding ("mu", "a" or None), `gain_db` -60 to 20, `delay` the time one way in seconds (0 to 2), `seed`
    0 to 2^64 - 1. The noise of a line is a function of its seed, the direction and the sample's number.

    `echo_db` (-60 to 0; None: none) is what comes back to a talker of what it said, `echo_delay` seconds (0.001 to 1)
    later. `clock_ppm` (-1000 to 1000) is how much faster the caller's clock runs than the answerer's. A minute has
    `drop_outs` of 10 to 500 ms and `slips` of 1 to 240 samples (0 to 600), and the share `frames_lost` (0 to 1) of all
    frames of 20 ms never arrives. Clocks and slips cost 50 ms of delay.
    """

    noise_dbm0: float | None = None
    law: str | None = "mu"
    gain_db: float = 0.0
    delay: float = 0.0
    seed: int = 0
    echo_db: float | None = None
    echo_delay: float = 0.02
    clock_ppm: float = 0.0
    drop_outs: float = 0.0
    slips: float = 0.0
    frames_lost: float = 0.0

    def __post_init__(self) -> None:
        if self.noise_dbm0 is not None:
            in_range("noise_dbm0", self.noise_dbm0, -100, 0)
        in_range("gain_db", self.gain_db, -60, 20)
        in_range("delay", self.delay, 0, 2)
        if self.echo_db is not None:
            in_range("echo_db", self.echo_db, -60, 0)
        in_range("echo_delay", self.echo_delay, 0.001, 1)
        in_range("clock_ppm", self.clock_ppm, -1000, 1000)
        in_range("drop_outs", self.drop_outs, 0, 600)
        in_range("slips", self.slips, 0, 600)
        in_range("frames_lost", self.frames_lost, 0, 1)
        if self.law not in tuple(_LAWS):
            raise ValueError(f"law is 'mu', 'a' or None, not {self.law!r}")
        if not isinstance(self.seed, Integral) or not 0 <= self.seed < 2**64:
            raise ValueError(f"seed is a whole number of 0 to 2^64 - 1, not {self.seed!r}")

    def direction(self, index: int) -> Direction:
        """One way through the line, from its beginning: 0 from caller to answerer, 1 back."""
        if index not in (0, 1):
            raise ValueError(f"a line has directions 0 and 1, not {index!r}")
        return Direction(self, index)


def _noise_key(seed: int, index: int) -> npt.NDArray[np.uint32]:
    digest = hashlib.blake2s(seed.to_bytes(8, "little") + bytes([index]), digest_size=12).digest()
    return np.frombuffer(digest, "<u4").astype(np.uint32)


class Direction:
    """One way through a line, as a stream: what goes in comes out `delay_samples` later."""

    def __init__(self, line: Line, index: int) -> None:
        self._clock = self._drop_outs = self._lost = None
        if line.clock_ppm or line.slips:
            ppm = float(line.clock_ppm) * (-1 if index else 1)
            self._clock = Clock(_random(line, index, 0), ppm=ppm, slips=float(line.slips))
        if line.drop_outs:
            self._drop_outs = Mutes(_random(line, index, 1), a_minute=float(line.drop_outs))
        if line.frames_lost:
            self._lost = Mutes(_random(line, index, 2), frames=float(line.frames_lost))
        self._echo = None if line.echo_db is None else math.pow(10, line.echo_db / 20)
        self._talk = np.zeros(units.samples(line.echo_delay), np.int16)
        self.delay_samples = units.samples(line.delay) + (SPARE if self._clock else 0)
        self._under_way = np.zeros(units.samples(line.delay), np.int16)
        self._position = 0
        self._key = _noise_key(int(line.seed), index)
        self._gain = math.pow(10, line.gain_db / 20)
        self._sigma = 0.0 if line.noise_dbm0 is None else units.rms_of_dbm0(line.noise_dbm0)
        self._law = _LAWS[line.law]
        self._clean = self._gain == 1 and not self._sigma and not self._law

    @property
    def has_echo(self) -> bool:
        """True where the listener hears what it says itself: then `carry` wants that too."""
        return self._echo is not None

    def carry(self, samples: Samples, said: Samples | None = None) -> Samples:
        """The int16 samples that leave the line while these enter, as many; any chunking gives the same.

        `said`: what the listening end puts on the line meanwhile, for its echo.
        """
        if not isinstance(samples, np.ndarray) or samples.dtype != np.int16 or samples.ndim != 1:
            raise TypeError("samples: a one-dimensional int16 array is needed")
        samples = self._disturbed(self._delayed(samples))
        gain = self._gain
        if self._echo is not None and said is not None:
            samples, gain = self._with_echo(samples, said), 1.0
        out = np.empty(len(samples), np.int16)
        if self._clean:
            out[:] = samples
        else:
            native.line_carry(samples, out, self._position, self._key, gain, self._sigma, self._law)
        self._position += len(samples)
        return self._lost.apply(out) if self._lost else out

    def _delayed(self, samples: Samples) -> Samples:
        if len(self._under_way):
            joined = np.concatenate([self._under_way, samples])
            samples, self._under_way = joined[:len(samples)], joined[len(samples):]
        return samples

    def _disturbed(self, samples: Samples) -> Samples:
        if self._clock:
            samples = self._clock.apply(samples)
        return self._drop_outs.apply(samples.copy()) if self._drop_outs else samples

    def _with_echo(self, samples: Samples, said: Samples) -> Samples:
        """The signal at its level, and the talker's own, later and weaker."""
        joined = np.concatenate([self._talk, said])
        echo, self._talk = joined[:len(said)], joined[len(said):]
        assert self._echo is not None
        return np.clip(np.rint(samples * self._gain + echo * self._echo), -32768, 32767).astype(np.int16)


def _random(line: Line, index: int, kind: int) -> np.random.Generator:
    return np.random.default_rng([int(line.seed), index, kind])
