"""HDLC frames as fax uses them: flags, zero insertion, frame check sequence [T.30 5.3].

Octets are packed with the first bit on the line least significant.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from faxcore.kernels import native
from faxcore.kernels.twins import fsk as layout

_ROOM = 16  # octets that the kernel may use beyond the bits themselves, for each frame

_REVERSED = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


def fcs(octets: bytes | bytearray | memoryview) -> int:
    """The 16-bit frame check sequence, low octet first on the line [T.30 5.3.7; ISO/IEC 13239]."""
    register = binascii.crc_hqx(bytes(octets).translate(_REVERSED), 0xFFFF) ^ 0xFFFF
    return _REVERSED[register >> 8] | _REVERSED[register & 0xFF] << 8


def with_fcs(octets: bytes) -> bytes:
    """A frame's octets followed by its FCS."""
    return octets + fcs(octets).to_bytes(2, "little")


def frame_octets(
    frames: Sequence[bytes], *, preamble_flags: int, flags_between: int = 1, flags_after: int = 2
) -> tuple[npt.NDArray[np.uint8], int]:
    """The line bits of one signal: flags, then each frame with FCS and zero insertion [T.30 5.3].

    uint8, first bit on the line least significant, and how many bits; zeros fill the last octet. ValueError for no
    frames, an empty frame, or fewer than one flag in any place.
    """
    if not frames or not all(frames):
        raise ValueError("a signal needs at least one frame, and a frame at least one octet")
    if min(preamble_flags, flags_between, flags_after) < 1:
        raise ValueError("every frame stands between flags: one at least before, between and after")
    lengths = np.fromiter(map(len, frames), np.int32, len(frames))
    octets = np.frombuffer(b"".join(frames), np.uint8)
    flags = preamble_flags + flags_between * len(frames) + flags_after
    line = np.zeros(flags + (len(octets) + 2 * len(frames)) * 6 // 5 + _ROOM * (len(frames) + 1), np.uint8)
    bits = native.hdlc_frame(octets, lengths, preamble_flags, flags_between, flags_after, line)
    return line[: -(-bits // 8)], bits


def frame_bits(
    frames: Sequence[bytes], *, preamble_flags: int, flags_between: int = 1, flags_after: int = 2
) -> npt.NDArray[np.uint8]:
    """The same, one bit an item: uint8 0/1, first on the line first."""
    octets, bits = frame_octets(
        frames, preamble_flags=preamble_flags, flags_between=flags_between, flags_after=flags_after
    )
    return np.unpackbits(octets, count=bits, bitorder="little")


class Frame(NamedTuple):
    """What lay between two flags. `at` counts the bits of the line up to and with its closing flag."""

    octets: bytes
    good: bool
    at: int


class EventBuffer:
    """The arrays that a kernel writes its events and their octets into, reused for every call."""

    def __init__(self, events: int = 64, octets: int = 8 * layout.LONGEST) -> None:
        self.events = np.zeros(events, layout.EVENT)
        self.plain = layout.plain(self.events)
        self.octets = np.zeros(octets, np.uint8)

    def read(self, count: int) -> list[tuple[int, int, bytes]]:
        """(at, kind, octets) of the first `count` events."""
        rows: list[Any] = self.events[:count].tolist()
        ends = list(accumulate(length for _, _, length in rows))
        octets = self.octets[: ends[-1] if ends else 0].tobytes()
        return [(at, kind, octets[end - length : end]) for (at, kind, length), end in zip(rows, ends, strict=True)]


class Deframer:
    """Line bits to frames: total, for any bits, and the same for every chunking.

    A frame is good if it has whole octets and a good FCS. Bad ones come with what octets there are: an
    abort (seven ones), more than 512 octets, a false FCS. Under 32 bits between flags is no frame
    [ISO/IEC 13239].
    """

    def __init__(self) -> None:
        self._state = layout.hdlc_state()
        self._plain = layout.plain(self._state)
        self._out = EventBuffer()

    @property
    def flags_seen(self) -> int:
        """Flags since the beginning."""
        return int(self._state["flags_seen"][0])

    @property
    def position(self) -> int:
        """Bits taken since the beginning."""
        return int(self._state["position"][0])

    def push(self, bits: npt.NDArray[np.uint8]) -> list[Frame]:
        """The frames that end in these bits, uint8 0/1."""
        return self._take(bits, 0, len(bits))

    def push_octets(self, octets: bytes | npt.NDArray[np.uint8]) -> list[Frame]:
        """The frames that end in these octets, first bit least significant."""
        data = np.frombuffer(octets, np.uint8) if isinstance(octets, bytes) else octets
        return self._take(data, 1, 8 * len(data))

    def _take(self, data: npt.NDArray[np.uint8], packed: int, n: int) -> list[Frame]:
        frames: list[Frame] = []
        start = 0
        while start < n:
            taken, count = native.hdlc_deframe(self._plain, data, packed, start, self._out.plain, self._out.octets)
            if count:
                frames += [Frame(octets, kind == layout.GOOD_FRAME, at) for at, kind, octets in self._out.read(count)]
            start += taken
        return frames
