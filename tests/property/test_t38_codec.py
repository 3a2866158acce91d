"""IFP and UDPTL against the ASN.1 of the recommendation, for any packet; streams for any chunking."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faxcore.errors import FrameError
from faxcore.t38 import ifp, tpkt, udptl
from faxcore.t38.ifp import Form, Packet
from tests.t38_support import oracle_encode, packets, schema

anything = st.sampled_from(Form).flatmap(lambda form: st.tuples(st.just(form), packets(form)))


@settings(max_examples=400)
@given(anything)
def test_packets_are_what_the_asn1_says(case: tuple[Form, Packet]) -> None:
    form, packet = case
    octets = oracle_encode(packet, form)
    assert ifp.encode(packet, form) == octets
    assert ifp.decode(octets, form) == packet
    assert ifp.parse(octets + b"\x06\xc0", form) == (packet, len(octets))
    for end in range(max(0, len(octets) - 30), len(octets)):
        with pytest.raises(ifp.TruncatedError):
            ifp.parse(octets[:end], form)


payloads = st.one_of(st.binary(min_size=1, max_size=20), st.integers(120, 300).map(bytes))


@settings(max_examples=200)
@given(st.integers(0, 0xFFFF), payloads, st.lists(payloads, max_size=5), st.none() | st.integers(0, 127))
def test_datagrams_are_what_the_asn1_says(
    sequence: int, primary: bytes, more: list[bytes], span: int | None,
) -> None:
    datagram = udptl.Datagram(sequence, primary, more) if span is None else udptl.Datagram(
        sequence, primary, (), span, more)
    recovery = ("secondary", more) if span is None else ("fec", {"span": span, "parity": more})
    octets = schema(Form.V1998).encode(
        "UDPTLPacket", {"seq-number": sequence, "primary": primary, "error-recovery": recovery})
    assert udptl.encode(datagram) == octets
    assert udptl.decode(octets) == datagram


@settings(max_examples=100)
@given(st.lists(packets(Form.V1998).map(lambda packet: ifp.encode(packet, Form.V1998)), max_size=6), st.booleans(),
       st.lists(st.integers(0, 2000), max_size=8))
def test_streams_are_the_same_for_every_chunking(sent: list[bytes], framed: bool, cuts: list[int]) -> None:
    stream = b"".join(map(tpkt.encode, sent)) if framed else b"".join(sent)
    places = sorted(min(cut, len(stream)) for cut in cuts)
    parser = tpkt.Parser()
    got = [packet for start, end in zip([0, *places], [*places, len(stream)], strict=True)
           for packet in parser.push(stream[start:end])]
    assert got == sent


@settings(max_examples=100)
@given(st.binary(max_size=60), st.integers(1, 7))
def test_hostile_streams_are_the_same_for_every_chunking(stream: bytes, size: int) -> None:
    def taken(size: int) -> tuple[list[bytes], bool]:
        parser, got = tpkt.Parser(), []
        try:
            for start in range(0, len(stream), size):
                got += parser.push(stream[start:start + size])
            parser.push(b"")
        except FrameError:
            return got, True
        return got, False

    assert taken(size) == taken(len(stream) or 1)
