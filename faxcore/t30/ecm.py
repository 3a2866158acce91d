"""Error correction mode: what both ends of it know [T.30 Annex A, T.4 Annex A].

A page goes in blocks (partial pages) of at most 256 numbered frames. After each block PPS names the page, the block
and the number of frames; PPR asks for those that did not come.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from faxcore.t30.frames import FCF, REVERSED, Frame

FRAMES_IN_BLOCK = 256
LONGEST_FRAME = 256
"""Octets. Some senders mean 256 where DCS says 64, and others the reverse: what counts is what comes."""

DATA_FRAMES = {Frame(FCF.FCD, final=final, x=x).octets() for final in (False, True) for x in (False, True)}
"""How a frame may begin that carries octets of the page."""

RCPS = 3  # one would do: two may be lost [T.4 A.3.8]
END_OF_PAGE_BITS = {"mh": 6 * 12, "mr": 6 * 13, "mmr": 2 * 12}
"""RTC of T.4, EOFB of T.6; the last bit of each is a 1. Alone in a block they came out as a blank page of their own on
some receivers, and a page may end without them [T.4 A.3.6]."""

X_BIT = 0x80  # in the first octet sent of FCF2, which some senders set and others do not
NULL = 0
"""FCF2 of a block that does not end its page."""


class Block(NamedTuple):
    """What PPS says: the command after the block (NULL, MPS, EOM, EOP), and the counters, modulo 256."""

    command: FCF | None
    page: int
    block: int
    frames: int

    def field(self, x: bool) -> bytes:
        """The information field of PPS [T.30 A.4.3]; counters are numbers, low bit first."""
        command = NULL if self.command is None else Frame(self.command, x=x).octets()[2]
        return bytes((command, self.page % 256, self.block % 256, self.frames - 1))


def parse_block(fif: bytes) -> Block | None:
    """What a PPS says; None where it is too short or its FCF2 is none. PRI-x is taken as x."""
    if len(fif) < 4:
        return None
    command = COMMANDS.get(REVERSED[fif[0]] & ~X_BIT)
    return Block(command, fif[1], fif[2], fif[3] + 1) if fif[0] == NULL or command else None


COMMANDS = {
    fcf & ~X_BIT: meant
    for fcf, meant in (
        (FCF.MPS, FCF.MPS), (FCF.EOM, FCF.EOM), (FCF.EOP, FCF.EOP),
        (FCF.PRI_MPS, FCF.MPS), (FCF.PRI_EOM, FCF.EOM), (FCF.PRI_EOP, FCF.EOP),
    )
}  # fmt: skip


def blocks_of(octets: bytes, frame_size: int, coding: str) -> Iterator[list[bytes]]:
    """The page's octets in blocks of frames; the last frame is filled with zeros [T.4 A.3.6.2]."""
    size = FRAMES_IN_BLOCK * frame_size
    whole = len(octets) - len(octets) % size
    if 0 < whole < len(octets) and lines_end(octets, coding) <= 8 * whole:
        octets = octets[:whole]
    for begin in range(0, max(len(octets), 1), size):
        block = octets[begin : begin + size]
        yield [block[i : i + frame_size].ljust(frame_size, b"\0") for i in range(0, max(len(block), 1), frame_size)]


def lines_end(octets: bytes, coding: str) -> int:
    """The number of bits in front of a page's RTC or EOFB, which end its octets but for zeros."""
    coded = octets.rstrip(b"\0")
    return 8 * (len(coded) - 1) + coded[-1].bit_length() - END_OF_PAGE_BITS[coding] if coded else 0


def burst(frames: list[bytes], numbers: list[int]) -> tuple[bytes, ...]:
    """The frames of a burst: FCD with these numbers, then RCP [T.4 A.3.6]."""
    header = Frame(FCF.FCD, final=False).octets()
    coded = [header + bytes((number,)) + frames[number] for number in numbers]
    return (*coded, *(Frame(FCF.RCP, final=False).octets(),) * RCPS)


def numbered(frames: tuple[bytes, ...]) -> list[tuple[int, bytes]]:
    """The numbered frames of a burst, as (number, octets)."""
    return [
        (frame[3], frame[4:])
        for frame in frames
        if 4 < len(frame) <= LONGEST_FRAME + 4 and frame[:3] in DATA_FRAMES
    ]


def request(missing: set[int]) -> bytes:
    """The information field of PPR: bit n asks for frame n; bits above the block are 1 [T.30 A.4.4]."""
    return sum(1 << number for number in missing).to_bytes(32, "little")


def requested(fif: bytes, frames: int) -> list[int]:
    """The frames of a block of so many that a PPR asks for."""
    wanted = int.from_bytes(fif, "little")
    return [number for number in range(frames) if wanted >> number & 1]
