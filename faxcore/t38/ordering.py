"""Numbered packets brought into order: repeats dropped, holes filled or told, restarts of the numbering noticed.

UDPTL and RTP number alike, 16 bits that wrap. Inside, numbers go on for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

WINDOW = 4096      # numbers; what is farther away than this is a restart, not a loss
HISTORY = 64       # packets kept behind the last delivered one: to know repeats, to recover others
MOST_HELD = 64
_STALE_RUN = 8     # so many old numbers in a row, none of them known: the sender has begun anew


class Arrived(NamedTuple):
    """A packet in its turn. `recovered`: it was in a later datagram."""

    sequence: int
    octets: bytes
    recovered: bool = False


class Lost(NamedTuple):
    """So many packets from number `sequence` on are missing for good; 0: the numbering began anew."""

    sequence: int
    packets: int


@dataclass(slots=True)
class Counters:
    """What happened to datagrams (received, repeated, rejected) and to packets (recovered, lost); restarts."""

    received: int = 0
    repeated: int = 0
    rejected: int = 0
    recovered: int = 0
    lost: int = 0
    restarts: int = 0


class Orderer:
    """The order of packets. `hold` numbers: how long a missing packet is waited for, by later numbers seen."""

    def __init__(self, hold: int) -> None:
        if not 0 <= hold <= MOST_HELD:
            raise ValueError(f"hold is a number of packets, 0 to {MOST_HELD}, not {hold}")
        self.hold = hold
        self.counters = Counters()
        self.known: dict[int, bytes] = {}    # index -> octets; empty ones are not delivered
        self.next: int | None = None         # index of the packet to be delivered next
        self._highest = -1
        self._recovered: set[int] = set()
        self._stale = 0

    @property
    def waiting(self) -> bool:
        """Whether packets are held back because an earlier one is missing."""
        return self.next is not None and self._highest >= self.next

    def is_next(self, sequence: int) -> bool:
        """Whether this is the very packet that is due, and nothing is held back: nearly all are."""
        return self.next is not None and self._highest < self.next and self.next & 0xFFFF == sequence

    def take_next(self, octets: bytes) -> Arrived:
        """Deliver the packet of `is_next`."""
        assert self.next is not None
        self.known[self.next] = octets
        self._highest, self._stale = self.next, 0
        self._recovered.discard(self.next)
        self._advance()
        return Arrived(self.next - 1 & 0xFFFF, octets)

    def skip(self, count: int) -> None:
        """`count` packets from `next` on were taken elsewhere; nothing is held back."""
        assert self.next is not None
        self.next += count
        self._highest, self._stale = self.next - 1, 0
        self.counters.received += count

    def index(self, sequence: int) -> int:
        """The number without wrap that lies nearest to what is expected."""
        if self.next is None:
            return sequence + 0x10000
        return self.next + ((sequence - self.next + 0x8000) & 0xFFFF) - 0x8000

    def begins_anew(self, sequence: int, octets: bytes) -> bool:
        """Whether this datagram is the first one, or shows that the sender has begun to count anew."""
        index = self.index(sequence)
        if self.next is None or abs(index - self.next) > WINDOW:
            return True
        if index >= self.next:
            self._stale = 0
            return False
        if index in self.known and octets:
            return self.known[index].rstrip(b"\0") != octets.rstrip(b"\0")    # parity leaves zeros behind
        self._stale += 1
        return self._stale >= _STALE_RUN

    def restart(self, sequence: int, carried: int) -> list[Arrived | Lost]:
        """Expect `sequence` and the `carried` packets before it that come in the same datagram."""
        out: list[Arrived | Lost] = []
        if self.next is not None:
            out = [*self.flush(), Lost(sequence, 0)]
            self.counters.restarts += 1
        self.known.clear()
        self._recovered.clear()
        self.next, self._stale = None, 0
        self.next = self.index(sequence) - min(carried, sequence)
        self._highest = self.next - 1
        return out

    def add(self, index: int, octets: bytes, *, recovered: bool = False) -> bool:
        """Take a packet that is still waited for; false if it is known or too late."""
        assert self.next is not None
        if index < self.next or self.known.get(index):
            return False
        if recovered:
            self._recovered.add(index)
        else:
            self._recovered.discard(index)
        self.known[index] = octets
        self._highest = max(self._highest, index)
        return True

    def add_earlier(self, index: int, packets: Sequence[bytes]) -> None:
        """Take the packets before `index`, newest first; empty ones are nothing."""
        for back, octets in enumerate(packets, 1):
            if octets and index - back not in self.known:
                self.add(index - back, octets, recovered=True)

    def deliver(self) -> list[Arrived | Lost]:
        """What is in order by now."""
        out: list[Arrived | Lost] = []
        while self.waiting:
            self._take_known(out)
            assert self.next is not None
            if not self.waiting or self._highest - self.next < self.hold:
                break
            self._give_up(out)
        return out

    def flush(self) -> list[Arrived | Lost]:
        """Everything held back, with its losses: nothing more is waited for."""
        out: list[Arrived | Lost] = []
        while self.waiting:
            self._take_known(out)
            if self.waiting:
                self._give_up(out)
        return out

    def _take_known(self, out: list[Arrived | Lost]) -> None:
        assert self.next is not None
        while self.next in self.known:
            octets, recovered = self.known[self.next], self.next in self._recovered
            if octets:
                out.append(Arrived(self.next & 0xFFFF, octets, recovered))
                self.counters.recovered += recovered
            self._advance()

    def _give_up(self, out: list[Arrived | Lost]) -> None:
        assert self.next is not None
        first, count = self.next, 0
        while self.next not in self.known:
            self._advance()
            count += 1
        self.counters.lost += count
        out.append(Lost(first & 0xFFFF, count))

    def _advance(self) -> None:
        assert self.next is not None
        self.known.pop(self.next - HISTORY, None)
        self._recovered.discard(self.next)
        self.next += 1
