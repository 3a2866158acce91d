"""Every payload of SWML's fax methods against the contract, most of them from calls that were really made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

import faxcore
from faxcore.errors import FetchError
from faxcore.swml import CallInfo, FaxEvent, Notice, Operation, ReceiveFax, SendFax, SwmlError
from faxcore.swml.payloads import warning
from tests.support_calls import small_document

GOLDEN: dict[str, Any] = json.loads(Path(__file__).with_name("swml_payloads.json").read_text())
FAXES = [name for name in GOLDEN if name != "warning"]
CONTROL_ID = GOLDEN["page"]["params"]["control_id"]
URL = "https://example.com/fax_to_send.pdf"
OUR_NUMBER, FAR_NUMBER = "+15551231234", "+15553214321"
INFO = CallInfo(
    call_id=GOLDEN["page"]["params"]["call_id"],
    node_id=GOLDEN["page"]["params"]["node_id"],
    session_id=GOLDEN["page"]["event_channel"].removeprefix("swml:"),
    project_id=GOLDEN["page"]["project_id"],
    space_id=GOLDEN["page"]["space_id"],
    direction="outbound",
    from_=OUR_NUMBER,
    to=FAR_NUMBER,
)
FAR_INFO = CallInfo(from_=OUR_NUMBER, to=FAR_NUMBER)


def posted(event: FaxEvent) -> dict[str, Any]:
    """The event as it arrives at a status URL."""
    body = json.loads(Notice.of(event, INFO, CONTROL_ID, 1640000000.123).json())
    assert isinstance(body, dict)
    return body


def call_of_three_pages() -> tuple[Operation, Operation]:
    sending = SendFax.parse({"document": URL}).prepare(small_document(3), INFO)
    receiving = ReceiveFax.parse({}).prepare(FAR_INFO)
    assert sending.call
    assert receiving.call
    faxcore.simulate(sending.call, receiving.call)
    return sending, receiving


def same(ours: dict[str, Any], golden: dict[str, Any]) -> None:
    """Equal in value, in type and in the order of the fields."""
    assert json.dumps(ours) == json.dumps(golden)


def test_a_sent_fax_of_three_pages() -> None:
    sending, _ = call_of_three_pages()
    pages_and_end = [posted(event) for event in sending.events()]
    assert [body["params"]["fax"]["params"].get("number") for body in pages_and_end] == [1, 2, 3, None]
    same(pages_and_end[1], GOLDEN["page"])
    same(pages_and_end[3], GOLDEN["finished"])
    assert sending.variables == {
        "send_fax_document": URL,
        "send_fax_identity": OUR_NUMBER,
        "send_fax_remote_identity": FAR_NUMBER,
        "send_fax_pages": 3,
        "send_fax_result_code": 0,
        "send_fax_result_text": "Every page was confirmed",
        "send_fax_result": "success",
    }


def test_a_received_fax_is_named_when_it_is_stored() -> None:
    _, receiving = call_of_three_pages()
    assert [event.type for event in receiving.events()] == ["page"] * 3
    assert receiving.to_store
    receiving.stored("https://storage.example/faxes/5d1a5b1e.pdf")
    (last,) = receiving.events()
    same(posted(last), GOLDEN["received"])
    assert receiving.variables == {
        "receive_fax_document": "https://storage.example/faxes/5d1a5b1e.pdf",
        "receive_fax_identity": FAR_NUMBER,
        "receive_fax_remote_identity": OUR_NUMBER,
        "receive_fax_pages": 3,
        "receive_fax_result_code": 0,
        "receive_fax_result_text": "Every page was confirmed",
        "receive_fax_result": "success",
    }


def test_a_call_that_was_not_answered() -> None:
    operation = SendFax.parse({"document": URL}).prepare(small_document(1), INFO)
    operation.not_answered("busy")
    (last,) = operation.events()
    same(posted(last), GOLDEN["failed"])


def test_a_document_that_was_not_fetched() -> None:
    error = FetchError("fax_to_send.pdf", "the server answered 404", detail=100)
    operation = SendFax.parse({"document": URL}).failed(error, INFO)
    assert operation.call is None
    (last,) = operation.events()
    same(posted(last), GOLDEN["error"])
    assert operation.variables == {
        "send_fax_document": URL,
        "send_fax_identity": OUR_NUMBER,
        "send_fax_remote_identity": "",
        "send_fax_pages": 0,
        "send_fax_result_code": 41,
        "send_fax_result_text": "The document cannot be opened",
        "send_fax_result": "failed",
    }
    assert operation.result
    assert operation.result.detail == 100


def test_the_warning_of_a_script() -> None:
    with pytest.raises(SwmlError) as caught:
        SendFax.parse({})
    same(warning(caught.value, INFO, 1640000000.123), GOLDEN["warning"])


@pytest.mark.parametrize("name", FAXES)
def test_notices_are_read_back(name: str) -> None:
    body = json.dumps(GOLDEN[name])
    same(json.loads(Notice.parse(body).json()), GOLDEN[name])


def test_numbers_that_came_as_strings_are_read_too() -> None:
    body = json.loads(json.dumps(GOLDEN["finished"]))
    body["params"]["fax"]["params"] |= {"result": "1231", "pages": "1"}
    params = Notice.parse(body).params.fax.params
    assert (params.result, params.pages) == (1231, 1)


@pytest.mark.parametrize("body", ["", "[]", "{}", "3", '{"params": {"fax": {"type": "page"}}}'])
def test_what_is_no_notice_is_refused(body: str) -> None:
    with pytest.raises((ValueError, msgspec.DecodeError)):
        Notice.parse(body)


def test_an_unknown_type_of_event_is_refused() -> None:
    body = json.loads(json.dumps(GOLDEN["page"]))
    body["params"]["fax"]["type"] = "weird"
    with pytest.raises(ValueError, match="weird"):
        Notice.parse(body)
