"""Parity packets of UDPTL [T.38 9.1.4.2, Annex C].

Entry m of n with span s in datagram k is the exclusive or of packets k - s*n + m + j*n, j = 0 to s - 1. What is
combined is disputed: all common stacks take the bare packets, Annex C puts each packet's length in two octets
before it. We send the first and read both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import xor

from faxcore.errors import FrameError
from faxcore.t38 import ifp
from faxcore.t38.ordering import HISTORY, Orderer

MOST_COVERED = HISTORY // 2    # span * entries
_MOST_SETS = 64


def combine(packets: Iterable[bytes]) -> bytes:
    """The exclusive or of packets, shorter ones filled up with zero octets."""
    packets = list(packets)
    longest = max(map(len, packets), default=0)
    return reduce(xor, (int.from_bytes(packet.ljust(longest, b"\0")) for packet in packets), 0).to_bytes(longest)


def with_length(packet: bytes) -> bytes:
    """A packet as Annex C combines it."""
    return len(packet).to_bytes(2) + packet


def covered(index: int, span: int, entries: int, entry: int) -> range:
    """The packets that an entry of datagram `index` covers."""
    return range(index - span * entries + entry, index, entries)


def entries_for(history: Sequence[bytes], span: int, entries: int) -> list[bytes]:
    """The entries behind `history`, oldest packet first."""
    return [combine(history[i] for i in covered(len(history), span, entries, m)) for m in range(entries)]


class Parity:
    """Recovers packets from parity entries, in the form that their sender uses."""

    def __init__(self) -> None:
        self._sets: deque[tuple[range, bytes]] = deque(maxlen=_MOST_SETS)
        self._bare: bool | None = None

    def add(self, order: Orderer, index: int, span: int, entries: Sequence[bytes]) -> None:
        """Take the entries of datagram `index`; ones that cover more than is remembered are left out."""
        if not entries or not 0 < span * len(entries) <= MOST_COVERED:
            return
        # One packet recovered can make the next possible: a little longer than the packets stand in parity.
        order.hold = max(order.hold, span * (len(entries) + 1))
        for m, entry in enumerate(entries):
            self._sets.append((covered(index, span, len(entries), m), entry))

    def recover(self, order: Orderer) -> None:
        """Recover what can be, one packet making the next possible."""
        assert order.next is not None
        found = True
        while found:
            found = False
            for _ in range(len(self._sets)):
                numbers, entry = self._sets.popleft()
                missing = [i for i in numbers if not order.known.get(i)]
                if not missing:
                    self._learn(entry, [order.known[i] for i in numbers])
                elif numbers[-1] < order.next or min(missing) < order.next:
                    continue
                elif len(missing) > 1:
                    self._sets.append((numbers, entry))
                else:
                    packet = self._solve(entry, [order.known[i] for i in numbers if i != missing[0]])
                    found |= packet is not None and order.add(missing[0], packet, recovered=True)

    @property
    def used(self) -> bool:
        """Whether the partner sends parity."""
        return bool(self._sets)

    def forget(self) -> None:
        """The numbering began anew."""
        self._sets.clear()

    def _learn(self, entry: bytes, packets: list[bytes]) -> None:
        if self._bare is None:
            bare = entry == combine(packets)
            if bare or entry == combine(map(with_length, packets)):
                self._bare = bare

    def _solve(self, entry: bytes, others: list[bytes]) -> bytes | None:
        longest = max(map(len, others), default=0)
        if self._bare is not True and len(entry) >= longest + 2:
            octets = combine([entry, *map(with_length, others)])
            length = int.from_bytes(octets[:2])
            fits = 2 + max(length, longest) == len(entry) and not any(octets[2 + length:])
            if self._bare is False or (fits and readable(octets[2:2 + length])):
                return octets[2:2 + length] if fits else None
        return combine([entry, *others]) if self._bare is not False and len(entry) >= longest else None


def readable(octets: bytes) -> bool:
    """Whether the octets are a packet in one of the forms."""
    for form in ifp.Form:
        try:
            ifp.decode(octets, form)
        except FrameError:
            continue
        return True
    return False
