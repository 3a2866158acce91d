"""Whatever arrives, the parsers of T.38 give a value or FrameError, and what they keep is bounded."""

from __future__ import annotations

import pytest

from faxcore.errors import FrameError
from faxcore.t38 import ifp, ordering, pcap, rtp, sdp, tpkt, udptl
from faxcore.t38.detection import FormDetector
from faxcore.t38.ifp import Form
from tests.mutations import COUNTS, mutated
from tests.support import vectors
from tests.unit.test_t38_pcap import capture, raw
from tests.unit.test_t38_sdp import MEDIA, VERSION_0, VERSION_3

PACKETS = [bytes.fromhex(entry["hex"]) for entry in vectors("t38_ifp")["packets"]]
STREAMS = vectors("t38_udptl")
DATAGRAMS = [bytes.fromhex(datagram) for stream in STREAMS["streams"] for datagram in stream["udptl"]]
DATAGRAMS += [bytes.fromhex(case["hex"]) for case in STREAMS["must_reject"]]


@pytest.mark.parametrize("count", COUNTS)
def test_ifp(count: int) -> None:
    detector = FormDetector()
    for octets in mutated(PACKETS, 1, count):
        for form in Form:
            try:
                packet = ifp.decode(octets, form)
            except FrameError:
                continue
            assert ifp.decode(ifp.encode(packet, Form.V2002), Form.V2002) == packet
        try:
            detector.decode(octets)
        except FrameError:
            continue


@pytest.mark.parametrize("count", COUNTS)
def test_udptl(count: int) -> None:
    receiver = udptl.Receiver()
    for number, octets in enumerate(mutated(DATAGRAMS, 2, count)):
        try:
            datagram = udptl.decode(octets)
        except FrameError:
            assert receiver.push(octets) == []
            continue
        assert udptl.decode(udptl.encode(datagram)) == datagram
        receiver.push(octets)
        if number % 50 == 0:
            receiver.flush()
            assert not receiver.waiting
        order = receiver._order
        assert len(order.known) <= ordering.HISTORY + order.hold + 256
        assert len(order._recovered) <= len(order.known)
        assert len(receiver._parity._sets) <= 64


@pytest.mark.parametrize("count", COUNTS)
def test_tpkt(count: int) -> None:
    for octets in mutated([tpkt.encode(packet) for packet in PACKETS] + PACKETS, 3, count):
        parser = tpkt.Parser()
        try:
            for half in (octets[:len(octets) // 2], octets[len(octets) // 2:]):
                assert sum(map(len, parser.push(half))) <= len(octets)
        except FrameError:
            with pytest.raises(FrameError):
                parser.push(b"")


@pytest.mark.parametrize("count", COUNTS)
def test_rtp(count: int) -> None:
    senders = [rtp.Sender(98, source=1, red_type=99), rtp.Sender(98, source=1)]
    samples = [sender.datagram(packet, 240 * n) for sender in senders for n, packet in enumerate(PACKETS[:60])]
    receiver = rtp.Receiver(98, red_type=99)
    for octets in mutated(samples, 4, count):
        try:
            packet = rtp.decode(octets)
        except FrameError:
            assert receiver.push(octets) == []
            continue
        assert rtp.decode(rtp.encode(packet)) == packet
        receiver.push(octets)
        assert len(receiver._order.known) <= ordering.HISTORY + receiver._order.hold + 256


@pytest.mark.parametrize("count", COUNTS)
def test_sdp(count: int) -> None:
    texts = [VERSION_0, VERSION_3, *(sdp.build(media, address="192.0.2.1") for media in MEDIA)]
    for octets in mutated([text.encode() for text in texts], 5, count):
        try:
            found = sdp.parse(octets)
        except FrameError:
            continue
        for media in found:
            assert sdp.parse(sdp.build(media, address="192.0.2.1"))[0].port == media.port


@pytest.mark.parametrize("count", COUNTS)
def test_pcap(count: int) -> None:
    samples = [capture(101, raw(), raw()), capture(1, bytes(12) + b"\x08\0" + raw()), capture(113, bytes(16) + raw())]
    for octets in mutated(samples, 6, count):
        try:
            assert sum(len(seen.payload) for seen in pcap.read(octets)) <= len(octets)
        except FrameError:
            continue
