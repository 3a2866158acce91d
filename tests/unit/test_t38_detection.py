"""The form that a partner writes is found out, whatever was agreed, and kept."""

from __future__ import annotations

import pytest

from faxcore.errors import FrameError
from faxcore.t38 import ifp
from faxcore.t38.detection import FormDetector
from faxcore.t38.ifp import Data, DataKind, Field, FieldType, Form, Indicator, IndicatorKind, Packet

BOTH = list(Form)


def frame(octets: bytes, end: FieldType, kind: DataKind = DataKind.V21, *, single: bool = False) -> list[Packet]:
    """A frame in packets of one octet, or the data and its end in one packet."""
    if single:
        return [Data(kind, (Field(FieldType.HDLC_DATA, octets), Field(end)))]
    return [*(Data(kind, (Field(FieldType.HDLC_DATA, bytes((o,))),)) for o in octets), Data(kind, (Field(end),))]


def call(*, single: bool, ecm: bool, separate_end: bool = False) -> list[Packet]:
    """One direction of a call: identity and DCS, training check, a page, EOP."""
    ok, done = FieldType.HDLC_FCS_OK, FieldType.HDLC_FCS_OK_SIG_END
    last = [ok, FieldType.HDLC_SIG_END] if separate_end else [done]
    tail = [Data(DataKind.V21, (Field(type_),)) for type_ in last[1:]]
    packets: list[Packet] = [Indicator(IndicatorKind.V21_PREAMBLE), *frame(b"\xff\xc0\x43abc", ok, single=single),
                             *frame(b"\xff\xc8\x83abc", last[0], single=single), *tail,
                             Indicator(IndicatorKind.NO_SIGNAL), Indicator(IndicatorKind.V29_9600_TRAINING)]
    page = Field(FieldType.T4_NON_ECM_DATA, bytes(36))
    packets += [Data(DataKind.V29_9600, (page,)) for _ in range(3)]
    packets += [Data(DataKind.V29_9600, (Field(FieldType.T4_NON_ECM_SIG_END),)), Indicator(IndicatorKind.NO_SIGNAL)]
    if ecm:
        packets.append(Indicator(IndicatorKind.V29_9600_TRAINING))
        for number in range(4):
            packets += frame(b"\xff\xc0\x06" + bytes((number,)) + bytes(64), ok, DataKind.V29_9600, single=single)
        packets += frame(b"\xff\xc0\x86", done, DataKind.V29_9600, single=single)
    return packets


@pytest.mark.parametrize("separate_end", [False, True])
@pytest.mark.parametrize("ecm", [False, True])
@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("agreed", BOTH, ids=lambda form: f"agreed-{form.name}")
@pytest.mark.parametrize("used", BOTH, ids=lambda form: f"used-{form.name}")
def test_a_call(used: Form, agreed: Form, single: bool, ecm: bool, separate_end: bool) -> None:
    detector = FormDetector(agreed)
    packets = call(single=single, ecm=ecm, separate_end=separate_end)
    got = [detector.decode(ifp.encode(packet, used)) for packet in packets]
    assert detector.form is used
    assert detector.settled
    if used is agreed:
        assert got == packets
    settled = FormDetector(agreed)
    for packet in packets:
        settled.decode(ifp.encode(packet, used))
    assert [settled.decode(ifp.encode(packet, used)) for packet in packets] == packets


@pytest.mark.parametrize("form", BOTH, ids=lambda form: form.name)
def test_one_odd_packet_does_not_turn_it(form: Form) -> None:
    """A frame's end was lost, and the signal's end follows its data."""
    detector = FormDetector(form)
    packets = [Data(DataKind.V21, (Field(FieldType.HDLC_DATA, b"\xff"),)),
               Data(DataKind.V21, (Field(FieldType.HDLC_SIG_END),))]
    assert [detector.decode(ifp.encode(packet, form)) for packet in packets] == packets
    assert detector.form is form


def test_what_neither_form_reads() -> None:
    detector = FormDetector()
    for octets in (b"", b"\x01", b"\xc0\x01\xff", b"\x80\x00"):
        with pytest.raises(FrameError):
            detector.decode(octets)
    assert not detector.settled


def test_field_headers_as_whole_octets() -> None:
    """A wide-spread library writes them so in the 2002 form."""
    packet = Data(DataKind.V21, (Field(FieldType.HDLC_DATA, b"\xff\xc8\x31"), Field(FieldType.HDLC_FCS_OK),
                                 Field(FieldType.HDLC_SIG_END)))
    octets = bytes.fromhex("c003 80 0002 ffc831 10 08")
    assert ifp.decode(octets, Form.V2002) == packet
    assert FormDetector(Form.V1998).decode(octets) == packet


def test_data_in_the_end_of_a_frame() -> None:
    """The first maker of T.38 did it, and others followed."""
    octets = bytes.fromhex("c001 a0 0001 c831")
    assert FormDetector(Form.V1998).decode(octets) == Data(DataKind.V21, (Field(FieldType.HDLC_FCS_OK, b"\xc8\x31"),))


@pytest.mark.parametrize("version", range(5))
def test_form_of_a_version(version: int) -> None:
    assert Form.of_version(version) is (Form.V2002 if version else Form.V1998)


def test_what_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="V8_ANSAM"):
        ifp.encode(Indicator(IndicatorKind.V8_ANSAM), Form.V1998)
    with pytest.raises(ValueError, match="V33_14400"):
        ifp.encode(Data(DataKind.V33_14400), Form.V1998)
    with pytest.raises(ValueError, match="V34_RATE"):
        ifp.encode(Data(DataKind.V21, (Field(FieldType.V34_RATE, b"024"),)), Form.V1998)
    with pytest.raises(ValueError, match="65535"):
        ifp.encode(Data(DataKind.V21, (Field(FieldType.HDLC_DATA, bytes(65536)),)), Form.V1998)
    with pytest.raises(ValueError, match="16383"):
        ifp.encode(Data(DataKind.V21, (Field(FieldType.HDLC_FCS_OK),) * 16384), Form.V1998)


def test_bits_are_turned() -> None:
    assert ifp.line_order(bytes.fromhex("ffc8310180")) == bytes.fromhex("ff138c8001")
