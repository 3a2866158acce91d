"""RTP as a carrier of IFP packets, with earlier packets repeated [T.38 6.1; RFC 3550 5.1; RFC 2198; RFC 4612].

audio/t38 and red count time in units of 1/8000 s.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from faxcore.errors import FrameError
from faxcore.t38.fec import readable
from faxcore.t38.ordering import Arrived, Counters, Lost, Orderer

CLOCK = 8000
_LONGEST_BLOCK = 0x3FF
_LONGEST_OFFSET = 0x3FFF


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet; contributing sources, extension and padding are read over."""

    sequence: int
    timestamp: int
    source: int
    payload_type: int
    payload: bytes
    marker: bool = False


class Block(NamedTuple):
    """One block of a `red` payload; `offset` is how much earlier it was, in units of the clock."""

    payload_type: int
    offset: int
    octets: bytes


def encode(packet: Packet) -> bytes:
    """The octets of a packet; ValueError for a number that its field cannot hold."""
    limits = (packet.sequence, 0xFFFF), (packet.timestamp, 0xFFFFFFFF), (packet.source, 0xFFFFFFFF)
    if any(not 0 <= value <= most for value, most in (*limits, (packet.payload_type, 127))):
        raise ValueError(f"a number of {packet} is out of range")
    head = bytes((0x80, packet.marker << 7 | packet.payload_type)) + packet.sequence.to_bytes(2)
    return head + packet.timestamp.to_bytes(4) + packet.source.to_bytes(4) + packet.payload


def decode(octets: bytes) -> Packet:
    """The packet of these octets; FrameError if they are none."""
    if len(octets) < 12 or octets[0] >> 6 != 2:
        raise FrameError("no RTP header")
    at = 12 + 4 * (octets[0] & 15)
    if octets[0] & 0x10:
        at += 4 + 4 * int.from_bytes(octets[at + 2:at + 4])
    end = len(octets) - (octets[-1] if octets[0] & 0x20 else 0)
    if at > end or (octets[0] & 0x20 and not octets[-1]):
        raise FrameError("an RTP header longer than its packet")
    return Packet(
        int.from_bytes(octets[2:4]), int.from_bytes(octets[4:8]), int.from_bytes(octets[8:12]), octets[1] & 0x7F,
        octets[at:end], bool(octets[1] & 0x80))


def encode_red(primary: Block, earlier: list[Block]) -> bytes:
    """The payload of `red`: earlier blocks, oldest first, then the primary [RFC 2198 3]; ValueError for a block of
    more than 1023 octets or more than 16 383 units ago."""
    if any(len(block.octets) > _LONGEST_BLOCK or not 0 <= block.offset <= _LONGEST_OFFSET for block in earlier):
        raise ValueError("an earlier block is too long or too old for RFC 2198")
    heads = [(1 << 31 | b.payload_type << 24 | b.offset << 10 | len(b.octets)).to_bytes(4) for b in earlier]
    return b"".join((*heads, bytes((primary.payload_type,)), *(b.octets for b in earlier), primary.octets))


def decode_red(payload: bytes) -> list[Block]:
    """The blocks of a `red` payload, the primary last; FrameError if it is none."""
    heads, at = [], 0
    while at < len(payload) and payload[at] & 0x80:
        heads.append(int.from_bytes(payload[at:at + 4].ljust(4, b"\0")))
        at += 4
    if at >= len(payload):
        raise FrameError("red without a primary block")
    primary, at = payload[at], at + 1
    blocks = []
    for head in heads:
        length = head & _LONGEST_BLOCK
        if at + length > len(payload):
            raise FrameError("a block is cut off")
        blocks.append(Block(head >> 24 & 0x7F, head >> 10 & _LONGEST_OFFSET, payload[at:at + length]))
        at += length
    return [*blocks, Block(primary, 0, payload[at:])]


class Sender:
    """Makes RTP packets of IFP packets. `red_type` None: without redundancy; numbers may begin anywhere."""

    def __init__(
        self, payload_type: int, *, source: int, red_type: int | None = None, redundancy: int = 3,
        first: int = 0, first_timestamp: int = 0,
    ) -> None:
        if not 0 <= redundancy <= 15:
            raise ValueError(f"redundancy is 0 to 15, not {redundancy}")
        self._type, self._red_type, self._source = payload_type, red_type, source
        self._first_timestamp = first_timestamp
        self._history: deque[tuple[int, bytes]] = deque(maxlen=redundancy)
        self.sequence = first

    def datagram(self, packet: bytes, at: int) -> bytes:
        """The next datagram, with a packet of time `at` (units of the clock since the beginning)."""
        timestamp = self._first_timestamp + at & 0xFFFFFFFF
        payload, kind = packet, self._type
        if self._red_type is not None:
            earlier = [Block(self._type, at - then, octets) for then, octets in self._history
                       if at - then <= _LONGEST_OFFSET and len(octets) <= _LONGEST_BLOCK]
            payload, kind = encode_red(Block(self._type, 0, packet), earlier), self._red_type
        self._history.append((at, packet))
        datagram = encode(Packet(self.sequence, timestamp, self._source, kind, payload))
        self.sequence = self.sequence + 1 & 0xFFFF
        return datagram


class Receiver:
    """Brings packets into order, with what redundancy can recover; other payload types are counted and ignored.

    `hold`: a missing packet is waited for until one `hold` numbers later is there.
    """

    def __init__(self, payload_type: int, *, red_type: int | None = None, hold: int = 3) -> None:
        self._order = Orderer(hold)
        self._type, self._red_type = payload_type, red_type

    @property
    def counters(self) -> Counters:
        """What has happened so far."""
        return self._order.counters

    @property
    def waiting(self) -> bool:
        """Whether packets are held back because an earlier one is missing."""
        return self._order.waiting

    def push(self, octets: bytes) -> list[Arrived | Lost]:
        """The packets that are in order by now. What is no such RTP packet is counted and ignored."""
        try:
            packet = decode(octets)
            primary, earlier = self._blocks(packet)
        except FrameError:
            self.counters.rejected += 1
            return []
        order, out = self._order, list[Arrived | Lost]()
        if order.begins_anew(packet.sequence, primary):
            if not readable(primary):
                self.counters.rejected += 1
                return []
            out = order.restart(packet.sequence, sum(map(bool, earlier)))
        self.counters.received += 1
        index = order.index(packet.sequence)
        if not order.add(index, primary):
            self.counters.repeated += 1
        order.add_earlier(index, earlier)
        return out + order.deliver()

    def flush(self) -> list[Arrived | Lost]:
        """Everything held back, with its losses."""
        return self._order.flush()

    def _blocks(self, packet: Packet) -> tuple[bytes, list[bytes]]:
        """The primary packet and earlier ones, newest first; senders repeat packets without leaving one out."""
        if packet.payload_type == self._type:
            return packet.payload, []
        if packet.payload_type != self._red_type:
            raise FrameError("another payload type")
        blocks = decode_red(packet.payload)
        return blocks[-1].octets, [block.octets for block in reversed(blocks[:-1])]
