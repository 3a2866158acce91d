"""A telephone line in NumPy, operation by operation in single precision: the definition of native/line.c."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LAW_NONE, LAW_MU, LAW_A = range(3)

Words = npt.NDArray[np.uint32]
Floats = npt.NDArray[np.float32]
Samples = npt.NDArray[np.int16]

_LOG = (-0.14338313, 0.22070299, -0.25397831, 0.33256778, -0.49990362, 1.0000046)
_SINE = (-0.0043708002, 0.079500325, -0.64592582, 1.5707952)


def _mix(h: Words) -> Words:
    h = (h ^ h >> np.uint32(16)) * np.uint32(0x7FEB352D)
    h = (h ^ h >> np.uint32(15)) * np.uint32(0x846CA68B)
    return h ^ h >> np.uint32(16)


def _polynomial(coefficients: tuple[float, ...], x: Floats) -> Floats:
    value = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        value = value * x + np.float32(c)
    return value


def _log(u: Floats) -> Floats:
    bits = u.view(np.uint32)
    exponent = (bits - np.uint32(0x3F3504F3)).view(np.int32) >> 23
    f = (bits - (exponent << 23).view(np.uint32)).view(np.float32) - np.float32(1)
    return exponent.astype(np.float32) * np.float32(0.6931472) + _polynomial(_LOG, f) * f


def gaussian(position: int, n: int, key: Words) -> Floats:
    """White noise of RMS 1 for the samples from `position` on: Rayleigh radius times sine of an angle [Box, Muller]."""
    base = _mix((np.arange(n, dtype=np.int64) + position).astype(np.uint32) ^ key[0])
    radius, angle = _mix(base + key[1]), _mix(base + key[2])
    u = ((radius >> np.uint32(9)).astype(np.float32) + np.float32(0.5)) * np.float32(2**-23)
    y = angle.view(np.int32).astype(np.float32) * np.float32(2**-31)
    noise: Floats = np.sqrt(np.float32(-2) * _log(u)) * (_polynomial(_SINE, y * y) * y)
    return noise


def through_law(samples: Samples, law: int) -> Samples:
    """The values that come back from G.711: segments of 16 equal steps, each step's middle [G.711 tables 1, 2]."""
    bias, largest, first = (132, 32635, 7) if law == LAW_MU else (0, 32767, 8)
    biased = np.minimum(np.abs(samples.astype(np.int64)), largest) + bias
    segment = np.maximum(np.frexp(biased.astype(np.float64))[1] - 1, first)
    step = np.int64(1) << (segment - 4)
    value: npt.NDArray[np.int64] = biased // step * step + step // 2 - bias
    return np.where(samples < 0, -value, value).astype(np.int16)


def line_carry(
    samples: Samples, out: Samples, position: int, key: Words, gain: float, sigma: float, law: int
) -> None:
    """Gain, noise, saturation, rounding to the nearest, then the round trip through `law`."""
    y = samples.astype(np.float32) * np.float32(gain)
    if sigma:
        y = y + gaussian(position, len(samples), key) * np.float32(sigma)
    whole = np.clip(np.rint(y), np.float32(-32768), np.float32(32767)).astype(np.int16)
    out[:] = through_law(whole, law) if law else whole
