"""What the parent and its drawing process say to each other: a length, a header, then raw octets.

    4 octets length of the header | 4 octets length of the body | header (MessagePack) | body

The parent trusts nothing it reads here: types and lengths are checked, nothing is unpickled.
"""

from __future__ import annotations

import struct

import msgspec

from faxcore.document.geometry import Size

PREFIX = struct.Struct("<II")
MAX_HEADER = 16_000_000


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
    """The body holds the packed rows."""

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


def frame(message: Order | Answer, body_length: int = 0) -> bytes:
    """The octets of a message up to its body."""
    header = _encode(message)
    return PREFIX.pack(len(header), body_length) + header


def take(buffer: bytearray, max_body: int) -> tuple[bytes, bytes] | None:
    """Header and body of the first whole message in the buffer, taken out of it; ValueError: no such message."""
    if len(buffer) < PREFIX.size:
        return None
    header, body = PREFIX.unpack_from(buffer)
    if header > MAX_HEADER or body > max_body:
        raise ValueError(f"a message of {header} and {body} octets")
    end = PREFIX.size + header + body
    if len(buffer) < end:
        return None
    message = bytes(buffer[PREFIX.size : PREFIX.size + header]), bytes(buffer[PREFIX.size + header : end])
    del buffer[:end]
    return message
