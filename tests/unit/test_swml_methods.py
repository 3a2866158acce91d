"""Parameters of `send_fax` and `receive_fax`: what is taken, what is refused, and under which name."""

from __future__ import annotations

from typing import Any

import pytest

import faxcore
from faxcore.errors import CallError, DocumentError
from faxcore.swml import CallInfo, ReceiveFax, SendFax, SwmlError
from tests.support_calls import small_document

URL = "https://example.com/letter.pdf"
MISSING = "relay_script_method_parameter_missing"
UNDEFINED = "relay_script_method_parameter_undefined"
INVALID = "relay_script_method_parameter_invalid_value"


def test_all_parameters() -> None:
    given = {"document": URL, "header_info": "ACME", "identity": "+1555", "status_url": "http://example.com:8080/fax"}
    method = SendFax.parse(given)
    assert {name: getattr(method, name) for name in given} == given


def test_defaults() -> None:
    method = SendFax.parse({"document": URL})
    assert (method.header_info, method.identity, method.status_url) == ("", None, None)


@pytest.mark.parametrize("given", [{"send_fax": {"document": URL}}, URL], ids=["step", "bare"])
def test_other_forms_of_send_fax(given: object) -> None:
    assert SendFax.parse(given).document == URL


@pytest.mark.parametrize("given", [None, {}, "receive_fax", {"receive_fax": {}}, {"receive_fax": None}], ids=repr)
def test_receive_fax_needs_no_parameters(given: object) -> None:
    assert ReceiveFax.parse(given).status_url is None


def test_receive_fax_takes_a_status_url() -> None:
    assert ReceiveFax.parse({"status_url": URL}).status_url == URL


REFUSED: list[tuple[type[Any], object, str, str]] = [
    (SendFax, {}, MISSING, "send_fax.document is missing"),
    (SendFax, None, MISSING, "document"),
    (SendFax, "send_fax", MISSING, "document"),
    (SendFax, {"send_fax": None}, MISSING, "document"),
    (SendFax, {"status_url": URL}, MISSING, "document"),
    (SendFax, {"document": URL, "pages": 3}, UNDEFINED, "no parameter pages"),
    (SendFax, {"document": URL, "Document": URL}, UNDEFINED, "Document"),
    (SendFax, {"document": 17}, INVALID, "must be a string, not the number 17"),
    (SendFax, {"document": [URL]}, INVALID, "a list"),
    (SendFax, {"document": None}, INVALID, "not nothing"),
    (SendFax, {"document": {}}, INVALID, "an object"),
    (SendFax, {"document": URL, "identity": 15551230001}, INVALID, "phone numbers in quotes"),
    (SendFax, {"document": URL, "identity": 493.0}, INVALID, "phone numbers in quotes"),
    (SendFax, {"document": URL, "header_info": False}, INVALID, "yes, no, on and off"),
    (SendFax, {"document": URL, "identity": "+155512300010000000000"}, INVALID, "at most 20"),
    (SendFax, {"document": URL, "identity": "Bäcker"}, INVALID, "printable ASCII"),
    (SendFax, {"document": URL, "identity": "a\nb"}, INVALID, "printable ASCII"),
    (SendFax, {"document": ""}, INVALID, "http://"),
    (SendFax, {"document": "https//example.com/fax.pdf"}, INVALID, "must begin with http:// or https://"),
    (SendFax, {"document": "letter.pdf"}, INVALID, "must begin with"),
    (SendFax, {"document": "ftp://example.com/fax.pdf"}, INVALID, "must begin with"),
    (SendFax, {"document": "https:///fax.pdf"}, INVALID, "no host"),
    (SendFax, {"document": "https://example.com:fax/"}, INVALID, "send_fax.document"),
    (SendFax, {"document": "https://[::1/fax.pdf"}, INVALID, "send_fax.document"),
    (SendFax, {"document": "https://example.com/a fax.pdf"}, INVALID, "blanks"),
    (SendFax, {"document": "https://example.com/a\n.pdf"}, INVALID, "blanks"),
    (SendFax, {"document": f"https://example.com/{'a' * 2048}"}, INVALID, "longer"),
    (SendFax, {"document": URL, "status_url": "file:///etc/passwd"}, INVALID, "send_fax.status_url"),
    (SendFax, [], INVALID, "a list"),
    (SendFax, 3, INVALID, "the number 3"),
    (SendFax, {1: URL}, INVALID, "send_fax"),
    (ReceiveFax, {"document": URL}, UNDEFINED, "receive_fax has no parameter document"),
    (ReceiveFax, {"status_url": True}, INVALID, "receive_fax.status_url"),
    (ReceiveFax, {"status_url": "mailto:a@example.com"}, INVALID, "receive_fax.status_url"),
    (ReceiveFax, "receive", INVALID, "the string 'receive'"),
]


@pytest.mark.parametrize(("method", "given", "code", "words"), REFUSED, ids=[repr(case[1])[:60] for case in REFUSED])
def test_refused(method: type[Any], given: object, code: str, words: str) -> None:
    with pytest.raises(SwmlError) as caught:
        method.parse(given)
    assert caught.value.code == code
    assert words in caught.value.description
    assert str(caught.value) == f"{code}: {caught.value.description}"


@pytest.mark.parametrize(
    ("identity", "caller", "ours"),
    [
        (None, "+15551230001", "+15551230001"),
        ("", "+15551230001", "+15551230001"),
        ("+1999", "+15551230001", "+1999"),
        (None, "sip:+15551230001@example.com", "+15551230001"),
        (None, "sip:a-very-long-user-name@example.com", ""),
        (None, "", ""),
    ],
)
def test_our_identity(identity: str | None, caller: str, ours: str) -> None:
    operation = SendFax.parse({"document": URL, "identity": identity}).prepare(
        small_document(), CallInfo(from_=caller, to="+1777")
    )
    operation.not_answered("no_answer")
    assert operation.variables["send_fax_identity"] == ours


@pytest.mark.parametrize(("direction", "ours"), [("inbound", "+1777"), ("outbound", "+1555")])
def test_our_identity_when_receiving_is_the_number_at_our_end(direction: str, ours: str) -> None:
    info = CallInfo(from_="+1555", to="+1777", direction=direction)
    assert ReceiveFax.parse().station(info) == ours


def test_a_password_is_not_reported() -> None:
    method = SendFax.parse("https://user:secret@example.com:8443/a.pdf?b=c@d")
    assert method.reported_document == "https://example.com:8443/a.pdf?b=c@d"
    operation = method.failed(DocumentError("a.pdf", "is encrypted", code=46))
    assert "secret" not in repr(operation.variables) + repr(list(operation.events()))


def test_no_variables_before_the_end() -> None:
    operation = SendFax.parse(URL).prepare(small_document())
    with pytest.raises(CallError, match="before its end"):
        _ = operation.variables
    with pytest.raises(CallError, match="nothing to store"):
        operation.stored("https://example.com/a.pdf")


def test_the_header_line_is_drawn_also_when_it_says_nothing() -> None:
    with_header, without = (small_document(rows=200) for _ in range(2))
    sending, receiving = SendFax.parse(URL).prepare(with_header), ReceiveFax.parse().prepare()
    assert sending.call
    assert receiving.call
    faxcore.simulate(sending.call, receiving.call)
    assert receiving.call.document.pages[0] != without.pages[0]


def test_an_ended_operation_stays_as_it_is() -> None:
    operation = SendFax.parse(URL).failed(DocumentError("a.pdf", "is empty"))
    operation.not_answered("busy")
    assert [event.type for event in operation.events()] == ["error"]
    assert operation.variables["send_fax_result_code"] == 43


def test_pages_that_cannot_be_stored_are_a_failed_fax() -> None:
    sending, receiving = SendFax.parse(URL).prepare(small_document()), ReceiveFax.parse().prepare()
    assert sending.call
    assert receiving.call
    faxcore.simulate(sending.call, receiving.call)
    assert receiving.to_store
    receiving.not_stored("the disk is full")
    assert [event.type for event in receiving.events()] == ["page", "finished"]
    assert receiving.variables["receive_fax_result"] == "failed"
    assert receiving.variables["receive_fax_result_code"] == 41
    assert receiving.variables["receive_fax_pages"] == 1


def test_a_call_that_brings_nothing_has_nothing_to_store() -> None:
    receiving = ReceiveFax.parse().prepare()
    assert receiving.call
    receiving.call.line_dropped()
    assert not receiving.to_store
    (last,) = receiving.events()
    assert (last.type, last.params.success, last.params.document) == ("finished", False, "")
