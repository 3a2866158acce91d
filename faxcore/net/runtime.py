"""A small reference runtime of SWML: runs a script over a FaxService; the owner carries the calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from faxcore import extras
from faxcore.errors import SwmlError
from faxcore.net.retry import ExchangeError, Retries
from faxcore.net.service import Fax, FaxOutcome, FaxService
from faxcore.options import T38, Audio
from faxcore.swml import CallInfo, ReceiveFax, SendFax
from faxcore.swml.interpreter import Interpreter, Post, RunFax, Warn, Wish
from faxcore.swml.script import LONGEST, Script
from faxcore.swml.urls import without_credentials
from faxcore.swml.variables import Scopes

FAILED = "relay_script_method_execute_failed"
HEADERS = {"Content-Type": "application/json", "Accept": "application/json, application/yaml, text/x-yaml",
           "Accept-Encoding": "identity"}  # fmt: skip

Carry = Callable[[Fax], Awaitable[None]]
"""Carries `fax.call` to its end and polls the fax; it is called only where there is a call."""


@dataclass(slots=True)
class ScriptOutcome:
    """What a script left: its variables, its faxes in order, its errors in order."""

    variables: dict[str, Any]
    faxes: list[FaxOutcome] = field(default_factory=list)
    errors: list[SwmlError] = field(default_factory=list)

    @property
    def success(self) -> bool:
        """True if every fax was one and the script had no errors."""
        return not self.errors and all(fax.result.success for fax in self.faxes)


class Runtime:
    """Runs the scripts of one call.

    `info` is what is known of the call, `envs` what its owner has configured, `carrier` that of its faxes. `warn`
    is told each error of the script as it happens. `seconds` bound an `execute` with all its tries; `retries` are
    those after transient faults.
    """

    def __init__(
        self,
        service: FaxService,
        carry: Carry,
        info: CallInfo | None = None,
        *,
        envs: dict[str, Any] | None = None,
        carrier: Audio | T38 | None = None,
        warn: Callable[[SwmlError], None] = lambda _: None,
        seconds: float = 30.0,
        retries: Retries | None = None,
    ) -> None:
        self._service, self._carry, self._carrier, self._warn = service, carry, carrier, warn
        self._info = info or CallInfo()
        self._interpreter = Interpreter(self._info, Scopes(envs=envs or {}))
        self._seconds, self._retries = seconds, retries or Retries(attempts=3)

    async def run(self, script: Script) -> ScriptOutcome:
        """Runs a script to its end. Cancelling ends a call that is carried."""
        outcome = ScriptOutcome(self._interpreter.scopes.vars)
        running = self._interpreter.run(script)
        answer: Any = None
        fault: SwmlError | None = None
        while True:
            try:
                wish = running.throw(fault) if fault is not None else running.send(answer)
            except StopIteration:
                return outcome
            answer = fault = None
            try:
                answer = await self._granted(wish, outcome)
            except SwmlError as error:
                fault = error

    async def _granted(self, wish: Wish, outcome: ScriptOutcome) -> Any:
        match wish:
            case Warn(error=error):
                outcome.errors.append(error)
                self._warn(error)
                return None
            case RunFax(method=method):
                outcome.faxes.append(await self._fax(method))
                return outcome.faxes[-1].variables
            case Post(url=url, body=body):
                return await self._post(url, msgspec.json.encode(body))

    async def _fax(self, method: SendFax | ReceiveFax) -> FaxOutcome:
        async with self._service.fax(method, self._info, carrier=self._carrier) as fax:
            if fax.call is not None:
                await self._carry(fax)
        return fax.outcome

    async def _post(self, url: str, body: bytes) -> str:
        try:
            async with asyncio.timeout(self._seconds):
                async for attempt in self._retries.tries():
                    with attempt:
                        answer = await self._exchange(url, body)
            return answer.decode()
        except TimeoutError as fault:
            raise SwmlError(FAILED, f"{without_credentials(url)} took longer than {self._seconds:g} s") from fault
        except (ExchangeError, UnicodeDecodeError) as fault:
            raise SwmlError(FAILED, f"{without_credentials(url)}: {fault}") from fault

    async def _exchange(self, url: str, body: bytes) -> bytes:
        transport = extras.load("faxcore.net.transport")
        there = transport.parse_url(url)
        asking = self._service.http.exchange("POST", there, headers=HEADERS, body=body, timeout=self._seconds / 3)
        async with asking as response:
            transport.check_status(response)
            answer: bytes = await transport.read_body(response, LONGEST)
            return answer
