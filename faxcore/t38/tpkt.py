"""IFP packets in a stream of TCP: with TPKT headers, or back to back as some stacks of version 0 send them
[T.38 6.1, 9.1; RFC 1006 6]."""

from __future__ import annotations

from faxcore.errors import FrameError
from faxcore.t38 import ifp
from faxcore.t38.ifp import Form

VERSION = 3
HEADER = 4
LONGEST = 0xFFFF - HEADER


def encode(packet: bytes) -> bytes:
    """A packet behind its TPKT header; ValueError for an empty one or more than 65 531 octets."""
    if not 1 <= len(packet) <= LONGEST:
        raise ValueError(f"a packet has 1 to {LONGEST} octets, not {len(packet)}")
    return bytes((VERSION, 0)) + (HEADER + len(packet)).to_bytes(2) + packet


class Parser:
    """Takes a stream apart, for every chunking the same. The first octet tells which kind of stream it is.

    `form` tells how the packets of a stream without TPKT are measured. Octets that cannot be a stream raise
    FrameError, then and ever after: there is no way to find the next border. Less than one packet is kept.
    """

    def __init__(self, form: Form = Form.V1998) -> None:
        self._form = form
        self._kept = bytearray()
        self._bare: bool | None = None
        self._broken = False

    def push(self, octets: bytes) -> list[bytes]:
        """The packets that end in these octets; those before a fault are given before it is raised."""
        if self._broken:
            raise FrameError("the stream is out of step")
        self._kept += octets
        packets: list[bytes] = []
        try:
            while self._kept and (packet := self._next()) is not None:
                packets += [packet] if packet else []
        except FrameError:
            self._broken = True
            if not packets:
                raise
        return packets

    def _next(self) -> bytes | None:
        if self._bare is None:
            self._bare = self._kept[0] != VERSION    # no packet begins with this octet
        length = self._bare_length() if self._bare else self._framed_length()
        if length is None or len(self._kept) < length:
            return None
        packet = bytes(self._kept[0 if self._bare else HEADER:length])
        del self._kept[:length]
        return packet

    def _framed_length(self) -> int | None:
        if self._kept[0] != VERSION or any(self._kept[1:2]):
            raise FrameError("no TPKT header")
        if len(self._kept) < HEADER:
            return None
        length = int.from_bytes(self._kept[2:HEADER])
        if length < HEADER:
            raise FrameError("a TPKT shorter than its header")
        return length

    def _bare_length(self) -> int | None:
        try:
            return ifp.parse(bytes(self._kept), self._form)[1]
        except ifp.TruncatedError:
            if len(self._kept) > LONGEST:
                raise FrameError("a packet without end") from None
            return None
