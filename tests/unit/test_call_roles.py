"""Roles, several documents, resuming, and owners who choose their company: whole audio calls."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

import faxcore
from faxcore.document import Header, JoinedDocument
from faxcore.document.header import with_header
from faxcore.events import PageReceived, PageSent
from faxcore.stations import FarStation
from tests.support_calls import small_document, small_page

WHEN = datetime(2026, 11, 24, 8, 5)
ECM = pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "no-ecm"])


@ECM
def test_a_polling_receiver_and_a_polled_sender(ecm: bool) -> None:
    options = faxcore.Options(ecm=ecm)
    sender = faxcore.FaxCall.send(small_document(2), identity="+1", role="answerer", options=options)
    receiver = faxcore.FaxCall.receive(identity="+2", role="caller", options=options)
    outcome = faxcore.simulate(sender, receiver)
    for result, identity, remote in ((outcome.sender, "+1", "+2"), (outcome.receiver, "+2", "+1")):
        assert (result.code, result.pages, result.ecm) == (0, 2, ecm), result.note
        assert (result.identity, result.remote_identity) == (identity, remote)
    assert outcome.sender.far.polls
    assert list(receiver.document.pages) == [small_page(0), small_page(1)]


def test_two_callers_or_two_answerers_never_meet() -> None:
    polling = faxcore.FaxCall.receive(role="caller")
    outcome = faxcore.simulate(faxcore.FaxCall.send(small_document()), polling)
    assert {outcome.sender.code, outcome.receiver.code} <= {2, 49}
    polled = faxcore.FaxCall.send(small_document(), role="answerer")
    outcome = faxcore.simulate(polled, faxcore.FaxCall.receive())
    assert not outcome.sender.success
    assert not outcome.receiver.success


@pytest.mark.parametrize(
    ("said", "field", "code"),
    [({"password": "1"}, "password", 56), ({"polling_address": "1"}, "polling_address", 53),
     ({"polled_sub_address": "1"}, "polled_sub_address", 54), ({}, "polls", 50), ({}, "identity", 51)],
)  # fmt: skip
def test_a_poll_that_is_refused(said: dict[str, str], field: str, code: int) -> None:
    heard: list[FarStation] = []

    def accept(far: FarStation) -> str:
        heard.append(far)
        return field

    sender = faxcore.FaxCall.send(small_document(), role="answerer", options=faxcore.Options(accept=accept))
    receiver = faxcore.FaxCall.receive(identity="+2", role="caller", options=faxcore.Options(**said))
    outcome = faxcore.simulate(sender, receiver)
    assert (outcome.sender.code, outcome.receiver.code) == (code, 35 if field == "polls" else code)
    assert heard == [FarStation(identity="+2", polls=True, **said)]


@pytest.mark.parametrize(("field", "code"), [("sub_address", 52), ("sender_id", 55), ("identity", 51)])
@pytest.mark.parametrize("modulation", ["v17", "v29", "v27ter"])
def test_a_document_that_is_refused(field: str, code: int, modulation: str) -> None:
    """The sender hears why (FNV), since we say so when its TCF is over."""
    options = faxcore.Options(sub_address="77", sender_id="me", modulations=(modulation,))
    sender = faxcore.FaxCall.send(small_document(), identity="+1", options=options)
    receiver = faxcore.FaxCall.receive(options=faxcore.Options(accept=lambda far: field))
    outcome = faxcore.simulate(sender, receiver)
    assert (outcome.sender.code, outcome.receiver.code) == (code, code)
    assert (outcome.receiver.far.sub_address, outcome.receiver.far.sender_id) == ("77", "me")


def test_an_owner_who_talks_nonsense_is_told() -> None:
    receiver = faxcore.FaxCall.receive(options=faxcore.Options(accept=lambda far: "number"))
    with pytest.raises(ValueError, match="accept returns None or one of polls, identity"):
        faxcore.simulate(faxcore.FaxCall.send(small_document()), receiver)


@ECM
def test_two_documents_in_one_call(ecm: bool) -> None:
    first, second = small_document(2), small_document(1, rows=80)
    sender = faxcore.FaxCall.send([first, second], options=faxcore.Options(ecm=ecm), header_info="ACME", date=WHEN)
    receiver = faxcore.FaxCall.receive(options=faxcore.Options(ecm=ecm))
    outcome = faxcore.simulate(sender, receiver)
    assert (outcome.sender.code, outcome.sender.pages, outcome.receiver.pages) == (0, 3, 3)
    events = [event for event in receiver.events() if isinstance(event, PageReceived)]
    assert [(event.number, event.command) for event in events] == [(1, "MPS"), (2, "EOM"), (3, "EOP")]
    wanted = [
        with_header(page, Header(WHEN, "", "ACME", len(document.pages)), index)
        for document in (first, second)
        for index, page in enumerate(document.pages)
    ]
    assert list(receiver.document.pages) == wanted
    assert outcome.sender.attempts == ()


def test_a_call_that_failed_is_resumed() -> None:
    """The second call begins with page 2, and its header line says 2/3."""
    document = small_document(3)
    sender = faxcore.FaxCall.send(document, header_info="", date=WHEN, first_page=2)
    receiver = faxcore.FaxCall.receive()
    assert sender.progress.pages == 2
    outcome = faxcore.simulate(sender, receiver)
    assert (outcome.sender.code, outcome.sender.pages) == (0, 2)
    assert [event.number for event in sender.events() if isinstance(event, PageSent)] == [1, 2]
    header = Header(WHEN, "", "", 3)
    assert list(receiver.document.pages) == [with_header(small_page(n), header, n) for n in (1, 2)]
    for wrong in (0, 4, -1):
        with pytest.raises(ValueError, match="first_page is 1 to 3"):
            faxcore.FaxCall.send(document, first_page=wrong)


def test_no_document_is_none() -> None:
    outcome = faxcore.simulate(faxcore.FaxCall.send([], header_info=""), faxcore.FaxCall.receive())
    assert (outcome.sender.code, outcome.sender.pages) == (42, 0)
    with pytest.raises(TypeError, match="open_document"):
        faxcore.FaxCall.send("letter.pdf")  # type: ignore[arg-type]


def test_joined_documents_are_their_pages_in_turn() -> None:
    joined = JoinedDocument([small_document(2), small_document(1)])
    assert list(joined.pages) == [small_page(0), small_page(1), small_page(0)]
    assert joined.name == "received, received"
    assert joined.ends == {2, 3}
    assert joined.paper(2).width_mm == 215
    with pytest.raises(IndexError):
        joined.paper(3)


def test_pages_of_all_sizes_and_a_resolution_of_400() -> None:
    from faxcore.document import ReceivedDocument
    from faxcore.page import LINES_MM, RESOLUTIONS, Page, line_pels

    fine = RESOLUTIONS["400x400"]
    document = ReceivedDocument()
    for seed, width in enumerate(LINES_MM.values()):
        pels = np.random.default_rng(seed).random((40, line_pels(width, fine) // 64)) < 0.3
        document.append(Page.from_pels(np.repeat(pels, 64, axis=1), fine))
    sender = faxcore.FaxCall.send(document, options=faxcore.Options(resolution="400x400"))
    receiver = faxcore.FaxCall.receive()
    outcome = faxcore.simulate(sender, receiver)
    assert outcome.sender.success
    assert outcome.sender.resolution == "400x400"
    assert outcome.sender.attempts == ()
    assert list(receiver.document.pages) == list(document.pages)


@ECM
def test_a_page_of_many_lines_arrives_whole(ecm: bool) -> None:
    """5 m at 391 lines per inch are more than 65536 lines."""
    from faxcore.document import ReceivedDocument
    from faxcore.page import SUPERFINE, Page

    rows = np.zeros((78_500, 216), np.uint8)
    rows[::4000, 20:40] = 0xF0
    rows[-1] = 0xFF
    document = ReceivedDocument()
    document.append(Page(rows, 1728, SUPERFINE))
    options = faxcore.Options(ecm=ecm, resolution="superfine", codings=("mmr", "mr"))
    receiver = faxcore.FaxCall.receive(options=options)
    outcome = faxcore.simulate(faxcore.FaxCall.send(document, options=options), receiver)
    assert outcome.sender.success
    assert list(receiver.document.pages) == list(document.pages)


def test_a_page_that_no_memory_bears_ends_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    from faxcore.t30 import receiver as terminal

    monkeypatch.setattr(terminal, "LARGEST_PAGE", 216 * 50)
    outcome = faxcore.simulate(faxcore.FaxCall.send(small_document()), faxcore.FaxCall.receive())
    assert outcome.receiver.code == 47
    assert not outcome.sender.success
