"""Hostile inputs by the million: samples cut, joined, flipped and lengthened, always the same for a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest

_LENGTHS = (b"\0", b"\1", b"\x7f", b"\x80\x80", b"\xbf\xff", b"\xc0", b"\xff\xff", b"\0\0\0\0")

# What runs always, and what runs behind the long marker.
COUNTS = [20_000, pytest.param(2_000_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])]


def mutated(samples: Sequence[bytes], seed: int, count: int) -> Iterator[bytes]:
    """`count` inputs, each some steps away from one of the samples."""
    rng = random.Random(seed)
    for _ in range(count):
        octets = bytearray(rng.choice(samples))
        for _ in range(rng.randrange(4)):
            _step(octets, samples, rng)
        yield bytes(octets)


def _step(octets: bytearray, samples: Sequence[bytes], rng: random.Random) -> None:
    at = rng.randrange(len(octets) + 1)
    kind = rng.randrange(7)
    if kind == 0:
        del octets[at:]
    elif kind == 1:
        del octets[at:at + rng.randrange(1, 5)]
    elif kind == 2:
        octets[at:at] = rng.randbytes(rng.randrange(1, 9))
    elif kind == 3:
        octets[at:at + 2] = rng.choice(_LENGTHS)
    elif kind == 4:
        octets += rng.choice(samples)
    elif at < len(octets):
        octets[at] = octets[at] ^ 1 << rng.randrange(8) if kind == 5 else rng.randrange(256)
