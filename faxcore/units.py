"""Units of the telephone line: samples, seconds and dBm0."""

import math

SAMPLE_RATE = 8000
"""Samples a second on every audio interface; int16, mono."""

FULL_SCALE_SINE_DBM0 = 3.14
"""Level of the largest sine that int16 holds: the A-law overload point [G.711]."""


def samples(seconds: float) -> int:
    """Whole samples in a stretch of line time, rounded to the nearest."""
    return round(seconds * SAMPLE_RATE)


def seconds(sample_count: int) -> float:
    """Line time of a number of samples."""
    return sample_count / SAMPLE_RATE


def rms_of_dbm0(level: float) -> float:
    """RMS of int16 samples at a level in dBm0."""
    return 32768 / math.sqrt(2) * 10 ** ((level - FULL_SCALE_SINE_DBM0) / 20)


def dbm0_of_rms(rms: float) -> float:
    """Level in dBm0 of int16 samples by their RMS; minus infinity for silence."""
    return FULL_SCALE_SINE_DBM0 + 20 * math.log10(rms * math.sqrt(2) / 32768) if rms > 0 else -math.inf
