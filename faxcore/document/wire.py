"""What the parent and its drawing process say to each other: 4 octets of length, then a MessagePack message.

Rows of pages go another way, through memory: the rows that belong to the n-th answer are written into the file
n modulo `IN_FLIGHT` of those that both hold, so that no answer is too long for a socket whose reader is busy.
The parent trusts nothing it reads: types and lengths are checked, nothing is unpickled.
"""

from __future__ import annotations

import struct

import msgspec

from faxcore.document.geometry import Size

PREFIX = struct.Struct("<I")
MAX_MESSAGE = 16_000_000
IN_FLIGHT = 2
"""Jobs that a process has in hand: what waits behind a slow page cannot be taken back."""


class Load(msgspec.Struct, tag=True):
    """Here comes a file descriptor with the octets of a document; no answer."""

    document: int
    kind: str
    rasterizer: str
    max_pels: int
    seconds: float
    address_space: int


class Unload(msgspec.Struct, tag=True):
    """Forget a document; no answer."""

    document: int


class Inspect(msgspec.Struct, tag=True):
    """Open a document and say how large its pages are."""

    document: int


class Draw(msgspec.Struct, tag=True):
    """Draw a page, counted from 0."""

    document: int
    page: int
    resolution: str
    line_mm: int = 215
    longest_mm: float | None = None


class Inspected(msgspec.Struct, tag=True):
    """The size of every page."""

    sizes: list[Size]


class Drawn(msgspec.Struct, tag=True):
    """The packed rows are in the file of this answer."""

    width: int
    height: int


class Failed(msgspec.Struct, tag=True):
    """Why there is no answer; `page` counts from 1."""

    cause: str
    page: int | None = None
    code: int = 43


Order = Load | Unload | Inspect | Draw
Answer = Inspected | Drawn | Failed

_encode = msgspec.msgpack.encode
decode_order = msgspec.msgpack.Decoder(Order).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode


def frame(message: Order | Answer) -> bytes:
    """The octets of a message."""
    octets = _encode(message)
    return PREFIX.pack(len(octets)) + octets


def take(buffer: bytearray) -> bytes | None:
    """The first whole message in the buffer, taken out of it; ValueError: no such message."""
    if len(buffer) < PREFIX.size:
        return None
    (length,) = PREFIX.unpack_from(buffer)
    if length > MAX_MESSAGE:
        raise ValueError(f"a message of {length} octets")
    end = PREFIX.size + length
    if len(buffer) < end:
        return None
    message = bytes(buffer[PREFIX.size : end])
    del buffer[:end]
    return message
