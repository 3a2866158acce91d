"""Captures of datagrams: classic pcap files, written for other programs and read to be replayed.

Written: link type 101, IPv4 or IPv6 with UDP and right checksums. Read: also Ethernet (with VLAN tags) and Linux
cooked captures, in both byte orders and both time resolutions.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from faxcore.errors import FrameError

_MAGICS = {b"\xa1\xb2\xc3\xd4": (">", 1e-6), b"\xd4\xc3\xb2\xa1": ("<", 1e-6),
           b"\xa1\xb2\x3c\x4d": (">", 1e-9), b"\x4d\x3c\xb2\xa1": ("<", 1e-9)}
_RAW, _ETHERNET, _COOKED, _COOKED_2, _LOOPBACK = 101, 1, 113, 276, 0
_VLAN = {0x8100, 0x88A8}
_UDP = 17
_LONGEST_RECORD = 1 << 18


class Endpoint(NamedTuple):
    """An address, as text, and a UDP port."""

    address: str
    port: int


class Captured(NamedTuple):
    """A datagram and its time in seconds."""

    time: float
    source: Endpoint
    destination: Endpoint
    payload: bytes


class Writer:
    """Writes a capture into a binary file that the owner opens and closes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.write(struct.pack(">IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0xFFFF, _RAW))

    def write(self, time: float, source: Endpoint, destination: Endpoint, payload: bytes) -> None:
        """Add a datagram at `time` in seconds; ValueError for addresses of two kinds or more than 65 507 octets."""
        packet = _ip(source, destination, payload)
        micros = round(time * 1e6)
        self._file.write(struct.pack(">IIII", micros // 1_000_000, micros % 1_000_000, len(packet), len(packet)))
        self._file.write(packet)


def _ip(source: Endpoint, destination: Endpoint, payload: bytes) -> bytes:
    here, there = ipaddress.ip_address(source.address), ipaddress.ip_address(destination.address)
    if here.version != there.version or len(payload) > 65507:
        raise ValueError("a datagram goes between two addresses of one kind and has at most 65 507 octets")
    length = 8 + len(payload)
    pseudo = here.packed + there.packed + struct.pack(">II", length, _UDP)
    udp = struct.pack(">HHH", source.port, destination.port, length)
    udp += (_checksum(pseudo + udp + b"\0\0" + payload) or 0xFFFF).to_bytes(2) + payload
    if here.version == 6:
        return struct.pack(">IHBB", 6 << 28, length, _UDP, 64) + here.packed + there.packed + udp
    head = struct.pack(">BBHHHBB", 0x45, 0, 20 + length, 0, 0x4000, 64, _UDP)
    ends = here.packed + there.packed
    return head + _checksum(head + b"\0\0" + ends).to_bytes(2) + ends + udp


def _checksum(octets: bytes) -> int:
    """The Internet checksum [RFC 1071]."""
    octets += b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def read(octets: bytes) -> Iterator[Captured]:
    """The UDP datagrams of a capture, in its order; other packets and fragments are left out.

    FrameError if the octets are no classic pcap; a record that is cut off ends it.
    """
    if len(octets) < 24 or octets[:4] not in _MAGICS:
        raise FrameError("no pcap file")
    order, unit = _MAGICS[octets[:4]]
    link = int(struct.unpack_from(f"{order}I", octets, 20)[0]) & 0xFFFF
    if link not in (_RAW, _ETHERNET, _COOKED, _COOKED_2, _LOOPBACK):
        raise FrameError(f"a capture of link type {link}")
    return _records(octets, order, unit, link)


def _records(octets: bytes, order: str, unit: float, link: int) -> Iterator[Captured]:
    at = 24
    while at + 16 <= len(octets):
        seconds, fraction, length = struct.unpack_from(f"{order}III", octets, at)
        at += 16
        if length > _LONGEST_RECORD or at + length > len(octets):
            return
        found = _datagram(_network(octets[at:at + length], link))
        if found is not None:
            yield Captured(seconds + fraction * unit, *found)
        at += length


def _network(frame: bytes, link: int) -> bytes:
    """The IP packet in a frame: its own first octet tells the version."""
    if link == _RAW:
        return frame
    if link == _LOOPBACK:
        return frame[4:]
    if link == _COOKED:
        return frame[16:]
    if link == _COOKED_2:
        return frame[20:]
    at = 12
    while int.from_bytes(frame[at:at + 2]) in _VLAN:
        at += 4
    return frame[at + 2:]


def _datagram(packet: bytes) -> tuple[Endpoint, Endpoint, bytes] | None:
    if len(packet) < 20:
        return None
    if packet[0] >> 4 == 4:
        head = 4 * (packet[0] & 15)
        whole = not int.from_bytes(packet[6:8]) & 0x3FFF
        protocol, here, there = packet[9], packet[12:16], packet[16:20]
    elif packet[0] >> 4 == 6 and len(packet) >= 40:
        head, whole, protocol = 40, True, packet[6]
        here, there = packet[8:24], packet[24:40]
    else:
        return None
    if protocol != _UDP or not whole or head < 20 or len(packet) < head + 8:
        return None
    source, destination, length = struct.unpack_from(">HHH", packet, head)
    if not 8 <= length <= len(packet) - head:
        return None
    return (Endpoint(str(ipaddress.ip_address(here)), source), Endpoint(str(ipaddress.ip_address(there)), destination),
            packet[head + 8:head + length])
