"""SWML's fax methods with everything around the call: the document, the status callbacks, the storage.

    async with FaxService(storage=FolderStorage("faxes")) as service, service.fax(method, info) as fax:
        if fax.call:                      # None: the document cannot be had, and the fax has ended
            ...                           # carry the call, and poll as often as events are wanted
            fax.poll()
    fax.outcome.variables

The owner carries `fax.call`; the service never touches it while he does. Leaving the block early, also by
cancellation, ends the call.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from faxcore import extras
from faxcore.call import FaxCall
from faxcore.document import Document, Limits, open_document
from faxcore.errors import CallError, DocumentError
from faxcore.events import Event
from faxcore.net.fetch import FetchLimits, document_name, fetched
from faxcore.net.guard import AddressPolicy
from faxcore.net.poster import Delivery, HttpPoster, Poster, Undelivered
from faxcore.net.retry import Retries
from faxcore.net.storage import FolderStorage, Storage
from faxcore.options import T38, Audio, Options
from faxcore.result import FaxResult
from faxcore.swml import CallInfo, Notice, Operation, ReceiveFax, SendFax

if TYPE_CHECKING:
    from faxcore.net.transport import Http

OPENERS = 4
"""Threads that wait for the drawing process; there is one of that."""

CANCELLED_WAIT = 3.0
"""Seconds for the last notices of a call whose owner was cancelled."""


@dataclass(frozen=True, slots=True)
class FaxOutcome:
    """What is left of a fax: its result, the variables of the method, the notices that did not arrive."""

    result: FaxResult
    variables: dict[str, str | int]
    undelivered: tuple[Undelivered, ...] = ()


class Fax:
    """One fax of a service: `call` for its owner to carry, or None where there is nothing to carry."""

    def __init__(
        self,
        operation: Operation,
        info: CallInfo,
        control_id: str,
        *,
        delivery: Delivery | None,
        clock: Callable[[], float],
    ) -> None:
        self.info, self.control_id = info, control_id
        self._operation, self._delivery, self._clock = operation, delivery, clock
        self._outcome: FaxOutcome | None = None

    @property
    def call(self) -> FaxCall | None:
        """The call, until it is known that it cannot be made."""
        return self._operation.call

    @property
    def sends(self) -> bool:
        """True where our end sends."""
        return self._operation.direction == "send"

    @property
    def outcome(self) -> FaxOutcome:
        """How it ended. CallError before the block is left."""
        if self._outcome is None:
            raise CallError("a fax has no outcome before its block is left")
        return self._outcome

    def poll(self) -> list[Notice]:
        """Takes the new events off the call and on their way; never blocks. In the thread that carries the call."""
        now = self._clock()
        notices = [Notice.of(event, self.info, self.control_id, now) for event in self._operation.events()]
        for notice in notices:
            if self._delivery is not None:
                self._delivery.put(notice)
        return notices

    def not_answered(self, cause: str | int) -> None:
        """The far end did not answer, was busy or refused: a hang-up cause as `FaxResult.not_answered` takes it."""
        self._operation.not_answered(cause)

    async def _end(self, storage: Storage, seconds: float) -> None:
        """Ends the call if its owner did not, stores, tells, and waits for the last notices."""
        if self.call is not None and not self.call.finished:
            self.call.hang_up()
            self.call.line_dropped()
        try:
            self.poll()
            if self._operation.to_store:
                await self._store(storage)
            self.poll()
            if self._delivery is not None:
                await self._delivery.close(seconds)
        finally:
            await self._leave()

    async def _leave(self) -> None:
        """Lets the deliveries go, also where waiting for them was cancelled, and says how it ended."""
        if self._delivery is not None:
            await self._delivery.close(0)
        result = self._operation.result
        if result is not None:  # None: cancelled while storing
            undelivered = () if self._delivery is None else self._delivery.undelivered
            self._outcome = FaxOutcome(result, self._operation.variables, undelivered)

    async def _store(self, storage: Storage) -> None:
        if self.call is None:
            raise AssertionError("what is to be stored came by a call")
        try:
            self._operation.stored(await storage.store(self.call.document, self.control_id))
        except Exception as fault:  # the owner's storage: whatever went wrong, the far end did its part
            self._operation.not_stored(str(fault) or type(fault).__name__)


class FaxService:
    """What the faxes of one event loop share.

    `policy` says which hosts documents and status URLs may lead to. `storage` keeps received documents, by
    default in the working folder; `poster` brings notices, by default by HTTP, signed where there is a `secret`.
    `limits` bound the fetching, `document_limits` the drawing. `retries` are those of a notice, and `wait` is how
    many seconds the end of a fax waits for its last notices. `clock` gives Unix seconds.
    """

    def __init__(
        self,
        *,
        policy: AddressPolicy | None = None,
        limits: FetchLimits | None = None,
        document_limits: Limits | None = None,
        storage: Storage | None = None,
        poster: Poster | None = None,
        secret: bytes | None = None,
        retries: Retries | None = None,
        wait: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._policy, self._limits, self._document_limits = policy or AddressPolicy(), limits, document_limits
        self._storage, self._poster, self._secret = storage or FolderStorage("."), poster, secret
        self._retries, self._wait, self._clock = retries or Retries(attempts=5), wait, clock
        self._http: Http | None = None
        self._openers = ThreadPoolExecutor(OPENERS, "faxcore documents")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._openers.shutdown(wait=False, cancel_futures=True)
        if self._http is not None:
            await self._http.__aexit__()

    @property
    def http(self) -> Http:
        """What makes the requests. ImportError where the extra `swml` is not installed."""
        if self._http is None:
            http: Http = extras.load("faxcore.net.transport").Http(self._policy)
            self._http = http
        return self._http

    @contextlib.asynccontextmanager
    async def fax(
        self,
        method: SendFax | ReceiveFax,
        info: CallInfo | None = None,
        *,
        options: Options | None = None,
        carrier: Audio | T38 | None = None,
        control_id: str | None = None,
        watch: Callable[[Event], None] | None = None,
    ) -> AsyncIterator[Fax]:
        """A fax, its document fetched, counted and its first page drawn before a far end is kept waiting.

        `watch` is told each event of the call when the fax is polled, such as `faxcore.events.T38Wanted`.
        ValueError for options that the engine refuses; everything else that goes wrong is in the outcome.
        """
        info = info or CallInfo()
        operation = await self._prepared(method, info, options, carrier)
        operation.watch = watch
        control_id = control_id or str(uuid.uuid4())
        fax = Fax(operation, info, control_id, delivery=self._delivery(method.status_url), clock=self._clock)
        wait = self._wait
        try:
            yield fax
        except BaseException:
            wait = min(wait, CANCELLED_WAIT)
            raise
        finally:
            await fax._end(self._storage, wait)

    def _delivery(self, url: str | None) -> Delivery | None:
        if url is None:
            return None
        return Delivery(self._poster or HttpPoster(self.http, secret=self._secret), url, self._retries)

    async def _prepared(
        self, method: SendFax | ReceiveFax, info: CallInfo, options: Options | None, carrier: Audio | T38 | None
    ) -> Operation:
        if isinstance(method, ReceiveFax):
            return method.prepare(info, options=options, carrier=carrier)
        try:
            document = await self._document(method.document, options or Options())
        except DocumentError as fault:
            return method.failed(fault, info)
        date = datetime.fromtimestamp(self._clock())
        return method.prepare(document, info, options=options, carrier=carrier, date=date)

    async def _document(self, url: str, options: Options) -> Document:
        async with fetched(url, self.http, self._limits) as path:
            opened = partial(self._opened, path, document_name(url), options.resolution)
            return await asyncio.get_running_loop().run_in_executor(self._openers, opened)

    def _opened(self, path: Path, name: str, resolution: str) -> Document:
        document = open_document(path, name=name, resolution=resolution, limits=self._document_limits)
        document.draw_first()
        return document
