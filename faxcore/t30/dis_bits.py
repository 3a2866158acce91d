"""The bits of DIS, DTC and DCS: what each says in a capability (DIS, DTC) and in a setting (DCS) [T.30 table 2]."""

from __future__ import annotations

from typing import NamedTuple

Bits = frozenset[int]
"""Numbers of the bits that are 1, counted from 1 in the order of sending."""

RESERVED = "reserved, sent as 0"
LONGEST_FIELD = 16  # octets in table 2


class Bit(NamedTuple):
    """One bit: its number in the order of sending, from 1, and what it says when it is 1.

    `setting` is what it says in DCS where that is something else than "this is in use".
    """

    number: int
    capability: str
    setting: str = ""


BITS = (
    Bit(1, "store-and-forward internet fax, simple mode (T.37)"),
    Bit(2, RESERVED),
    Bit(3, "real-time internet fax (T.38)"),
    Bit(4, "connection goes over a 3rd-generation mobile network"),
    Bit(5, RESERVED),
    Bit(6, "V.8 / V.34 capable", RESERVED),
    Bit(7, "preferred ECM frame: 0 = 256 octets, 1 = 64 octets", RESERVED),
    Bit(8, RESERVED),
    Bit(9, "a document is ready to be polled from this terminal", RESERVED),
    Bit(10, "can receive a fax document", "receiver shall receive"),
    Bit(11, "data rate b1"),
    Bit(12, "data rate b2"),
    Bit(13, "data rate b3"),
    Bit(14, "data rate b4"),
    Bit(15, "R8 x 7.7 l/mm and/or 200 x 200 per 25.4 mm"),
    Bit(16, "two-dimensional (MR) coding"),
    Bit(17, "recording width w1"),
    Bit(18, "recording width w2"),
    Bit(19, "recording length l1"),
    Bit(20, "recording length l2"),
    Bit(21, "min scan line time m1"),
    Bit(22, "min scan line time m2"),
    Bit(23, "min scan line time m3"),
    Bit(24, "EXTEND"),
    Bit(25, "reserved (once: 2400 bit/s handshaking)", RESERVED),
    Bit(26, "uncompressed mode (T.4/T.6 extension)"),
    Bit(27, "error correction mode"),
    Bit(28, RESERVED, "ECM frame: 0 = 256 octets, 1 = 64 octets"),
    Bit(29, "reserved (once: error limiting mode)", RESERVED),
    Bit(30, RESERVED),
    Bit(31, "T.6 (MMR) coding (needs ECM)"),
    Bit(32, "EXTEND"),
    Bit(33, "field-not-valid (FNV) signal supported"),
    Bit(34, "multiple selective polling", RESERVED),
    Bit(35, "polled subaddress (PSA); in DTC: PSA is being sent", RESERVED),
    Bit(36, "T.43 lossless colour/grey"),
    Bit(37, "plane interleave (T.43)"),
    Bit(38, "G.726 32 kbit/s voice"),
    Bit(39, "reserved for extended voice coding", RESERVED),
    Bit(40, "EXTEND"),
    Bit(41, "R8 x 15.4 l/mm (also 200 x 400)"),
    Bit(42, "300 x 300 per 25.4 mm"),
    Bit(43, "R16 x 15.4 l/mm and/or 400 x 400 per 25.4 mm"),
    Bit(44, "inch based resolution preferred", "inch based resolution"),
    Bit(45, "metric based resolution preferred", RESERVED),
    Bit(46, "min scan time at 15.4 l/mm: 0 same as at 7.7, 1 half of it", RESERVED),
    Bit(47, "selective polling (SEP); in DTC: SEP is being sent", RESERVED),
    Bit(48, "EXTEND"),
    Bit(49, "subaddressing (SUB)", "SUB is being sent"),
    Bit(50, "password (PWD); in DTC: PWD is being sent", "SID is being sent"),
    Bit(51, "a data file is ready to be polled", RESERVED),
    Bit(52, RESERVED),
    Bit(53, "binary file transfer (T.434)"),
    Bit(54, "document transfer mode"),
    Bit(55, "EDI transfer"),
    Bit(56, "EXTEND"),
    Bit(57, "basic transfer mode"),
    Bit(58, RESERVED),
    Bit(59, "a character/mixed mode document is ready to be polled", RESERVED),
    Bit(60, "character mode"),
    Bit(61, RESERVED),
    Bit(62, "mixed mode (T.4 Annex E)"),
    Bit(63, RESERVED),
    Bit(64, "EXTEND"),
    Bit(65, "processable mode 26 (T.505)", RESERVED),
    Bit(66, "digital network capability"),
    Bit(67, "duplex: 0 half duplex only, 1 full and half", "duplex: 0 half, 1 full"),
    Bit(68, "JPEG (T.81) colour/grey coding"),
    Bit(69, "full colour mode"),
    Bit(70, RESERVED, "preferred Huffman tables"),
    Bit(71, "12 bits per component (0: 8 only)"),
    Bit(72, "EXTEND"),
    Bit(73, "no subsampling (1:1:1)"),
    Bit(74, "custom illuminant"),
    Bit(75, "custom gamut range"),
    Bit(76, "North American letter 215.9 x 279.4 mm"),
    Bit(77, "North American legal 215.9 x 355.6 mm"),
    Bit(78, "T.85 (JBIG) basic"),
    Bit(79, "T.85 optional L0 (only with bit 78)"),
    Bit(80, "EXTEND"),
    Bit(81, "HKM key management"),
    Bit(82, "RSA key management"),
    Bit(83, "override"),
    Bit(84, "HFX40 cipher"),
    Bit(85, "alternative cipher 2"),
    Bit(86, "alternative cipher 3"),
    Bit(87, "HFX40-I hash"),
    Bit(88, "EXTEND"),
    Bit(89, "alternative hash 2"),
    Bit(90, "alternative hash 3"),
    Bit(91, "reserved for future security", RESERVED),
    Bit(92, "T.44 MRC mode (bits 92-94 as one field)"),
    Bit(93, "T.44 MRC mode"),
    Bit(94, "T.44 MRC mode"),
    Bit(95, "T.44 maximum strip: 0 256 lines, 1 full page"),
    Bit(96, "EXTEND"),
    Bit(97, "colour/grey at 300x300 or 400x400 (with 68 and 42/43)"),
    Bit(98, "colour/grey at 100x100 (with 68)"),
    Bit(99, "simple phase C BFT negotiation"),
    Bit(100, "extended BFT negotiation", RESERVED),
    Bit(101, "internet selective polling address (ISP); in DTC: being sent", RESERVED),
    Bit(102, "internet routing address (IRA)", "IRA is being sent"),
    Bit(103, RESERVED),
    Bit(104, "EXTEND"),
    Bit(105, "600 x 600 per 25.4 mm"),
    Bit(106, "1200 x 1200 per 25.4 mm"),
    Bit(107, "300 x 600 per 25.4 mm"),
    Bit(108, "400 x 800 per 25.4 mm"),
    Bit(109, "600 x 1200 per 25.4 mm"),
    Bit(110, "colour/grey at 600x600 (with 105)"),
    Bit(111, "colour/grey at 1200x1200 (with 106)"),
    Bit(112, "EXTEND"),
    Bit(113, "double-sided printing, alternate"),
    Bit(114, "double-sided printing, continuous"),
    Bit(115, "black-and-white MRC profile", RESERVED),
    Bit(116, "T.45 run-length colour"),
    Bit(117, "shared memory s1 (00 none, 01 = 1 MB, 10 = 2 MB, 11 unlimited, >= 32 MB)"),
    Bit(118, "shared memory s2"),
    Bit(119, "T.44 colour space (with 92-94)"),
    Bit(120, "EXTEND"),
    Bit(121, "flow control for T.38 communication (RNR/TNR, timer Tx)"),
    Bit(122, "K factors above 4 used per table 4.2.1.1/T.4", RESERVED),
    Bit(123, "internet-aware device in T.38 mode, not bound by the data rate bits", "T.38 mode chosen"),
    Bit(124, "T.88/T.89 profile p1"),
    Bit(125, "T.88/T.89 profile p2"),
    Bit(126, "T.88/T.89 profile p3"),
    Bit(127, "sYCC-JPEG (Annex K)"),
)
"""Every bit from 1 to 127, in order; bit 128 would be EXTEND again."""


def describe(bits: frozenset[int], *, setting: bool) -> list[str]:
    """What the bits of a DIS or DTC (`setting` false) or of a DCS (true) say, in words and in order."""
    return [(setting and bit.setting) or bit.capability for bit in BITS if bit.number in bits]


def parse_field(fif: bytes) -> Bits:
    """The bits of a DIS, DTC or DCS field of any length; missing octets are zero, octets after the last are ignored."""
    bits: set[int] = set()
    for index, octet in enumerate(fif[:LONGEST_FIELD]):
        bits.update(8 * index + position + 1 for position in range(8) if octet >> position & 1)
        if index >= 2 and not octet >> 7:
            break
    return frozenset(bits)


def build_field(bits: Bits) -> bytes:
    """The field with these bits, 3 octets or as many as they need; EXTEND bits are set as the length asks."""
    wanted = {bit for bit in bits if bit < 24 or bit % 8}
    field = bytearray(max(3, max((bit + 7) // 8 for bit in wanted | {1})))
    for bit in wanted:
        field[(bit - 1) // 8] |= 1 << (bit - 1) % 8
    for index in range(2, len(field) - 1):
        field[index] |= 0x80
    return bytes(field)
