"""Frames and identities at their edges; the vectors are in tests/conformance."""

from __future__ import annotations

import pytest

from faxcore.errors import FrameError
from faxcore.t30.frames import FCF, Frame, build_signal, parse_frame, parse_signal
from faxcore.t30.idents import decode_identity, encode_identity


@pytest.mark.parametrize("octets", ["", "ff", "ff13", "001384", "ff1084", "ff3384", "ff0784"])
def test_no_frame(octets: str) -> None:
    with pytest.raises(FrameError):
        parse_frame(bytes.fromhex(octets))


def test_a_control_field_of_no_table_is_unknown() -> None:
    assert parse_frame(bytes.fromhex("ff13ff0102")) == Frame(FCF.UNKNOWN, b"\1\2")


def test_dis_and_dtc_differ_in_the_bit_that_is_x_elsewhere() -> None:
    assert parse_frame(bytes.fromhex("ff1380")).fcf is FCF.DIS
    assert parse_frame(bytes.fromhex("ff1381")).fcf is FCF.DTC
    assert parse_frame(bytes.fromhex("ff1382")).fcf is parse_frame(bytes.fromhex("ff1383")).fcf is FCF.DCS


def test_a_signal_without_a_final_frame_at_its_end_is_nothing() -> None:
    csi, dis = build_signal((FCF.CSI, bytes(20)), (FCF.DIS, b""), x=False)
    assert [frame.fcf for frame in parse_signal((csi, dis))] == [FCF.CSI, FCF.DIS]
    assert parse_signal((csi,)) == ()
    assert parse_signal((dis, csi)) == ()
    assert [frame.fcf for frame in parse_signal((b"\xff", dis))] == [FCF.DIS]
    assert parse_signal(()) == ()


def test_no_two_fields_share_an_octet() -> None:
    """With X on either side; FCF.UNKNOWN aside."""
    seen = [fcf | x for fcf in FCF for x in ((0, 0x80) if fcf.has_x else (0,))]
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("fif", "text"),
    [
        (b"10 0555 1+          ", "+1 5550 01"),
        (b"          321", "123"),
        (b"321\0\0\0\0\0\0\0", "123"),
        (b"\0\0 321 \0", "123"),
        (b"", ""),
        (b"\0" * 20, ""),
        ("ÜBER".encode()[::-1], "ÜBER"),
        (b"\xc4bc", "cbÄ"),
        (b"\n1\x1b2", "2?1?"),
        (b"x" * 30, "x" * 30),
    ],
)
def test_identities_of_odd_machines(fif: bytes, text: str) -> None:
    assert decode_identity(fif) == text


@pytest.mark.parametrize("text", ["123456789012345678901", "Büro", "1\n2"])
def test_identity_that_cannot_be_sent(text: str) -> None:
    with pytest.raises(ValueError, match="identity"):
        encode_identity(text)
