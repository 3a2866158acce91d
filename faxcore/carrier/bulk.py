"""Bursts of data in one go: all packets of one that is sent, and the data of many datagrams that came in order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from faxcore.kernels import native
from faxcore.t38 import udptl
from faxcore.t38.ifp import DataKind, Form

OVERHEAD = 6  # octets of a packet around the data of its field


class Burst(NamedTuple):
    """Packets on their way: the first is due at `at`, each at its time, in seconds; `bits` of the line in all.

    `before` and `share` say which part of a page was sent before, and which is in it; None: no page.
    """

    at: float
    times: list[float]
    octets: npt.NDArray[np.uint8]
    sizes: npt.NDArray[np.int32]
    end: float
    page: tuple[float, float] | None


def head_of(kind: DataKind) -> int:
    """The first octet of a packet of data [T.38 7.2]."""
    return 0xC0 | kind << 1


def pack(
    parts: Sequence[bytes], kind: DataKind, form: Form, chunk: int, *, raw: bool, at: float, bit_rate: int,
    page: tuple[float, float] | None = None,
) -> Burst:  # fmt: skip
    """A burst of frames, the last one without its end, or of page data (`raw`), in the order of the line."""
    lengths = np.array([len(part) for part in parts], np.int32)
    most = int((-(-lengths // chunk)).sum())
    data = np.frombuffer(b"".join(parts), np.uint8)
    out, sizes = np.empty(len(data) + OVERHEAD * most, np.uint8), np.empty(most, np.int32)
    bits = np.empty(most + 1, np.int64)
    native.t38_pack(data, lengths, chunk, head_of(kind), int(form is Form.V2002), int(raw), out, sizes, bits)
    times = (at + bits / bit_rate).tolist()
    end = times.pop()
    return Burst(times[0], times, out[: int(sizes.sum())], sizes, end, page)


class Batch:
    """A burst that is being sent."""

    def __init__(self, burst: Burst, sender: udptl.Sender) -> None:
        self._burst, self._sender = burst, sender
        self._datagrams = sender.prepared(burst.octets, burst.sizes)
        self._sent = 0

    @property
    def due(self) -> float:
        """When the next packet is due."""
        return self._burst.times[self._sent]

    @property
    def last(self) -> float:
        """When the last packet is due."""
        return self._burst.times[-1]

    @property
    def done(self) -> bool:
        """Whether all is sent."""
        return self._sent == len(self._burst.times)

    @property
    def fraction(self) -> float | None:
        """How much of the page is sent; None where it is no page."""
        if self._burst.page is None:
            return None
        before, share = self._burst.page
        return before + share * self._sent / len(self._burst.times)

    def take(self, until: float) -> tuple[list[bytes], list[float]]:
        """What is due until then, the next packet at least, each with its time."""
        begin, times = self._sent, self._burst.times
        self._sent = end = max(begin + 1, bisect_right(times, until, begin))
        if self._datagrams is not None:
            return self._datagrams[begin:end], times[begin:end]
        return [self._sender.datagram(packet) for packet in self._packets(begin, end)], times[begin:end]

    def close(self) -> None:
        """No more is sent: the sender goes on from here."""
        if self._datagrams is not None:
            self._sender.sent(self._sent, self._packets(max(0, self._sent - udptl.MOST_REDUNDANCY), self._sent))

    def _packets(self, begin: int, end: int) -> list[bytes]:
        sizes = self._burst.sizes
        at = int(sizes[:begin].sum())
        out = []
        for size in sizes[begin:end].tolist():
            out.append(self._burst.octets[at : at + size].tobytes())
            at += size
        return out


class Unwrapped(NamedTuple):
    """The data of `datagrams` of them: its octets in the order of the line; each frame's end, and in which it is."""

    datagrams: int
    octets: bytes
    ends: list[int]
    within: list[int]


def unwrap(datagrams: Sequence[bytes], sequence: int, kind: DataKind, form: Form, *, raw: bool) -> Unwrapped:
    """The data of datagrams from number `sequence` on, up to the first that is anything but plain data."""
    octets = np.frombuffer(b"".join(datagrams), np.uint8)
    sizes = np.array([len(datagram) for datagram in datagrams], np.int32)
    out = np.empty(len(octets), np.uint8)
    ends, within = np.empty(len(sizes), np.int32), np.empty(len(sizes), np.int32)
    taken, length, frames = native.t38_unwrap(
        octets, sizes, sequence, head_of(kind), int(form is Form.V2002), int(raw), out, ends, within
    )
    return Unwrapped(taken, out[:length].tobytes(), ends[:frames].tolist(), within[:frames].tolist())
