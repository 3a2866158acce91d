"""Page data on its way to a modem that must never run dry: where FILL may be put in [T.4 4.1.3]."""

from __future__ import annotations

import numpy as np

_EOL_ZEROS = 11
_EOLS = "0" * _EOL_ZEROS + "1", "0" * _EOL_ZEROS + "11"    # without and with a tag bit
_LONGEST_FILL = 14    # zeros that are left of FILL: more than in any code
_LOOK_BACK = 4    # octets that tell whether an EOL follows another one
_LARGEST_PAGE = 1 << 22    # octets that wait; an hour at 9600 bit/s
_MOST_HELD = 1 << 16    # octets; data without any EOL
_BEFORE = tuple(8 - octet.bit_length() for octet in range(256))    # zeros at the end that is sent last
_AFTER = tuple(8 if not octet else (octet & -octet).bit_length() - 1 for octet in range(256))


class FillBuffer:
    """Octets of a page, first bit least significant, given out only up to a place where zeros do no harm.

    That is within the zeros of an EOL that ends a line with something in it: not in the data of a line, and not
    between the EOLs that end a page. Lines of fewer than `line_bits` bits, their EOL counted, get FILL at once: the
    far end took theirs out [T.38 6.2].
    """

    def __init__(self, line_bits: int = 0) -> None:
        self._line_bits = line_bits
        self._length, self._zeros, self._in_page = 0, 0, False
        self._octets = bytearray()
        self._free = 0    # octets up to the last place for FILL
        self._looked = 0
        self._taken_tail = b"\xff" * _LOOK_BACK
        self._ended = False

    @property
    def empty(self) -> bool:
        """All was taken."""
        return not self._octets

    def add(self, octets: bytes) -> None:
        """More of the page."""
        if len(self._octets) < _LARGEST_PAGE:
            self._octets += self._filled_up(octets) if self._line_bits else octets

    def _filled_up(self, octets: bytes) -> bytes:
        out = bytearray()
        for octet in octets:
            lacking = 0
            for place in range(8):
                self._length += 1
                if not octet >> place & 1:
                    self._zeros += 1
                    continue
                if self._zeros >= _EOL_ZEROS:
                    lacking = self._lacking()
                    self._length, self._in_page = 0, True
                self._zeros = 0
            out += bytes(lacking) + bytes((octet,))    # the EOL's zeros reach back before the octet of its 1
        return bytes(out)

    def _lacking(self) -> int:
        """Octets of FILL for the line that ends here; none between the EOLs that end a page."""
        empty = self._length <= _EOL_ZEROS + 2
        return 0 if empty or not self._in_page else max(0, -(-(self._line_bits - self._length) // 8))

    def end(self) -> None:
        """The page has no more octets."""
        self._ended = True

    def take(self, count: int) -> bytes:
        """At most `count` octets; fewer, or none, where the next place for FILL is not known yet."""
        if not self._ended and self._free < count:
            self._look()
        ready = len(self._octets) if self._ended else self._free
        taken = bytes(self._octets[:min(count, ready)])
        if taken:
            del self._octets[:len(taken)]
            self._free = max(0, self._free - len(taken))
            self._looked = max(0, self._looked - len(taken))
            self._taken_tail = (self._taken_tail + taken)[-_LOOK_BACK:]
        return taken

    def _look(self) -> None:
        """Find the last place for FILL among octets not looked at yet."""
        octets = self._octets
        for at in range(len(octets) - 1, max(self._looked, 1) - 1, -1):
            before = _BEFORE[octets[at - 1]]
            if before and self._is_eol(at, before):
                self._free = at
                break
        if len(octets) > _MOST_HELD:
            self._free = len(octets)
        self._looked = max(0, len(octets) - 2)    # an EOL may be cut by the end

    def _is_eol(self, at: int, before: int) -> bool:
        """Whether the border before octet `at` lies within the zeros of an EOL behind a line."""
        octets = self._octets
        if before == 8 and at >= 2:
            before += _BEFORE[octets[at - 2]]
        after = _AFTER[octets[at]]
        if after == 8 and at + 1 < len(octets):
            after += _AFTER[octets[at + 1]]
        if before + after < _EOL_ZEROS:
            return False
        return not self._follows_eol(at)

    def _follows_eol(self, at: int) -> bool:
        """Whether the zeros around octet `at` come right behind an EOL, with or without its tag bit."""
        context = self._taken_tail + bytes(self._octets[max(0, at - 2 * _LOOK_BACK):at])
        bits = int.from_bytes(context, "little")
        width = 8 * len(context)
        text = f"{bits:0{width}b}"[::-1].rstrip("0")
        return text.endswith(_EOLS)


class FillRemover:
    """Takes FILL out of a page as it passes: no run of zeros longer than 14 is left [T.38 6.2]."""

    def __init__(self) -> None:
        self._zeros = 0
        self._bits = np.zeros(0, np.uint8)    # less than an octet

    def remove(self, octets: bytes) -> bytes:
        """What is left of these octets, whole octets of it; first bit least significant."""
        bits = np.unpackbits(np.frombuffer(octets, np.uint8), bitorder="little")
        place = np.arange(1, len(bits) + 1)
        last = np.maximum.accumulate(np.where(bits, place, -self._zeros))
        self._zeros = int(place[-1] - last[-1]) if len(bits) else self._zeros
        kept = np.concatenate([self._bits, bits[place - last <= _LONGEST_FILL]])
        whole = len(kept) // 8 * 8
        self._bits = kept[whole:]
        return np.packbits(kept[:whole], bitorder="little").tobytes()

    def rest(self) -> bytes:
        """What is left at the end, filled up with zeros."""
        return np.packbits(self._bits, bitorder="little").tobytes()
