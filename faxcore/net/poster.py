"""Status callbacks: in order, tried again, and never in the way of the call."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from faxcore import extras
from faxcore.net.retry import ExchangeError, Retries
from faxcore.swml import Notice

if TYPE_CHECKING:
    from faxcore.net.transport import Http

SIGNATURE = "X-Faxcore-Signature"


class Poster(Protocol):
    """What brings the body of a notice to a status URL, in one try.

    ExchangeError says why it did not arrive, and whether another try may help; any other exception is taken for
    one after which no other try helps.
    """

    async def post(self, url: str, body: bytes) -> None: ...


class HttpPoster:
    """POSTs of JSON; every answer from 200 to 299 is a receipt.

    `secret` signs the body: the header X-Faxcore-Signature is "sha256=" and the HMAC-SHA256 in hexadecimal digits.
    `timeout` is in seconds, for connecting and for each read.
    """

    def __init__(self, http: Http, *, secret: bytes | None = None, timeout: float = 10.0) -> None:
        self._http, self._secret, self._timeout = http, secret, timeout

    async def post(self, url: str, body: bytes) -> None:
        transport = extras.load("faxcore.net.transport")
        headers = {"Content-Type": "application/json"}
        if self._secret is not None:
            headers[SIGNATURE] = f"sha256={hmac.new(self._secret, body, hashlib.sha256).hexdigest()}"
        async with asyncio.timeout(2 * self._timeout):  # also for an answer that drips
            there = transport.parse_url(url)
            async with self._http.exchange(
                "POST", there, headers=headers, body=body, timeout=self._timeout
            ) as response:
                transport.check_status(response)


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A notice that did not arrive, and why."""

    notice: Notice
    cause: str


class Delivery:
    """The notices of one fax on their way to its status URL, one after the other.

    After one that was given up, pages get one try each until one arrives; the last event gets all tries always.
    """

    def __init__(self, poster: Poster, url: str, retries: Retries) -> None:
        self._poster, self._url, self._retries = poster, url, retries
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Notice] = asyncio.Queue()
        self._undelivered: list[Undelivered] = []
        self._in_hand: Notice | None = None
        self._down = False
        self._task = self._loop.create_task(self._run(), name=f"faxcore notices to {url}")

    def put(self, notice: Notice) -> None:
        """Queues a notice; returns at once, in any thread."""
        self._loop.call_soon_threadsafe(self._queue.put_nowait, notice)

    async def close(self, seconds: float) -> tuple[Undelivered, ...]:
        """Waits for the deliveries, at most so long, and gives what did not arrive. Cancelled, it waits no longer."""
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await asyncio.sleep(0)  # let what was put from this thread reach the queue
                    await self._queue.join()
        finally:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._leave(f"did not arrive within {seconds:g} s of the call's end")
        return self.undelivered

    @property
    def undelivered(self) -> tuple[Undelivered, ...]:
        """What was given up so far."""
        return tuple(self._undelivered)

    def _leave(self, cause: str) -> None:
        """Gives up what was not tried to the end."""
        waiting = [] if self._in_hand is None else [self._in_hand]
        self._in_hand = None
        while not self._queue.empty():
            waiting.append(self._queue.get_nowait())
        self._undelivered += [Undelivered(notice, cause) for notice in waiting]

    async def _run(self) -> None:
        while True:
            self._in_hand = await self._queue.get()
            await self._deliver(self._in_hand)
            self._in_hand = None
            self._queue.task_done()

    async def _deliver(self, notice: Notice) -> None:
        once = self._down and not notice.params.fax.last
        retries = Retries(attempts=1) if once else self._retries
        try:
            async for attempt in retries.tries():
                with attempt:
                    await self._post(notice)
            self._down = False
        except Exception as fault:
            self._down = True
            self._undelivered.append(Undelivered(notice, str(fault) or type(fault).__name__))

    async def _post(self, notice: Notice) -> None:
        try:
            await self._poster.post(self._url, notice.json())
        except TimeoutError as fault:
            raise ExchangeError("the server took too long", transient=True) from fault
