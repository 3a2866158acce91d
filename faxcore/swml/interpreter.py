"""Running a script without any input or output: it yields what it wishes to have done and is told what came of it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from faxcore.errors import SwmlError
from faxcore.result import FaxResult, ResultCode
from faxcore.swml.info import CallInfo
from faxcore.swml.methods import INVALID, ReceiveFax, SendFax, parse_params
from faxcore.swml.script import Script, Step, steps
from faxcore.swml.urls import checked_url
from faxcore.swml.variables import Scopes

DEEPEST = 16
"""Scripts and sections that may be within each other."""
MOST_STEPS = 1000


@dataclass(frozen=True, slots=True)
class RunFax:
    """Run a fax; the answer is its variables."""

    method: SendFax | ReceiveFax


@dataclass(frozen=True, slots=True)
class Post:
    """POST `body` to a URL; the answer is the text that came back. SwmlError may be thrown in."""

    url: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Warn:
    """Tell of an error; the script goes on, and the answer is None."""

    error: SwmlError


Wish = RunFax | Post | Warn
Running = Generator[Wish, Any, None]


class _Return(Exception):  # noqa: N818 - no error
    """`return` was reached."""


class _HangUp(Exception):  # noqa: N818 - no error
    """`hangup` was reached, or the script that `transfer` led to has ended."""


class Execute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of `execute`."""

    dest: str
    params: Any = {}
    meta: Any = None
    on_return: list[Any] = []


class Transfer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of `transfer`."""

    dest: str
    params: Any = {}
    meta: Any = None


@dataclass
class Interpreter:
    """One call's scripts. `scopes.vars` has every variable that was set, and lives as long as the call."""

    info: CallInfo
    scopes: Scopes = field(default_factory=Scopes)
    _steps: int = 0
    _depth: int = 0

    def __post_init__(self) -> None:
        self.scopes.call = self.info.as_call()

    def run(self, script: Script) -> Running:
        """Runs the section `main`. An error of a step is told, kept as `script_error`, and the next step follows."""
        try:
            yield from self._section(script, "main")
        except (_Return, _HangUp):
            return

    def _section(self, script: Script, name: str) -> Running:
        yield from self._run(script, script.sections[name])

    def _run(self, script: Script, some: list[Step]) -> Running:
        for name, params in some:
            self._steps += 1
            if self._steps > MOST_STEPS:
                code = "relay_script_too_many_transfers"
                yield from self._warn(SwmlError(code, f"the script runs more than {MOST_STEPS} steps"))
                raise _HangUp
            try:
                yield from self._step(script, name, params)
            except SwmlError as error:
                yield from self._warn(error)

    def _warn(self, error: SwmlError) -> Running:
        self.scopes.vars.setdefault("script_error", error.code)
        yield Warn(error)

    def _step(self, script: Script, name: str, params: Any) -> Running:
        match name:
            case "send_fax":
                yield from self._fax(SendFax, params)
            case "receive_fax":
                yield from self._fax(ReceiveFax, params)
            case "execute":
                yield from self._execute(script, params)
            case "transfer":
                yield from self._transfer(script, params)
            case "set":
                self.scopes.vars |= _mapping("set", self.scopes.substitute(params))
            case "unset":
                self._unset(params)
            case "answer":
                self.scopes.vars["answer_result"] = "success"
            case "return":
                self.scopes.vars["return_value"] = self.scopes.substitute(params)
                raise _Return
            case "hangup":
                raise _HangUp
            case _:
                raise SwmlError("relay_script_method_undefined", f"this runtime has no method {name[:50]!r}")

    def _fax(self, kind: type[SendFax | ReceiveFax], params: Any) -> Running:
        try:
            method = kind.parse(self.scopes.substitute(params))
        except SwmlError:
            code = ResultCode.FILEERROR if kind is SendFax else ResultCode.CALLDROPPED
            self.scopes.vars |= FaxResult(code=code).variables(kind.name)
            raise
        self.scopes.vars |= yield RunFax(method)

    def _unset(self, params: Any) -> None:
        names = self.scopes.substitute(params)
        for name in [names] if isinstance(names, str) else names if isinstance(names, list) else []:
            self.scopes.vars.pop(str(name), None)

    def _execute(self, script: Script, params: Any) -> Running:
        wanted = parse_params("execute", {"dest": params} if isinstance(params, str) else params, Execute)
        on_return = steps("execute.on_return", wanted.on_return)
        yield from self._go(script, wanted.dest, wanted.params)
        yield from self._run(script, on_return)

    def _transfer(self, script: Script, params: Any) -> Running:
        wanted = parse_params("transfer", {"dest": params} if isinstance(params, str) else params, Transfer)
        yield from self._go(script, wanted.dest, wanted.params)
        raise _HangUp

    def _go(self, script: Script, dest: str, params: Any) -> Running:
        """Runs what a destination names, with params of its own, and comes back."""
        if self._depth >= DEEPEST:
            raise SwmlError("relay_script_nested_too_deep", f"scripts run {DEEPEST} deep within each other")
        outer = self.scopes.params
        dest, given = str(self.scopes.substitute(dest)), _mapping("params", self.scopes.substitute(params))
        self.scopes.params, self._depth = given, self._depth + 1
        self.scopes.vars.pop("return_value", None)
        try:
            yield from self._there(script, dest)
        except _Return:
            pass
        finally:
            self.scopes.params, self._depth = outer, self._depth - 1

    def _there(self, script: Script, dest: str) -> Running:
        if dest.lower().startswith(("http://", "https://")):
            checked_url("execute.dest", dest, ("http", "https"))
            answer = yield Post(dest, self.request())
            if answer.strip():
                yield from self._section(Script.parse(answer), "main")
        elif dest in script.sections:
            yield from self._section(script, dest)
        elif dest.lstrip()[:1] in ("{", "[") or "\n" in dest:
            yield from self._section(Script.parse(dest), "main")
        else:
            known = ", ".join(script.sections)
            code = "relay_script_section_parameter_undefined" if "/" not in dest else INVALID
            raise SwmlError(code, f"{dest[:100]!r} is neither a section ({known}) nor a URL of http or https")

    def request(self) -> dict[str, Any]:
        """The body that `execute` posts to a URL."""
        scopes = self.scopes
        return {"call": scopes.call, "vars": dict(scopes.vars), "params": scopes.params, "envs": scopes.envs}


def _mapping(method: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise SwmlError(INVALID, f"{method} takes an object with values")
    return cast("dict[str, Any]", given)
