"""What the owner of a call knows about it: the `call` object of SWML, and the ids in every event."""

from __future__ import annotations

from typing import Any

import msgspec


class CallInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One call as SWML's variables and payloads show it; everything is a string but the headers.

    `from_` and `to` are addresses; numbers default to them. `session_id` goes into `event_channel` and defaults
    to `call_id`. `headers` are the SIP headers as (name, value). `sip_data` is sent as it is, where there is one.
    """

    call_id: str = ""
    node_id: str = ""
    segment_id: str = ""
    session_id: str = ""
    project_id: str = ""
    space_id: str = ""
    call_state: str = "answered"
    direction: str = "inbound"
    type: str = "phone"
    from_: str = ""
    to: str = ""
    from_number: str = ""
    to_number: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    sip_data: dict[str, Any] | None = None

    @property
    def channel(self) -> str:
        """`event_channel` of the events of this call."""
        return f"swml:{self.session_id or self.call_id}"

    @property
    def caller_number(self) -> str:
        """The number of the calling party."""
        return self.from_number or self.from_

    @property
    def own_number(self) -> str:
        """The number at our end of the call."""
        return self.caller_number if self.direction == "outbound" else self.to_number or self.to

    def as_call(self) -> dict[str, Any]:
        """The object `call` that scripts read and `execute` posts."""
        names = ("call_id", "node_id", "segment_id", "call_state", "direction", "type")
        call: dict[str, Any] = {name: getattr(self, name) for name in names}
        call |= {"from": self.from_, "to": self.to}
        call |= {"from_number": self.caller_number, "to_number": self.to_number or self.to}
        call["headers"] = [{"name": name, "value": value} for name, value in self.headers]
        call |= {"project_id": self.project_id, "space_id": self.space_id}
        return call if self.sip_data is None else call | {"sip_data": self.sip_data}
