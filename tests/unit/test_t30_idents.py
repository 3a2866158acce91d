"""What the far end says of itself: addresses, internet addresses, makers, and what FNV complains of."""

from __future__ import annotations

from dataclasses import fields

import pytest

from faxcore.result import ResultCode
from faxcore.stations import FarStation
from faxcore.t30.frames import FCF, REVERSED, Frame
from faxcore.t30.idents import REFUSALS, encode_identity, far_station, internet_address, maker, refusal, refused_field


@pytest.mark.parametrize(
    ("nsf", "country", "who"),
    [
        ("ad0055", "United States", "00 aa"), ("b50055", "United States", "00 55"), ("000011", "Japan", "00 11"),
        ("04", "Germany", ""), ("20", "Germany", ""), ("2d01", "United Kingdom", "80"),
        ("ff0102", "", ""), ("", "", ""),
    ],
)  # fmt: skip
def test_maker(nsf: str, country: str, who: str) -> None:
    """The bits of NSF come in either order: US is B5 or AD, Germany 04 or 20 [T.30 sheet of NSF, T.35 annex A]."""
    assert maker(bytes.fromhex(nsf)) == (country, who)


@pytest.mark.parametrize(
    ("fif", "text"),
    [(b"\x00\x01\x05a@b.c", "a@b.c"), (b"\x00\x02\x03http", "htt"), (b"\x00\x01\x50short", "short"), (b"\x00\x01", ""),
     (b"", ""), (b"\x00\x01\x02\xff\n", "??")],
)  # fmt: skip
def test_internet_address(fif: bytes, text: str) -> None:
    """Octet 1 counts, octet 2 is the type, octet 3 the length, then comes the text."""
    assert internet_address(fif).replace("�", "?") == text


@pytest.mark.parametrize(
    ("octets", "code"),
    [("01", 56), ("02", 53), ("04", 52), ("08", 55), ("20", 51), ("40", 54), ("8002", 58), ("8004", 60), ("05", 56),
     ("80", 13), ("10", 13), ("8001", 13), ("", 13)],
)  # fmt: skip
def test_field_not_valid(octets: str, code: int) -> None:
    assert refused_field(bytes.fromhex(octets)) == ResultCode(code)


def test_what_fnv_says_is_what_is_read() -> None:
    told = {field: fif for field in REFUSALS if (fif := refusal(field))}
    assert {refused_field(fif) for fif in told.values()} == {REFUSALS[field] for field in told}
    assert set(REFUSALS) - set(told) == {"polls", "tsa", "cia", "csa"}


def test_every_field_that_can_be_refused_is_one() -> None:
    names = {field.name for field in fields(FarStation)}
    assert set(REFUSALS) == names - {"country", "maker"}
    assert sorted(REFUSALS.values()) == list(range(50, 62))


def test_who_it_is_stays_and_what_it_asks_for_does_not() -> None:
    text = encode_identity
    first = far_station(FarStation(), [
        Frame(FCF.NSC, bytes((REVERSED[0xB5], 0, 1)), final=False), Frame(FCF.CIG, text("+1"), final=False),
        Frame(FCF.PWD, text("1234"), final=False), Frame(FCF.SEP, text("7"), final=False), Frame(FCF.DTC),
    ])  # fmt: skip
    assert first == FarStation(
        identity="+1", password="1234", polling_address="7", polls=True, country="United States", maker="00 80"
    )
    second = far_station(first, [Frame(FCF.SUB, text("9"), final=False), Frame(FCF.DCS)])
    assert second == FarStation(identity="+1", sub_address="9", country="United States", maker="00 80")
