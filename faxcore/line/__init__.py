"""The simulated telephone line: delay, gain, white noise and the network's companding, the same for every chunking."""

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

__all__ = ["Direction", "Line", "Network", "Path"]

_LAWS = {None: LAW_NONE, "mu": LAW_MU, "a": LAW_A}

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Line:
    """What a line does to both directions; all checked, ValueError names what is wrong.

    `noise_dbm0` is the level of white noise over 0-4 kHz (-100 to 0; None: none), `law` the network's
    companding ("mu", "a" or None), `gain_db` -60 to 20, `delay` the time one way in seconds (0 to 2), `seed`
    0 to 2^64 - 1. The noise of a line is a function of its seed, the direction and the sample's number.
    """

    noise_dbm0: float | None = None
    law: str | None = "mu"
    gain_db: float = 0.0
    delay: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.noise_dbm0 is not None:
            in_range("noise_dbm0", self.noise_dbm0, -100, 0)
        in_range("gain_db", self.gain_db, -60, 20)
        in_range("delay", self.delay, 0, 2)
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
        self.delay_samples = units.samples(line.delay)
        self._under_way = np.zeros(self.delay_samples, np.int16)
        self._position = 0
        self._key = _noise_key(int(line.seed), index)
        self._gain = math.pow(10, line.gain_db / 20)
        self._sigma = 0.0 if line.noise_dbm0 is None else units.rms_of_dbm0(line.noise_dbm0)
        self._law = _LAWS[line.law]
        self._clean = self._gain == 1 and not self._sigma and not self._law

    def carry(self, samples: Samples) -> Samples:
        """The int16 samples that leave the line while these enter, as many; any chunking gives the same."""
        if not isinstance(samples, np.ndarray) or samples.dtype != np.int16 or samples.ndim != 1:
            raise TypeError("samples: a one-dimensional int16 array is needed")
        if self.delay_samples:
            joined = np.concatenate([self._under_way, samples])
            samples, self._under_way = joined[:len(samples)], joined[len(samples):]
        out = np.empty(len(samples), np.int16)
        if self._clean:
            out[:] = samples
        else:
            native.line_carry(samples, out, self._position, self._key, self._gain, self._sigma, self._law)
        self._position += len(samples)
        return out
