"""A signal that is finished before its first sample goes out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]


def checked_level(level_dbm0: float) -> float:
    """A transmit level in dBm0; ValueError outside -40 to 0."""
    if not -40 <= level_dbm0 <= 0:
        raise ValueError(f"level_dbm0 is -40 to 0, not {level_dbm0}")
    return level_dbm0


def checked_count(n: int) -> int:
    """A number of samples to pull; ValueError below 0."""
    if n < 0:
        raise ValueError(f"n is a number of samples, not {n}")
    return n


class StoredSignal:
    """Samples, int16, that are pulled in pieces; what is given out is read-only."""

    def __init__(self, samples: Samples) -> None:
        samples.flags.writeable = False
        self._samples = samples
        self._sent = 0

    @property
    def total(self) -> int:
        """Samples of the whole signal."""
        return len(self._samples)

    @property
    def samples_ready(self) -> int:
        """Samples not pulled yet; none of them waits for anything."""
        return len(self._samples) - self._sent

    @property
    def done(self) -> bool:
        """True once everything was pulled."""
        return self._sent == len(self._samples)

    def pull(self, n: int) -> Samples:
        """The next `n` samples, int16; fewer only at the end."""
        taken = self._samples[self._sent:self._sent + checked_count(n)]
        self._sent += len(taken)
        return taken
