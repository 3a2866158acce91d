"""`send_fax` and `receive_fax`: their parameters, checked, and the call that they ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar

import msgspec

from faxcore.call import FaxCall
from faxcore.document import AnyDocument
from faxcore.errors import DocumentError, FetchError, SwmlError
from faxcore.options import T38, Audio, Options
from faxcore.result import DETAIL_UNREADABLE, FaxResult, ResultCode
from faxcore.swml.info import CallInfo
from faxcore.swml.operation import Operation
from faxcore.swml.urls import checked_url, without_credentials

Carrier = Audio | T38
Struct = TypeVar("Struct", bound=msgspec.Struct)

MISSING = "relay_script_method_parameter_missing"
UNDEFINED = "relay_script_method_parameter_undefined"
INVALID = "relay_script_method_parameter_invalid_value"

IDENTITY_LENGTH = 20
"""Characters of a station identity [T.30 5.3.6.2.4]."""


class Method(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What both methods share."""

    name: ClassVar[str]
    direction: ClassVar[str]

    status_url: str | None = None

    @classmethod
    def parse(cls, params: object = None) -> Self:
        """The method from its parameters: a mapping, the whole step, its bare name, or None for no parameters.

        SwmlError names what is missing, unknown or invalid.
        """
        if params is None or params == cls.name:
            params = {}
        if isinstance(params, Mapping) and set(params) == {cls.name}:
            params = {} if params[cls.name] is None else params[cls.name]
        method = parse_params(cls.name, params, cls)
        if method.status_url is not None:
            checked_url(f"{cls.name}.status_url", method.status_url, ("http", "https"))
        return method


class SendFax(Method, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`send_fax`: the URL of a document, the text of its header line, our identity, where the events go.

    `identity` is at most 20 printable ASCII characters; None is the caller's number.
    """

    name: ClassVar[str] = "send_fax"
    direction: ClassVar[str] = "send"

    document: str
    header_info: str = ""
    identity: str | None = None

    @classmethod
    def parse(cls, params: object = None) -> Self:
        """As `Method.parse`; a bare string that is not the name is the URL of the document."""
        if isinstance(params, str) and params != cls.name:
            params = {"document": params}
        method = super().parse(params)
        checked_url("send_fax.document", method.document, ("http", "https", "file"))
        if method.identity and not _is_identity(method.identity):
            most = f"at most {IDENTITY_LENGTH} printable ASCII characters"
            raise SwmlError(INVALID, f"send_fax.identity must be {most}, not {method.identity!r}")
        return method

    @property
    def reported_document(self) -> str:
        """The URL as variables and events show it: a user name and password are the fetcher's alone."""
        return without_credentials(self.document)

    def station(self, info: CallInfo) -> str:
        """Our identity on this call."""
        return self.identity or _usable(info.caller_number)

    def prepare(
        self,
        document: AnyDocument,
        info: CallInfo | None = None,
        *,
        options: Options | None = None,
        carrier: Carrier | None = None,
        date: datetime | None = None,
    ) -> Operation:
        """The operation with its call, ready to be carried; `date` is what the header line shows. ValueError."""
        info = info or CallInfo()
        identity = self.station(info)
        call = FaxCall.send(
            document,
            identity=identity,
            header_info=self.header_info,
            options=options,
            carrier=carrier,
            date=date,
        )
        return Operation(self.name, self.direction, call, identity=identity, document=self.reported_document)

    def failed(self, error: DocumentError, info: CallInfo | None = None) -> Operation:
        """The operation that ended before a call was made: an `error` event, and every variable set."""
        detail = error.detail if isinstance(error, FetchError) else DETAIL_UNREADABLE
        result = FaxResult(
            code=ResultCode(error.code),
            identity=self.station(info or CallInfo()),
            document=self.reported_document,
            detail=detail,
            note=str(error),
        )
        return Operation.failed(self.name, self.direction, result, str(error))


class ReceiveFax(Method, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`receive_fax`: where the events go."""

    name: ClassVar[str] = "receive_fax"
    direction: ClassVar[str] = "receive"

    def station(self, info: CallInfo) -> str:
        """Our identity on this call: the number at our end."""
        return _usable(info.own_number)

    def prepare(
        self, info: CallInfo | None = None, *, options: Options | None = None, carrier: Carrier | None = None
    ) -> Operation:
        """The operation with its call, ready to be carried. ValueError."""
        identity = self.station(info or CallInfo())
        call = FaxCall.receive(identity=identity, options=options, carrier=carrier)
        return Operation(self.name, self.direction, call, identity=identity)


def parse_params(method: str, params: object, into: type[Struct]) -> Struct:
    """Parameters checked by the types of a struct. SwmlError."""
    if not isinstance(params, Mapping):
        raise SwmlError(INVALID, f"{method} takes an object with parameters, not {_shown(params)}")
    try:
        return msgspec.convert(params, into)
    except msgspec.ValidationError as fault:
        raise _named(method, params, str(fault)) from fault


def _named(method: str, params: Mapping[Any, Any], fault: str) -> SwmlError:
    """msgspec's words as SWML's error."""
    if missing := re.search(r"missing required field `(.*)`", fault):
        return SwmlError(MISSING, f"{method}.{missing[1]} is missing")
    if unknown := re.search(r"unknown field `(.*)`", fault):
        return SwmlError(UNDEFINED, f"{method} has no parameter {unknown[1]}")
    if (where := re.search(r"`\$\.(\w+)`$", fault)) and where[1] in params:
        given = params[where[1]]
        hint = _yaml_hint(given) if "Expected `str" in fault else ""
        wanted = "a string" if "Expected `str" in fault else fault.partition(" - at")[0].removeprefix("Expected ")
        return SwmlError(INVALID, f"{method}.{where[1]} must be {wanted}, not {_shown(given)}{hint}")
    return SwmlError(INVALID, f"{method}: {fault}")


def _shown(value: object) -> str:
    kinds = {bool: "the truth value", int: "the number", float: "the number", str: "the string"}
    if type(value) in kinds:
        return f"{kinds[type(value)]} {str(value).lower() if isinstance(value, bool) else repr(value)[:80]}"
    return "nothing" if value is None else "an object" if isinstance(value, Mapping) else "a list"


def _yaml_hint(value: object) -> str:
    """YAML 1.1 reads unquoted phone numbers, 0755, 12:30 and no as something else than text."""
    if isinstance(value, bool):
        return ": YAML reads yes, no, on and off without quotes as truth values, so write it in quotes"
    if isinstance(value, int | float):
        return ": YAML reads digits without quotes as a number, so write phone numbers in quotes"
    return ""


def _is_identity(text: str) -> bool:
    return len(text) <= IDENTITY_LENGTH and text.isascii() and text.isprintable()


def _usable(number: str) -> str:
    """A number as an identity; the user part of a SIP address, nothing where there is no such thing."""
    user = re.sub(r"^sips?:|^tel:", "", number).partition("@")[0]
    return user if _is_identity(user) else ""
