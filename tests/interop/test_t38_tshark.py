"""Our packets in tshark's dissectors, in both forms, and our captures in dpkt."""

from __future__ import annotations

import io
from typing import Any

import dpkt
import pytest

from faxcore.t38 import ifp, pcap, udptl
from faxcore.t38.ifp import Data, DataKind, Field, FieldType, Form, Indicator, IndicatorKind
from tests.t38_support import HERE, THERE, dissect
from tests.unit.test_t38_call import pair, run, watch

FRAMES = ["ffc801004677", "ffc8a1"]    # a DIS and a CFR as the wire has them


def packets(form: Form) -> list[ifp.Packet]:
    """Every kind of packet that the form has, and a V.21 signal in small pieces."""
    new = form is Form.V2002
    made: list[ifp.Packet] = [
        Indicator(kind) for kind in IndicatorKind if new or kind < ifp.FIRST_EXTENDED_INDICATOR]
    made += [Data(kind, (Field(FieldType.T4_NON_ECM_DATA, bytes(range(40))), Field(FieldType.T4_NON_ECM_SIG_END)))
             for kind in DataKind if DataKind.V27_2400 <= kind <= DataKind.V17_14400]
    return made


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("form", Form, ids=lambda form: form.name)
@pytest.mark.parametrize("correction", ["redundancy", "fec", "none"])
def test_every_packet(form: Form, correction: str) -> None:
    sender = udptl.Sender(correction)
    sent = packets(form)
    rows = dissect([sender.datagram(ifp.encode(packet, form)) for packet in sent], form,
                   ["t38.seq_number", "t38.t30_indicator", "t38.t30_data", "t38.field_data"])
    assert len(rows) == len(sent)
    for number, (packet, row) in enumerate(zip(sent, rows, strict=True)):
        assert row[0] == str(number)
        if isinstance(packet, Indicator):
            assert row[1].split(",")[0] == str(packet.kind.value)
        else:
            assert row[2].split(",")[0] == str(packet.kind.value)
            assert row[3].split(",")[0] == packet.fields[0].octets.hex()


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("form", Form, ids=lambda form: form.name)
def test_frames_reach_the_t30_dissector(form: Form) -> None:
    sender = udptl.Sender()
    sent = [Indicator(IndicatorKind.V21_PREAMBLE)]
    for number, frame in enumerate(map(bytes.fromhex, FRAMES)):
        end = FieldType.HDLC_FCS_OK_SIG_END if number else FieldType.HDLC_FCS_OK
        sent += [Data(DataKind.V21, (Field(FieldType.HDLC_DATA, bytes((octet,))),)) for octet in frame]
        sent.append(Data(DataKind.V21, (Field(end),)))
    rows = dissect([sender.datagram(ifp.encode(packet, form)) for packet in sent], form, ["t30.FacsimileControl"])
    assert [row[0] for row in rows if row[0]] == [str(int(frame[4:6], 16) & 0x7F) for frame in FRAMES]


@pytest.mark.parametrize("ends", [(HERE, THERE), (pcap.Endpoint("::1", 1), pcap.Endpoint("2001:db8::2", 65535))])
def test_captures_in_dpkt(ends: tuple[pcap.Endpoint, pcap.Endpoint]) -> None:
    file = io.BytesIO()
    writer = pcap.Writer(file)
    times = [0.0, 1.5, 1700000000.123456]
    for number, time in enumerate(times):
        writer.write(time, *ends, b"x" * number)
    file.seek(0)
    got = list(dpkt.pcap.Reader(file))
    assert [time for time, _ in got] == pytest.approx(times, abs=1e-6)
    for number, (_, octets) in enumerate(got):
        packet = dpkt.ip.IP(octets) if octets[0] >> 4 == 4 else dpkt.ip6.IP6(octets)
        assert (packet.data.sport, packet.data.dport, packet.data.data) == (ends[0].port, ends[1].port, b"x" * number)
        assert bytes(packet) == octets


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("version", [0, 3])
@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("carrier", [{}, {"error_correction": "fec"}, {"internet_aware": True}], ids=str)
def test_whole_calls(version: int, ecm: bool, carrier: dict[str, Any]) -> None:
    """Both ends of a call: nothing malformed, every frame known to the dissector of T.30."""
    sender, receiver = pair(2, {"ecm": ecm}, version=version, **carrier)
    said: list[tuple[float, int, bytes]] = []
    for end, call in enumerate((sender, receiver)):
        watch(call, lambda now, datagram, end=end: said.append((now, end, datagram)))
    run(sender, receiver)
    for end in (0, 1):
        datagrams = [datagram for _, who, datagram in said if who == end]
        rows = dissect(datagrams, Form.of_version(version), ["t38.seq_number", "t30.FacsimileControl"])
        assert [int(row[0].split(",")[0]) for row in rows] == list(range(len(datagrams)))
        told = {int(name) for row in rows for name in row[1].split(",") if name}
        assert told >= ({0x42, 0x41, 0x5F} if end == 0 else {0x01, 0x02, 0x21, 0x31})
