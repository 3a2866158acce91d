"""UDPTL against published vectors: datagrams made, losses recovered, what is none refused."""

from __future__ import annotations

from typing import Any

import pytest

from faxcore.errors import FrameError
from faxcore.t38 import udptl
from faxcore.t38.udptl import Arrived, Lost
from tests.support import vectors

VECTORS = vectors("t38_udptl")
STREAMS = {stream["name"]: stream for stream in VECTORS["streams"]}
SENDERS = {
    "redundancy 0": {"redundancy": 0}, "redundancy 1": {"redundancy": 1}, "redundancy 3": {"redundancy": 3},
    "fec span 3 entries 1": {"error_correction": "fec", "span": 3, "entries": 1},
    "fec span 3 entries 2": {"error_correction": "fec", "span": 3, "entries": 2},
    "two-octet lengths (IFP of 205 octets)": {"redundancy": 1},
    "sequence wrap 65534..": {"redundancy": 2, "first": 65534},
}


@pytest.mark.parametrize("name", STREAMS)
def test_sender_makes_the_stream(name: str) -> None:
    sender = udptl.Sender(**SENDERS[name])
    packets = [bytes.fromhex(packet) for packet in STREAMS[name]["ifp"]]
    assert [sender.datagram(packet).hex() for packet in packets] == STREAMS[name]["udptl"]


@pytest.mark.parametrize("name", STREAMS)
def test_receiver_reads_the_stream(name: str) -> None:
    receiver = udptl.Receiver()
    got = [item for datagram in STREAMS[name]["udptl"] for item in receiver.push(bytes.fromhex(datagram))]
    assert [item.octets.hex() for item in got] == STREAMS[name]["ifp"]
    assert not receiver.waiting
    assert receiver.counters == udptl.Counters(received=len(got))


@pytest.mark.parametrize("case", VECTORS["loss_cases"], ids=lambda case: case["name"])
def test_losses(case: dict[str, Any]) -> None:
    stream = STREAMS[case["stream"]]
    receiver = udptl.Receiver()
    got: list[Arrived | Lost] = []
    for number, datagram in enumerate(stream["udptl"]):
        if number not in case["dropped_seq"]:
            got += receiver.push(bytes.fromhex(datagram))
    got += receiver.flush()
    expected = dict(enumerate(stream["ifp"]))
    expected |= {int(n): octets for n, octets in case["recovered_with_trailing_zero_octets"].items()}
    for lost in case["lost_seq"]:
        expected.pop(lost)
    arrived = [item for item in got if isinstance(item, Arrived)]
    assert [(item.sequence, item.octets.hex()) for item in arrived] == list(expected.items())
    assert [item.sequence for item in arrived if item.recovered] == case["recovered_seq"]
    assert [item for item in got if isinstance(item, Lost)] == [Lost(n, 1) for n in case["lost_seq"]]
    assert receiver.counters.lost == len(case["lost_seq"])


@pytest.mark.parametrize("case", VECTORS["must_reject"], ids=lambda case: case["name"])
def test_refused(case: dict[str, Any]) -> None:
    with pytest.raises(FrameError):
        udptl.decode(bytes.fromhex(case["hex"]))
    receiver = udptl.Receiver()
    assert receiver.push(bytes.fromhex(case["hex"])) == []
    assert receiver.counters == udptl.Counters(rejected=1)


def test_empty_packet_is_tolerated() -> None:
    receiver = udptl.Receiver()
    assert receiver.push(bytes.fromhex("000001000000")) == [Arrived(0, b"\0")]
    assert receiver.push(bytes.fromhex(VECTORS["tolerate"][0]["hex"])) == []
    assert receiver.push(bytes.fromhex("000201060000")) == [Arrived(2, b"\6")]
