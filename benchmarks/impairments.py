"""What a telephone line does to one burst: level, offsets, a line filter, noise, direct current, hum, G.711.

The far transmitter's offsets come first, then the line, the level, the noise, the law. SNR counts noise over
0-4 kHz against the burst as it arrives. A burst begins anywhere between two samples, its carrier at any phase.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.fft import fft, ifft, next_fast_len
from scipy.signal import oaconvolve

from faxcore import g711
from faxcore.units import SAMPLE_RATE, rms_of_dbm0

Samples = npt.NDArray[np.int16]
Real = npt.NDArray[np.float64]

LEAD, TAIL = 2400, 1200
"""Samples of line before and after the burst: 300 ms of steady noise before it, where there is noise before it."""

FREQUENCIES = (0, 200, 300, 500, 1000, 1800, 2600, 2900, 3200, 3400, 4000)
"""Hz at which lines are given, straight in between."""

ATTENUATIONS = {
    "end of band": (20, 8, 3, 1, 0, 0, 1.5, 3, 6, 10, 30),
    "slope": (20, 6, 2, 1, 0, 2, 5, 7, 9, 12, 30),
    "channel filters": (50, 6, 0.5, 0, 0, 0, 0, 0.2, 0.6, 3, 50),
}
"""Attenuation in dB."""

DELAYS = {
    "delay": (3, 3, 2.5, 1.6, 0.4, 0, 0.6, 1.1, 1.8, 2.2, 2.2),
    "channel filters": (4, 3, 2, 0.8, 0.1, 0, 0.1, 0.3, 0.7, 1.2, 1.2),
}
"""Group delay in ms above the least."""

ECHOES = {"echo 1 ms": ((1.0, -12.0),), "echo 3 ms": ((3.0, -18.0),), "echo 20 ms": ((20.0, -30.0),)}
"""(ms, dB) of copies heard after the signal itself."""

LINES = {
    "flat": (None, None, ()),
    "end of band": ("end of band", None, ()),
    "slope": ("slope", None, ()),
    "delay": (None, "delay", ()),
    "channel filters": ("channel filters", "channel filters", ()),
    "end of band + delay": ("end of band", "delay", ()),
    **{name: (None, None, copies) for name, copies in ECHOES.items()},
}
"""Lines by name: attenuation, delay, echoes. Shapes of loaded and multiplexed lines, no mask of a recommendation."""


@dataclass(frozen=True)
class Channel:
    """One line and one far transmitter; `snr_db` None is no noise.

    `noise_before` has it on the line before the burst; else it begins with the burst, and where talker echo
    protection or a gap comes first, after that.
    """

    snr_db: float | None = None
    noise_before: bool = True
    level_dbm0: float = -13.0
    carrier_hz: float = 0.0
    clock_ppm: float = 0.0
    line: str = "flat"
    law: str | None = None
    dc: float = 0.0  # counts
    hum_dbm0: float | None = None  # at 50 Hz


def carry(burst: Samples, channel: Channel, seed: int) -> Samples:
    """The samples that arrive: LEAD samples of line, the burst through the channel, TAIL samples of line."""
    random = np.random.default_rng(seed)
    late, phase = random.uniform(0, 160), random.uniform(0, 2 * np.pi)
    sent = np.concatenate([np.zeros(LEAD), burst, np.zeros(TAIL)])
    sent = offset(sent, channel.carrier_hz, channel.clock_ppm, late, phase)
    if channel.line != "flat":
        sent = oaconvolve(sent, impulse_response(channel.line))[FILTER // 2 :][: len(sent)]
    rms = rms_of_dbm0(channel.level_dbm0)
    heard = sent * (rms / burst_rms(sent))
    if channel.snr_db is not None:
        start = 0 if channel.noise_before else onset(sent)
        noise = random.standard_normal(len(heard)) * (rms * 10 ** (-channel.snr_db / 20))
        heard[start:] += noise[start:]
    heard = heard + channel.dc
    if channel.hum_dbm0 is not None:
        turns = 50 / SAMPLE_RATE * np.arange(len(heard)) + phase / (2 * np.pi)
        heard = heard + math.sqrt(2) * rms_of_dbm0(channel.hum_dbm0) * np.sin(2 * np.pi * turns)
    whole = np.clip(np.rint(heard), -32768, 32767).astype(np.int16)
    return g711.through(whole, channel.law) if channel.law else whole


def burst_rms(samples: Real) -> float:
    """RMS while the burst is on: of the 20 ms blocks that are not far below the median."""
    powers = np.mean(samples[: len(samples) // 160 * 160].reshape(-1, 160) ** 2, axis=1)
    on = powers[powers > 0.01 * powers.max()]
    return float(np.sqrt(np.mean(on[on > 0.5 * np.median(on)])))


def onset(samples: Real) -> int:
    """Where the training begins: after the last 5 ms of silence in the burst's first half second."""
    powers = np.mean(samples[: LEAD + 4000].reshape(-1, 40) ** 2, axis=1)
    return int(np.flatnonzero(powers < 1e-3 * burst_rms(samples) ** 2)[-1] + 1) * 40


def offset(samples: Real, carrier_hz: float, clock_ppm: float, late: float = 0.0, phase: float = 0.0) -> Real:
    """The samples from a clock that runs fast by `clock_ppm`, all frequencies then moved by `carrier_hz`.

    All of it `late` samples late (0 to 160), every frequency turned by `phase` radians.
    """
    n = len(samples)
    size = next_fast_len(n + 256)
    spectrum = fft(samples, size)
    spectrum[size // 2 :] = 0
    spectrum *= np.exp(1j * (phase - 2 * np.pi * late / size * np.arange(size)))
    analytic = 2 * ifft(spectrum)[:n]
    if clock_ppm:
        analytic = _stretched(analytic, 1 + 1e-6 * clock_ppm)
    return np.asarray((analytic * np.exp(2j * np.pi * carrier_hz / SAMPLE_RATE * np.arange(n))).real)


PLACES, SPAN = 128, 32


@cache
def _between() -> Real:
    """Windowed sinc for each place between two samples and the next one: PLACES + 1 rows."""
    t = np.arange(SPAN) - SPAN // 2 + 1 - np.arange(PLACES + 1)[:, None] / PLACES
    return np.asarray(np.sinc(t) * np.kaiser(SPAN * PLACES + 1, 8.0)[np.rint((t + SPAN // 2) * PLACES).astype(int)])


def _stretched(x: npt.NDArray[np.complex128], ratio: float) -> npt.NDArray[np.complex128]:
    """x at the times 0, ratio, 2 ratio ..; where a stretch of output shares its place, it is one convolution."""
    out = np.zeros(len(x), np.complex128)
    padded = np.concatenate([np.zeros(SPAN), x, np.zeros(SPAN + 2 + int(len(x) * abs(ratio - 1)))])
    drift = np.arange(len(x)) * (ratio - 1)
    place = np.floor(drift * PLACES).astype(np.int64)
    edges = np.concatenate([[0], np.flatnonzero(np.diff(place)) + 1, [len(x)]])
    for start, stop in pairwise(edges.tolist()):
        whole, part = divmod(int(place[start]), PLACES)
        first = start + whole + SPAN - (SPAN // 2 - 1)
        between = np.convolve(padded[first : first + stop - start + SPAN - 1], _between()[part][::-1], "valid")
        after = np.convolve(padded[first : first + stop - start + SPAN - 1], _between()[part + 1][::-1], "valid")
        weight = drift[start:stop] * PLACES - place[start]
        out[start:stop] = between + weight * (after - between)
    return out


FILTER = 1024


@cache
def impulse_response(line: str) -> Real:
    """The line's impulse response, FILTER samples, its time 0 at FILTER // 2."""
    attenuation, delay, echoes = LINES[line]
    f = np.fft.rfftfreq(FILTER, 1 / SAMPLE_RATE)
    loss = np.interp(f, FREQUENCIES, ATTENUATIONS[attenuation]) if attenuation else np.zeros(len(f))
    late = np.interp(f, FREQUENCIES, DELAYS[delay]) * 1e-3 if delay else np.zeros(len(f))
    phase = 2 * np.pi * np.cumsum(late) * (f[1] - f[0])
    response = 10 ** (-loss / 20) * np.exp(-1j * phase)
    for ms, db in echoes:
        response = response + 10 ** (db / 20) * np.exp(-2j * np.pi * f * ms * 1e-3)
    return np.asarray(np.roll(np.fft.irfft(response), FILTER // 2) * np.kaiser(FILTER, 2.0))
