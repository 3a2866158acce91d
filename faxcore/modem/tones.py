"""The tones of phase A: CNG of the caller, CED of the answerer, and the ear for both [T.30 4]."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from faxcore import units
from faxcore.kernels import native
from faxcore.kernels.twins import fsk as layout
from faxcore.modem.stored import StoredSignal, checked_count, checked_level

# Parts of 80 turns a sample; 1100 Hz [T.30 4.2] and 2100 Hz [T.30 4.1].
_TURN = 80
_CNG_STEP, _CED_STEP = 11, 21
_CNG_ON, _CNG_PERIOD = units.samples(0.5), units.samples(3.5)
_CED_TOTAL = units.samples(3.0)


def _tone(step: int, level_dbm0: float) -> npt.NDArray[np.int16]:
    """80 samples of a tone, after which it is where it was."""
    amplitude = units.rms_of_dbm0(checked_level(level_dbm0)) * math.sqrt(2)
    return np.array([round(amplitude * math.sin(2 * math.pi * (step * k % _TURN) / _TURN)) for k in range(_TURN)],
                    np.int16)


@lru_cache(maxsize=8)
def _calling_period(level_dbm0: float) -> npt.NDArray[np.int16]:
    """CNG and its pause; all calls of a level share them."""
    period = np.zeros(_CNG_PERIOD, np.int16)
    period[:_CNG_ON] = np.resize(_tone(_CNG_STEP, level_dbm0), _CNG_ON)
    period.flags.writeable = False
    return period


@lru_cache(maxsize=8)
def _answer_tone(level_dbm0: float) -> npt.NDArray[np.int16]:
    return np.resize(_tone(_CED_STEP, level_dbm0), _CED_TOTAL)


class CallingTone:
    """CNG without end: 1100 Hz, 0.5 s on and 3 s off, starting on [T.30 4.2]. `level_dbm0` is -40 to 0."""

    def __init__(self, *, level_dbm0: float = -13.0) -> None:
        self._period = _calling_period(level_dbm0)
        self._sent = 0

    def pull(self, n: int) -> npt.NDArray[np.int16]:
        """The next `n` samples, int16."""
        begin = self._sent % _CNG_PERIOD
        self._sent += checked_count(n)
        if begin + n <= _CNG_PERIOD:
            return self._period[begin:begin + n]
        return np.resize(np.roll(self._period, -begin), n)


class AnswerTone(StoredSignal):
    """CED: 2100 Hz for 3 s, 2.6 to 4.0 s being allowed [T.30 4.1]. `level_dbm0` is -40 to 0."""

    def __init__(self, *, level_dbm0: float = -13.0) -> None:
        super().__init__(_answer_tone(level_dbm0))


class ToneDetector:
    """Hears CNG and CED: 1100 Hz for 0.32 s, 2100 Hz (also ANS and ANSam, with phase reversals) for 0.4 s.

    A tone must hold 60 % of the line's energy. `at` is the line time of the first sample. Any chunking gives
    the same answers.
    """

    def __init__(self, *, at: int = 0) -> None:
        if at < 0:
            raise ValueError(f"at is a line time in samples, not {at}")
        self._state = layout.plain(layout.tone_state(at))
        self._events = np.zeros(16, layout.EVENT)
        self._plain = layout.plain(self._events)

    def push(self, samples: npt.NDArray[np.int16]) -> list[tuple[int, str]]:
        """(line time in samples, "cng" or "ced") once for each tone, when it has lasted long enough."""
        heard: list[tuple[int, str]] = []
        start, n = 0, len(samples)
        while start < n:
            taken, count = native.tone_detect(self._state, samples, start, self._plain)
            heard += [(at, "cng" if kind == layout.CNG else "ced") for at, kind, _ in self._events[:count].tolist()]
            start += taken
        return heard
