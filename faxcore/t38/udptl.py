"""UDPTL: IFP packets in numbered datagrams with redundancy or parity [T.38 9.1]."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from faxcore.errors import FrameError
from faxcore.kernels import native
from faxcore.t38 import fec
from faxcore.t38.ordering import Arrived, Counters, Lost, Orderer

__all__ = ["Arrived", "Counters", "Datagram", "Lost", "Receiver", "Sender", "decode", "encode"]

LONGEST_PACKET = 0x3FFF
MOST_REDUNDANCY = 15
MOST_ENTRIES = 5    # Asterisk refuses a datagram with more
_FEC = 0x80


class Datagram(NamedTuple):
    """A datagram taken apart. `earlier` packets are newest first; `span` is None unless it carries parity."""

    sequence: int
    primary: bytes
    earlier: Sequence[bytes] = ()
    span: int | None = None
    parity: Sequence[bytes] = ()


def _sized(octets: bytes) -> bytes:
    return _length(len(octets)) + octets


def _length(length: int) -> bytes:
    return bytes((length,)) if length < 0x80 else (0x8000 | length).to_bytes(2)


def encode(datagram: Datagram) -> bytes:
    """The octets of a datagram [T.38 9.1.3]; ValueError for a packet of more than 16 383 octets."""
    packets = (datagram.primary, *datagram.earlier, *datagram.parity)
    if max(map(len, packets)) > LONGEST_PACKET:
        raise ValueError(f"a packet has at most {LONGEST_PACKET} octets, not {max(map(len, packets))}")
    head = datagram.sequence.to_bytes(2) + _sized(datagram.primary)
    if datagram.span is None:
        return b"".join((head, b"\0", _length(len(datagram.earlier)), *map(_sized, datagram.earlier)))
    tail = (bytes((_FEC, 1, datagram.span)), _length(len(datagram.parity)), *map(_sized, datagram.parity))
    return b"".join((head, *tail))


def decode(octets: bytes) -> Datagram:
    """A datagram taken apart; FrameError if the octets are none, to the last one: stray RTP comes this way."""
    if len(octets) < 2:
        raise FrameError("no sequence number")
    sequence = octets[0] << 8 | octets[1]
    primary, at = _read(octets, 2)
    if at >= len(octets):
        raise FrameError("no error recovery")
    choice, at = octets[at], at + 1
    span = None
    if choice & 0x7F:
        raise FrameError("an unknown kind of error recovery")
    if choice:
        if octets[at:at + 1] != b"\x01" or at + 1 >= len(octets):
            raise FrameError("a span that is not of one octet")
        span, at = octets[at + 1], at + 2
    count, at = _read_length(octets, at)
    if count > len(octets) - at:
        raise FrameError("more packets than octets")
    packets = []
    for _ in range(count):
        packet, at = _read(octets, at)
        packets.append(packet)
    if at != len(octets):
        raise FrameError("octets behind the datagram")
    return Datagram(sequence, primary, packets) if span is None else Datagram(sequence, primary, (), span, packets)


def _read_length(octets: bytes, at: int) -> tuple[int, int]:
    if at >= len(octets):
        raise FrameError("no length")
    first = octets[at]
    if first < 0x80:
        return first, at + 1
    if first & 0x40 or at + 1 >= len(octets):
        raise FrameError("no length that a datagram can have")
    return (first & 0x3F) << 8 | octets[at + 1], at + 2


def _read(octets: bytes, at: int) -> tuple[bytes, int]:
    length, at = _read_length(octets, at)
    if at + length > len(octets):
        raise FrameError("a packet is cut off")
    return octets[at:at + length], at + length


class Sender:
    """Makes datagrams of packets. `error_correction` is "redundancy", "fec" or "none" [T.38 9.1.4].

    `redundancy`: earlier packets repeated in each datagram, 0 to 15. `span` packets make one of `entries` parity
    packets; span * entries at most 15, entries at most 5. `max_datagram`: octets that the far end takes, None: any;
    error correction is left out rather than exceed it. `first`: the first sequence number.
    """

    def __init__(
        self, error_correction: str = "redundancy", *, redundancy: int = 3, span: int = 3, entries: int = 3,
        max_datagram: int | None = None, first: int = 0,
    ) -> None:
        if error_correction not in ("redundancy", "fec", "none"):
            raise ValueError(f'error_correction is "redundancy", "fec" or "none", not {error_correction!r}')
        if not 0 <= redundancy <= MOST_REDUNDANCY:
            raise ValueError(f"redundancy is 0 to {MOST_REDUNDANCY}, not {redundancy}")
        if not (1 <= entries <= MOST_ENTRIES and span >= 1 and span * entries <= 15):
            raise ValueError(f"span * entries is at most 15 and entries at most {MOST_ENTRIES}, not {span}, {entries}")
        if max_datagram is not None and max_datagram < 6:
            raise ValueError(f"max_datagram is in octets, at least 6, not {max_datagram}")
        if not 0 <= first <= 0xFFFF:
            raise ValueError(f"a sequence number is 0 to 65535, not {first}")
        self._fec = error_correction == "fec"
        self._depth, self._deepest = (redundancy, MOST_REDUNDANCY) if error_correction == "redundancy" else (0, 0)
        self._span, self._entries = span, entries
        self._limit = max_datagram
        # bare for parity; with their lengths, as they go out again, for redundancy
        self._history: deque[bytes] = deque(maxlen=span * entries if self._fec else MOST_REDUNDANCY)
        self.sequence = first

    @property
    def longest_packet(self) -> int:
        """Octets of the longest packet that a datagram can take."""
        if self._limit is None:
            return LONGEST_PACKET
        room = self._limit - 2 - 1 - (4 if self._fec else 2)
        return room if room < 0x80 else min(room - 1, LONGEST_PACKET)

    def datagram(self, packet: bytes, depth: int | None = None) -> bytes:
        """The next datagram. `depth` takes the place of `redundancy` for this one: more for what must not be lost, 0
        for none; without redundancy it says nothing. ValueError: an empty packet, one longer than `longest_packet`."""
        if not 1 <= len(packet) <= self.longest_packet:
            raise ValueError(f"a packet has 1 to {self.longest_packet} octets here, not {len(packet)}")
        octets, kept = (self._with_parity(packet), packet) if self._fec else self._with_earlier(packet, depth)
        self._history.append(kept)
        self.sequence = self.sequence + 1 & 0xFFFF
        return octets

    def prepared(self, octets: npt.NDArray[np.uint8], sizes: npt.NDArray[np.int32]) -> list[bytes] | None:
        """The datagrams of the next packets, uint8 octets of the int32 sizes, none longer than `longest_packet`; None
        with parity. `sent` must tell how many of them went out before anything else does."""
        if self._fec:
            return None
        earlier = [packet[1 if packet[0] < 0x80 else 2 :] for packet in islice(reversed(self._history), self._depth)]
        earlier.reverse()
        packets = np.concatenate((np.frombuffer(b"".join(earlier), np.uint8), octets))
        all_sizes = np.concatenate((np.array([len(packet) for packet in earlier], np.int32), sizes))
        out = np.empty((len(packets) + 2 * len(all_sizes)) * (self._depth + 1) + 4 * len(all_sizes), np.uint8)
        out_sizes = np.empty(len(sizes), np.int32)
        limit = self._limit or 1 << 20
        total = native.t38_wrap(
            packets, all_sizes, len(earlier), self._depth, min(limit, 1 << 20), self.sequence, out, out_sizes
        )
        joined, at, made = out[:total].tobytes(), 0, []
        for size in out_sizes.tolist():
            made.append(joined[at : at + size])
            at += size
        return made

    def sent(self, count: int, packets: Sequence[bytes]) -> None:
        """`count` of the prepared datagrams went out, `packets` in the last of them."""
        self._history.extend(map(_sized, packets))
        self.sequence = self.sequence + count & 0xFFFF

    def _with_earlier(self, packet: bytes, depth: int | None) -> tuple[bytes, bytes]:
        """The datagram, and what the next ones repeat of it."""
        sized = _sized(packet)
        room = (self._limit or 1 << 20) - 4 - len(sized)
        depth = self._depth if depth is None else min(depth, self._deepest)
        parts = [self.sequence.to_bytes(2), sized, b"\0\0"]
        for earlier in islice(reversed(self._history), depth):
            room -= len(earlier)
            if room < 0:
                break
            parts.append(earlier)
        parts[2] = bytes((0, len(parts) - 3))
        return b"".join(parts), sized

    def _with_parity(self, packet: bytes) -> bytes:
        history = list(self._history)
        for entries in range(min(self._entries, len(history) // self._span), 0, -1):
            parity = fec.entries_for(history, self._span, entries)
            found = encode(Datagram(self.sequence, packet, (), self._span, parity))
            if self._limit is None or len(found) <= self._limit:
                return found
        return encode(Datagram(self.sequence, packet, (), 0, ()))


class Receiver:
    """Brings the packets of datagrams into order, with what redundancy and parity can recover.

    `hold`: a missing packet is waited for until one `hold` numbers later is there, 0 to 64; parity needs its whole
    span and raises it. While `waiting` is true the owner should call `flush` when nothing more has come for a while.
    """

    def __init__(self, hold: int = 3) -> None:
        self._order = Orderer(hold)
        self._parity = fec.Parity()

    @property
    def counters(self) -> Counters:
        """What has happened so far."""
        return self._order.counters

    @property
    def waiting(self) -> bool:
        """Whether packets are held back because an earlier one is missing."""
        return self._order.waiting

    def push(self, octets: bytes) -> list[Arrived | Lost]:
        """The packets that are in order by now. What is no UDPTL datagram is counted and ignored."""
        try:
            datagram = decode(octets)
        except FrameError:
            self.counters.rejected += 1
            return []
        order = self._order
        if datagram.span is None and order.is_next(datagram.sequence) and datagram.primary:
            self.counters.received += 1
            return [order.take_next(datagram.primary)]
        out: list[Arrived | Lost] = []
        if order.begins_anew(datagram.sequence, datagram.primary):
            if not fec.readable(datagram.primary):
                self.counters.rejected += 1
                return []
            self._parity.forget()
            out = order.restart(datagram.sequence, sum(map(bool, datagram.earlier)))
        self.counters.received += 1
        index = order.index(datagram.sequence)
        if not order.add(index, datagram.primary):
            self.counters.repeated += 1
        if datagram.earlier:
            order.add_earlier(index, self._aligned(datagram, index))
        if datagram.parity or datagram.span:
            self._parity.add(order, index, datagram.span or 0, datagram.parity)
        self._parity.recover(order)
        return out + order.deliver()

    @property
    def expected(self) -> int | None:
        """The number that is due next, where nothing is held back and nothing but redundancy is in use."""
        order = self._order
        return None if order.next is None or order.waiting or self._parity.used else order.next & 0xFFFF

    def skip(self, count: int) -> None:
        """So many packets from `expected` on were taken in another way."""
        self._order.skip(count)

    def flush(self) -> list[Arrived | Lost]:
        """Everything held back, with its losses."""
        return self._order.flush()

    def _aligned(self, datagram: Datagram, index: int) -> Sequence[bytes]:
        """The earlier packets, with a place for number 0 where the sender leaves it out as the number wraps."""
        earlier, known = datagram.earlier, self._order.known
        if not 0 < datagram.sequence <= len(earlier) or known.get(index - datagram.sequence):
            return earlier
        before = datagram.sequence - 1
        as_numbered = [known.get(index - 1 - i, packet) == packet for i, packet in enumerate(earlier) if i > before]
        shifted = [known.get(index - 2 - i) == packet for i, packet in enumerate(earlier) if i >= before]
        if shifted and all(shifted) and not (as_numbered and all(as_numbered)):
            self._order.add(index - datagram.sequence, b"")
            return [*earlier[:before], b"", *earlier[before:]]
        return earlier
