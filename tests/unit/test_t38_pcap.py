"""Captures of every kind that tcpdump writes are read; what is cut off or no UDP is left out."""

from __future__ import annotations

import io
import struct

import dpkt
import pytest

from faxcore.errors import FrameError
from faxcore.t38 import pcap, udptl
from faxcore.t38.pcap import Captured, Endpoint

HERE, THERE = Endpoint("192.0.2.1", 4000), Endpoint("192.0.2.2", 4002)
HERE6, THERE6 = Endpoint("2001:db8::1", 4000), Endpoint("2001:db8::2", 4002)


def raw(here: Endpoint = HERE, there: Endpoint = THERE, payload: bytes = b"\0\0\1\6\0\0") -> bytes:
    """One IP packet as our writer makes it; the interop tests show it to dpkt and tshark."""
    file = io.BytesIO()
    pcap.Writer(file).write(0, here, there, payload)
    return file.getvalue()[40:]


def capture(link: int, *frames: bytes, order: str = "<", magic: int = 0xA1B2C3D4) -> bytes:
    head = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    return head + b"".join(struct.pack(f"{order}IIII", 7, 500_000, len(f), len(f)) + f for f in frames)


PREFIXES = {
    101: b"", 1: bytes(12) + b"\x08\0", 113: bytes(14) + b"\x08\0", 276: bytes(20), 0: b"\2\0\0\0",
}


@pytest.mark.parametrize("link", PREFIXES)
@pytest.mark.parametrize("ends", [(HERE, THERE), (HERE6, THERE6)], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("order", "<>")
def test_links(link: int, ends: tuple[Endpoint, Endpoint], order: str) -> None:
    octets = capture(link, PREFIXES[link] + raw(*ends) + b"\0\0", order=order)
    assert list(pcap.read(octets)) == [Captured(7.5, *ends, b"\0\0\1\6\0\0")]


def test_vlan_and_nanoseconds() -> None:
    octets = capture(1, bytes(12) + bytes.fromhex("88a80001 81000002 0800") + raw(), magic=0xA1B23C4D)
    (found,) = pcap.read(octets)
    assert (found.time, found.destination) == (7.0005, THERE)


def test_what_dpkt_writes() -> None:
    file = io.BytesIO()
    writer = dpkt.pcap.Writer(file)
    udp = dpkt.udp.UDP(sport=4000, dport=4002, data=b"abc")
    udp.ulen = len(udp)
    ip = dpkt.ip.IP(src=bytes((192, 0, 2, 1)), dst=bytes((192, 0, 2, 2)), p=17, data=udp)
    writer.writepkt(bytes(dpkt.ethernet.Ethernet(data=ip)), ts=3.25)
    tcp = dpkt.ip.IP(src=bytes(4), dst=bytes(4), p=6, data=dpkt.tcp.TCP())
    writer.writepkt(bytes(dpkt.ethernet.Ethernet(data=tcp)), ts=4)
    assert list(pcap.read(file.getvalue())) == [Captured(3.25, HERE, THERE, b"abc")]


def test_a_capture_is_replayed_into_a_receiver() -> None:
    file = io.BytesIO()
    writer, sender, receiver = pcap.Writer(file), udptl.Sender(), udptl.Receiver()
    for number in range(20):
        writer.write(number * 0.03, HERE, THERE, sender.datagram(bytes((0xC0, 1, 0x80, 0, 0, number))))
        writer.write(number * 0.03, THERE, HERE, b"other way")
    found = [item for seen in pcap.read(file.getvalue()) if seen.destination == THERE
             for item in receiver.push(seen.payload)]
    assert [item.octets[-1] for item in found] == list(range(20))


def test_odd_packets_are_left_out() -> None:
    good = raw()
    fragment = bytearray(good)
    fragment[6:8] = b"\x20\0"
    short = good[:30]
    lying = bytearray(good)
    lying[24:26] = b"\xff\xff"
    octets = capture(101, bytes(fragment), short, bytes(lying), b"", b"\x50" * 40, good)
    assert [seen.payload for seen in pcap.read(octets)] == [b"\0\0\1\6\0\0"]
    assert list(pcap.read(octets[:-1])) == []
    assert list(pcap.read(octets + b"\xff" * 20)) == list(pcap.read(octets))


@pytest.mark.parametrize("octets", [b"", b"\n\r\r\n" + bytes(40), capture(105)])
def test_no_capture(octets: bytes) -> None:
    with pytest.raises(FrameError):
        pcap.read(octets)


def test_arguments() -> None:
    writer = pcap.Writer(io.BytesIO())
    with pytest.raises(ValueError, match="one kind"):
        writer.write(0, HERE, THERE6, b"")
    with pytest.raises(ValueError, match="at most"):
        writer.write(0, HERE, THERE, bytes(65508))
