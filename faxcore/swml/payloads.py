"""The payloads of `calling.call.fax` and `calling.script.warning`: field names, types and nesting are the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from faxcore.errors import SwmlError
from faxcore.result import FaxResult
from faxcore.swml.info import CallInfo


class PageParams(msgspec.Struct, frozen=True):
    """A page that was confirmed; `number` counts from 1."""

    direction: str
    number: int


class FinishedParams(msgspec.Struct, frozen=True):
    """How the fax ended."""

    direction: str
    identity: str
    remote_identity: str
    document: str
    pages: int
    success: bool
    result: int
    result_text: str
    format: str = "pdf"


class ErrorParams(msgspec.Struct, frozen=True):
    """Why there was no fax."""

    description: str


PARAMS: dict[str, type[msgspec.Struct]] = {"page": PageParams, "finished": FinishedParams, "error": ErrorParams}


class FaxEvent(msgspec.Struct, frozen=True):
    """`params.fax` of a notice: `type` is "page", "finished" or "error", `params` the PageParams and so on of it."""

    type: str
    params: Any

    @classmethod
    def page(cls, direction: str, number: int) -> FaxEvent:
        """A page was confirmed."""
        return cls("page", PageParams(direction, number))

    @classmethod
    def finished(cls, direction: str, result: FaxResult) -> FaxEvent:
        """The fax ended, well or not."""
        stations = (result.identity, result.remote_identity, result.document)
        params = FinishedParams(direction, *stations, result.pages, result.success, int(result.code), result.text)
        return cls("finished", params)

    @classmethod
    def error(cls, description: str) -> FaxEvent:
        """The fax could not be tried."""
        return cls("error", ErrorParams(description))

    @property
    def last(self) -> bool:
        """True if no event follows."""
        return self.type != "page"


class NoticeParams(msgspec.Struct, frozen=True):
    """The operation that an event is about."""

    call_id: str
    node_id: str
    control_id: str
    fax: FaxEvent


class Notice(msgspec.Struct, frozen=True):
    """The body of a POST to `status_url`. `timestamp` is in Unix seconds."""

    event_type: str
    event_channel: str
    timestamp: float
    project_id: str
    space_id: str
    params: NoticeParams

    @classmethod
    def of(cls, event: FaxEvent, info: CallInfo, control_id: str, timestamp: float) -> Notice:
        """The notice of an event."""
        params = NoticeParams(info.call_id, info.node_id, control_id, event)
        return cls("calling.call.fax", info.channel, timestamp, info.project_id, info.space_id, params)

    @classmethod
    def parse(cls, body: bytes | str | Mapping[str, Any]) -> Notice:
        """A notice from JSON or from an object, for those who receive it; numbers may be strings. ValueError."""
        found = msgspec.json.decode(body) if isinstance(body, bytes | str) else body
        notice = msgspec.convert(found, cls, strict=False)
        event = notice.params.fax
        if event.type not in PARAMS:
            raise ValueError(f"fax.type is {', '.join(PARAMS)}, not {event.type!r}")
        params = msgspec.convert(event.params, PARAMS[event.type], strict=False)
        event = msgspec.structs.replace(event, params=params)
        return msgspec.structs.replace(notice, params=msgspec.structs.replace(notice.params, fax=event))

    def json(self) -> bytes:
        """The octets of the POST."""
        return msgspec.json.encode(self)


def warning(error: SwmlError, info: CallInfo, timestamp: float) -> dict[str, Any]:
    """The event `calling.script.warning` of an error of the script."""
    return {
        "event_type": "calling.script.warning",
        "event_channel": info.channel,
        "timestamp": timestamp,
        "project_id": info.project_id,
        "space_id": info.space_id,
        "params": {
            "call_id": info.call_id,
            "node_id": info.node_id,
            "code": error.code,
            "message": error.description,
        },
    }
