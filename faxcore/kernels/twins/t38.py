"""T.38 in bulk in plain Python: the definition of native/t38.c."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

FRAME_OVERHEAD_BITS = 24  # FCS and a flag
_TURNED = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))
_DATA = {(0, 0): 0x80, (0, 1): 0x80, (1, 0): 0xE0, (1, 1): 0xB0}  # a field's header by raw and form
_FCS_OK = (0x20, 0x10)  # by form, without data


def frame_bits(octets: bytes) -> int:
    """Bits that a frame takes on the line: a zero after each five ones, FCS and a flag; first bit least significant."""
    bits = "".join(f"{octet:08b}" for octet in octets.translate(_TURNED))
    return len(bits) + bits.count("11111") + FRAME_OVERHEAD_BITS


def t38_pack(
    octets: Any, lengths: Any, chunk: int, head: int, form: int, raw: int, out: Any, sizes: Any, bits: Any
) -> int:
    """Packets of frames or page data; `sizes` and `bits` say how long each is and when it is due; their number."""
    data, made, begin_of_frame, at, filled = bytes(octets), 0, 0, 0, 0
    for number, length in enumerate(lengths.tolist()):
        frame = data[begin_of_frame : begin_of_frame + length]
        begin_of_frame += length
        whole = 8 * length if raw else frame_bits(frame)
        for begin in range(0, length, chunk):
            piece = frame[begin : begin + chunk].translate(_TURNED)
            ends = not raw and begin + chunk >= length and number + 1 < len(lengths)
            packet = bytes((head, 1 + ends, _DATA[raw, form])) + (len(piece) - 1).to_bytes(2) + piece
            packet += bytes((_FCS_OK[form],)) if ends else b""
            out[filled : filled + len(packet)] = list(packet)
            filled += len(packet)
            sizes[made], bits[made] = len(packet), at + whole * begin // length
            made += 1
        at += whole
    bits[made] = at
    return made


def _sized(octets: bytes) -> bytes:
    return (bytes((len(octets),)) if len(octets) < 0x80 else (0x8000 | len(octets)).to_bytes(2)) + octets


def t38_wrap(
    packets: Any, sizes: Any, sent: int, depth: int, limit: int, sequence: int, out: Any, out_sizes: Any
) -> int:
    """Datagrams of the packets behind the first `sent` ones, each with up to `depth` earlier ones; their octets."""
    listed = _split(bytes(packets), sizes.tolist())
    filled = 0
    for number in range(sent, len(listed)):
        room, earlier = limit - 4 - len(_sized(listed[number])), []
        for packet in listed[max(0, number - depth) : number][::-1]:
            room -= len(_sized(packet))
            if room < 0:
                break
            earlier.append(_sized(packet))
        head = (sequence + number - sent & 0xFFFF).to_bytes(2) + _sized(listed[number])
        datagram = b"".join((head, bytes((0, len(earlier))), *earlier))
        out[filled : filled + len(datagram)] = list(datagram)
        out_sizes[number - sent] = len(datagram)
        filled += len(datagram)
    return filled


def _split(octets: bytes, sizes: list[int]) -> list[bytes]:
    at = 0
    out = []
    for size in sizes:
        out.append(octets[at : at + size])
        at += size
    return out


def t38_unwrap(
    datagrams: Any, sizes: Any, sequence: int, head: int, form: int, raw: int, out: Any, ends: Any, within: Any
) -> tuple[int, int, int]:
    """The data of plain datagrams from `sequence` on: how many those are, their octets, the frames that end."""
    octets = frames = taken = 0
    for number, datagram in enumerate(_split(bytes(datagrams), sizes.tolist())):
        found = _plain(datagram, sequence + number & 0xFFFF, head, form, raw)
        if found is None:
            break
        data, closed = found
        out[octets : octets + len(data)] = list(data.translate(_TURNED))
        octets, taken = octets + len(data), taken + 1
        if closed:
            ends[frames], within[frames] = octets, number
            frames += 1
    return taken, octets, frames


def _plain(datagram: bytes, sequence: int, head: int, form: int, raw: int) -> tuple[bytes, bool] | None:
    """The data of a datagram and whether a frame ends with it; None where it is any other."""
    if len(datagram) < 10 or int.from_bytes(datagram[:2]) != sequence:
        return None
    parts = list(_parts(datagram))
    if not parts or parts[-1] is None or len(parts[0] or b"") < 6:
        return None
    packet = parts[0] or b""
    length, closed = int.from_bytes(packet[3:5]) + 1, packet[1] == 2
    right = packet[0] == head and packet[2] == _DATA[raw, form] and packet[1] in ((1,) if raw else (1, 2))
    if not right or len(packet) != 5 + length + closed or (closed and packet[-1] != _FCS_OK[form]):
        return None
    return packet[5 : 5 + length], closed


def _parts(datagram: bytes) -> Iterator[bytes | None]:
    """The primary packet and the earlier ones; None at the end where the datagram is none with these alone."""
    primary, at = _get(datagram, 2)
    yield primary
    if primary is None or datagram[at : at + 1] != b"\0":
        yield None
        return
    count, at = _length(datagram, at + 1)
    for _ in range(count or 0):
        packet, at = _get(datagram, at)
        yield packet
        if packet is None:
            return
    if count is None or at != len(datagram):
        yield None


def _length(octets: bytes, at: int) -> tuple[int | None, int]:
    if at >= len(octets):
        return None, at
    first = octets[at]
    if first < 0x80:
        return first, at + 1
    if first & 0x40 or at + 1 >= len(octets):
        return None, at
    return (first & 0x3F) << 8 | octets[at + 1], at + 2


def _get(octets: bytes, at: int) -> tuple[bytes | None, int]:
    length, at = _length(octets, at)
    if length is None or at + length > len(octets):
        return None, at
    return octets[at : at + length], at + length
