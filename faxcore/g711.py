"""G.711: the eight-bit companding laws of the telephone network, for int16 samples.

int16 full scale is 3.14 dBm0 in A-law and 3.17 dBm0 in mu-law [G.711 5].
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

LAWS = ("mu", "a")

Samples = npt.NDArray[np.int16]
Octets = npt.NDArray[np.uint8]


def encode(samples: Samples, law: str) -> Octets:
    """The octets of int16 samples, shape kept, first bit of an octet the sign. ValueError for no law "mu" or "a"."""
    return _encoder(law)[samples.view(np.uint16)]


def decode(octets: Octets, law: str) -> Samples:
    """The int16 samples of octets, shape kept."""
    return _decoder(law)[octets]


def through(samples: Samples, law: str) -> Samples:
    """Samples as they come back from the network: decode(encode(samples))."""
    return decode(encode(samples, law), law)


@cache
def _decoder(law: str) -> Samples:
    """256 values: sign, three bits of segment, four of step; mu-law is sent inverted, A-law with even bits so."""
    if law not in LAWS:
        raise ValueError(f"law is 'mu' or 'a', not {law!r}")
    code = np.arange(256) ^ (0xFF if law == "mu" else 0x55)
    positive = (code & 0x80) == (0 if law == "mu" else 0x80)
    segment, step = code >> 4 & 7, code & 15
    if law == "mu":
        value = ((2 * step + 33 << segment) - 33) * 4
    else:
        value = np.where(segment == 0, 2 * step + 1, 2 * step + 33 << np.maximum(segment - 1, 0)) * 8
    return np.where(positive, value, -value).astype(np.int16)


@cache
def _encoder(law: str) -> Octets:
    """65536 octets by the sample's 16 bits; the step is the one whose decision values enclose the magnitude."""
    values = _decoder(law).astype(np.int64)
    order = np.argsort(np.abs(values[:128]))  # the codes of one sign by their magnitude
    levels = np.abs(values[:128])[order]
    decisions = levels[1:] - _widths(law)[1:] // 2
    samples = np.arange(65536).astype(np.uint16).view(np.int16).astype(np.int64)
    code = order[np.searchsorted(decisions, np.abs(samples), side="right")]
    first_half_positive = values[int(order[-1])] > 0
    return np.where((samples >= 0) == first_half_positive, code, code | 0x80).astype(np.uint8)


def _widths(law: str) -> npt.NDArray[np.int64]:
    """Widths of the 128 steps of one sign; the first two segments of A-law have one width [G.711 tables 1a, 2a]."""
    widths: npt.NDArray[np.int64] = 8 << np.arange(8) if law == "mu" else 16 << np.maximum(np.arange(8) - 1, 0)
    return widths.repeat(16)
