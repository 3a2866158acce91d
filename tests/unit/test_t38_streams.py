"""TPKT and bare packets in a stream, RTP with and without repeats."""

from __future__ import annotations

import dpkt
import pytest

from faxcore.errors import FrameError
from faxcore.t38 import ifp, rtp, tpkt
from faxcore.t38.ifp import Form
from faxcore.t38.ordering import Arrived, Lost
from faxcore.t38.rtp import Block
from tests.support import vectors

PACKETS = [bytes.fromhex(entry["hex"]) for entry in vectors("t38_ifp")["packets"] if entry["asn1"] == "1998"]


@pytest.mark.parametrize("entry", vectors("t38_udptl")["tpkt"], ids=lambda entry: entry["ifp"])
def test_tpkt_vectors(entry: dict[str, str]) -> None:
    packet, octets = bytes.fromhex(entry["ifp"]), bytes.fromhex(entry["tpkt"])
    assert tpkt.encode(packet) == octets
    assert tpkt.Parser().push(octets) == [packet]
    assert dpkt.tpkt.TPKT(octets).data == packet


@pytest.mark.parametrize("framed", [True, False])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 100_000])
def test_a_stream_in_pieces(framed: bool, size: int) -> None:
    stream = b"".join(tpkt.encode(packet) if framed else packet for packet in PACKETS)
    parser = tpkt.Parser()
    assert [packet for at in range(0, len(stream), size) for packet in parser.push(stream[at:at + size])] == PACKETS


def test_a_bare_stream_of_the_2002_form() -> None:
    packets = [bytes.fromhex(e["hex"]) for e in vectors("t38_ifp")["packets"] if e["asn1"] == "2002"]
    assert tpkt.Parser(Form.V2002).push(b"".join(packets)) == packets


def push_all(parser: tpkt.Parser, pieces: list[bytes]) -> None:
    for piece in pieces:
        parser.push(piece)


@pytest.mark.parametrize("stream", ["03010005aa", "0300000300", "04030000", "05", "ffff", "030000 05 04 04"])
def test_streams_out_of_step(stream: str) -> None:
    parser = tpkt.Parser()
    octets = bytes.fromhex(stream)
    with pytest.raises(FrameError):
        push_all(parser, [bytes((octet,)) for octet in octets])
    with pytest.raises(FrameError):
        parser.push(b"\3\0\0\5\4")


def test_what_is_before_a_fault_is_given() -> None:
    parser = tpkt.Parser()
    assert parser.push(bytes.fromhex("0300000504 0300000506 99")) == [b"\4", b"\6"]
    with pytest.raises(FrameError):
        parser.push(b"")


def test_a_bare_packet_without_end() -> None:
    parser = tpkt.Parser()
    with pytest.raises(FrameError):
        push_all(parser, [bytes.fromhex("c00280fffe"), *[b"\x80" * 10_000] * 7])


def test_tpkt_arguments() -> None:
    for length in (0, tpkt.LONGEST + 1):
        with pytest.raises(ValueError, match="octets"):
            tpkt.encode(bytes(length))
    assert len(tpkt.encode(bytes(tpkt.LONGEST))) == 0xFFFF


def test_rtp_header_in_dpkt() -> None:
    octets = rtp.encode(rtp.Packet(0xFFFE, 0x89ABCDEF, 0xDEADBEEF, 98, b"\6", marker=True))
    seen = dpkt.rtp.RTP(octets)
    assert (seen.seq, seen.ts, seen.ssrc, seen.pt, seen.m, seen.data) == (0xFFFE, 0x89ABCDEF, 0xDEADBEEF, 98, 1, b"\6")
    assert rtp.decode(octets) == rtp.Packet(0xFFFE, 0x89ABCDEF, 0xDEADBEEF, 98, b"\6", marker=True)


def test_rtp_extras_are_read_over() -> None:
    head = "0062 0001 00000002 00000003"
    plain = rtp.Packet(1, 2, 3, 98, b"\6")
    for octets in ("80" + head[2:] + "06", "82" + head[2:] + "0000000a 0000000b" + "06",
                   "90" + head[2:] + "abcd 0002 0000000000000000" + "06", "a0" + head[2:] + "06 0003 03"):
        assert rtp.decode(bytes.fromhex(octets)) == plain
    for octets in ("80" + head[2:-9], "8f" + head[2:] + "00", "90" + head[2:] + "abcd 0004 00",
                   "a0" + head[2:] + "0600", "40" + head[2:], "a0" + head[2:] + "0620"):
        with pytest.raises(FrameError):
            rtp.decode(bytes.fromhex(octets))


def test_red_as_in_rfc_2198() -> None:
    """The layout of RFC 2198 3: F, block PT, offset and length in four octets; F = 0 and PT in one."""
    payload = rtp.encode_red(Block(98, 0, b"\6"), [Block(98, 480, b"\4\4\4"), Block(98, 240, b"\2")])
    assert payload.hex(" ", -4) == bytes.fromhex("e2078003 e203c001 62 040404 02 06").hex(" ", -4)
    assert rtp.decode_red(payload) == [Block(98, 480, b"\4\4\4"), Block(98, 240, b"\2"), Block(98, 0, b"\6")]
    for cut in (0, 3, 8):
        with pytest.raises(FrameError):
            rtp.decode_red(payload[:cut])
    with pytest.raises(FrameError):
        rtp.decode_red(payload[:10])
    with pytest.raises(ValueError, match="2198"):
        rtp.encode_red(Block(98, 0, b""), [Block(98, 20000, b"")])


def test_rtp_stream_with_losses() -> None:
    sender = rtp.Sender(98, source=7, red_type=99, redundancy=2, first=0xFFFD, first_timestamp=0xFFFFFF00)
    datagrams = [sender.datagram(packet, 240 * n) for n, packet in enumerate(PACKETS)]
    receiver = rtp.Receiver(98, red_type=99)
    kept = [d for n, d in enumerate(datagrams) if n not in (4, 5, 10, 11, 12)]
    items = [item for datagram in kept for item in receiver.push(datagram)]
    sequence = 0xFFFD
    for item in items:
        assert item.sequence == sequence & 0xFFFF
        if isinstance(item, Lost):
            assert (sequence - 0xFFFD, item.packets) == (10, 1)
        else:
            assert item.octets == PACKETS[sequence - 0xFFFD]
            assert item.recovered == (sequence - 0xFFFD in (4, 5, 11, 12))
        sequence += 1
    assert sequence == 0xFFFD + len(PACKETS)


def test_rtp_receiver_takes_only_its_own() -> None:
    sender = rtp.Sender(98, source=7)
    receiver = rtp.Receiver(98)
    assert receiver.push(sender.datagram(b"\6", 0)) == [Arrived(0, b"\6")]
    assert receiver.push(rtp.encode(rtp.Packet(1, 160, 7, 0, bytes(160)))) == []
    assert receiver.push(b"\0\1\1\6\0\0") == []
    assert receiver.counters.rejected == 2
    assert not receiver.waiting
    assert receiver.flush() == []


def test_rtp_arguments() -> None:
    for wrong in ({"sequence": 65536}, {"timestamp": -1}, {"source": 1 << 32}, {"payload_type": 128}):
        values = {"sequence": 0, "timestamp": 0, "source": 0, "payload_type": 0, "payload": b""} | wrong
        with pytest.raises(ValueError, match="out of range"):
            rtp.encode(rtp.Packet(**values))
    with pytest.raises(ValueError, match="redundancy"):
        rtp.Sender(98, source=0, redundancy=16)
    assert ifp.LONGEST_FIELD == 65535
