"""What DIS and DCS say, in words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faxcore.cli.events import told, told_fields
from faxcore.events import FramesReceived, FramesSent, Negotiated
from faxcore.signals import V29_9600
from faxcore.t30.frames import FCF, Frame


@pytest.mark.parametrize(
    ("fcf", "fif", "words"),
    [
        (FCF.DIS, "00ce20", ["V.29", "V.27ter", "MR", "MH", "lines of 215 mm", "10 ms a line", "10 at fine",
                             "can receive a fax document"]),
        (FCF.DIS, "0085fa8085df02", ["a document is ready", "lines of 215, 255, 303 mm", "300 x 300"]),
        (FCF.DTC, "00c6fa8085df02", ["PWD is being sent", "SEP is being sent", "PSA is being sent"]),
        (FCF.DCS, "0062fac4808001", ["V.17 14400 bit/s", "MMR", "fine", "lines of 303 mm", "SUB is being sent"]),
        (FCF.DCS, "000680808002", ["V.29 9600 bit/s", "300x300"]),
    ],
)  # fmt: skip
def test_fields_are_told(fcf: FCF, fif: str, words: list[str]) -> None:
    """T.30 table 2."""
    lines = list(told_fields(FramesSent(1.0, (Frame(fcf, bytes.fromhex(fif)).octets(),))))
    text = " ".join(line.strip() for line in lines)
    assert text.startswith(f"{fcf.name}: ")
    assert all(word in text for word in words), text
    assert "EXTEND" not in text
    assert max(map(len, lines)) <= 96


def test_what_has_no_field_is_not_told() -> None:
    assert list(told_fields(FramesSent(1.0, (Frame(FCF.CFR).octets(), b"\xff")))) == []
    assert list(told_fields(Negotiated(1.0, V29_9600, "mr", "fine", ""))) == []


@given(st.binary(max_size=40), st.sampled_from([FCF.DIS, FCF.DTC, FCF.DCS]))
@settings(max_examples=300, derandomize=True, deadline=None, database=None)
def test_any_field_can_be_told(fif: bytes, fcf: FCF) -> None:
    assert list(told_fields(FramesReceived(1.0, (Frame(fcf, fif).octets(),))))


def test_the_width_of_a_page_is_told_where_it_is_not_a4() -> None:
    assert told(Negotiated(1.0, V29_9600, "mr", "fine", "+1", width_mm=303)) == "V.29 9600 bit/s, MR, fine, A3, with +1"
    assert told(Negotiated(1.0, V29_9600, "mr", "fine", "")) == "V.29 9600 bit/s, MR, fine"
