"""Status callbacks: their order, their tries, their signature, and what is said of those that did not arrive."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
from collections.abc import Callable
from typing import Any

import pytest

from faxcore.net import AddressPolicy, ExchangeError, HttpPoster, Poster, Retries, Undelivered
from faxcore.net.poster import Delivery
from faxcore.net.transport import Http
from faxcore.result import FaxResult, ResultCode
from faxcore.swml import CallInfo, FaxEvent, Notice
from tests.http_support import Asked, Server, fixed, reply, serving
from tests.swml_support import ALLOWED, QUICK

END = FaxEvent.finished("send", FaxResult(code=ResultCode.OK, pages=3))


def notice(event: FaxEvent | int) -> Notice:
    event = event if isinstance(event, FaxEvent) else FaxEvent.page("send", event)
    return Notice.of(event, CallInfo(call_id="c"), "k", 1.0)


def deliver(
    poster: Poster, events: list[FaxEvent | int], retries: Retries = QUICK, seconds: float = 5.0
) -> list[tuple[str, str]]:
    """Puts all events at once; gives type and cause of those that did not arrive."""

    async def run() -> tuple[Undelivered, ...]:
        delivery = Delivery(poster, "https://example.com/fax", retries)
        for event in events:
            delivery.put(notice(event))
        return await delivery.close(seconds)

    return [(one.notice.params.fax.type, one.cause) for one in asyncio.run(run())]


class Receiver:
    """A poster that takes what it is brought, after what `trouble` does with the number of the try."""

    def __init__(self, trouble: Callable[[int], None] = lambda _: None) -> None:
        self.tries, self.taken, self._trouble = 0, [], trouble

    async def post(self, url: str, body: bytes) -> None:
        self.tries += 1
        await asyncio.sleep(0.001)
        self._trouble(self.tries)
        event = Notice.parse(body).params.fax
        self.taken.append(event.params.number if event.type == "page" else event.type)

    taken: list[int | str]


def fail(*tries: int, transient: bool = True) -> Callable[[int], None]:
    def trouble(number: int) -> None:
        if number in tries:
            raise ExchangeError(f"try {number} failed", transient=transient)

    return trouble


def test_in_order() -> None:
    receiver = Receiver()
    assert deliver(receiver, [1, 2, 3, END]) == []
    assert receiver.taken == [1, 2, 3, "finished"]


def test_order_is_kept_over_tries() -> None:
    receiver = Receiver(fail(1, 3, 4))
    assert deliver(receiver, [1, 2, 3, END]) == []
    assert receiver.taken == [1, 2, 3, "finished"]
    assert receiver.tries == 7


def test_after_one_given_up_pages_get_one_try_and_the_end_all() -> None:
    receiver = Receiver(fail(*range(1, 7)))
    assert deliver(receiver, [1, 2, 3, END]) == [
        ("page", "try 3 failed"),
        ("page", "try 4 failed"),
        ("page", "try 5 failed"),
    ]
    assert receiver.taken == ["finished"]


def test_a_server_that_is_back_gets_all_tries_again() -> None:
    receiver = Receiver(fail(1, 2, 3, 5))
    assert deliver(receiver, [1, 2, 3, END]) == [("page", "try 3 failed")]
    assert receiver.taken == [2, 3, "finished"]


def test_what_will_not_be_better_is_not_tried_again() -> None:
    receiver = Receiver(fail(1, transient=False))
    assert deliver(receiver, [1, END]) == [("page", "try 1 failed")]
    assert receiver.tries == 2


def test_any_exception_of_a_poster_is_told() -> None:
    def trouble(_: int) -> None:
        raise KeyError("status")

    assert deliver(Receiver(trouble), [END]) == [("finished", "'status'")]


def test_the_end_does_not_wait_for_ever() -> None:
    class Stuck:
        async def post(self, url: str, body: bytes) -> None:
            await asyncio.sleep(60)

    cause = "did not arrive within 0.1 s of the call's end"
    assert deliver(Stuck(), [1, 2, END], seconds=0.1) == [("page", cause), ("page", cause), ("finished", cause)]


def test_notices_from_another_thread() -> None:
    receiver = Receiver()

    async def run() -> tuple[Undelivered, ...]:
        delivery = Delivery(receiver, "https://example.com/fax", QUICK)
        thread = threading.Thread(target=lambda: [delivery.put(notice(number)) for number in range(1, 101)])
        thread.start()
        await asyncio.to_thread(thread.join)
        delivery.put(notice(END))
        return await delivery.close(5)

    assert asyncio.run(run()) == ()
    assert receiver.taken == [*range(1, 101), "finished"]


def test_no_task_is_left() -> None:
    async def run() -> int:
        delivery = Delivery(Receiver(), "https://example.com/fax", QUICK)
        delivery.put(notice(1))
        task = asyncio.create_task(delivery.close(60))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return len(asyncio.all_tasks())

    assert asyncio.run(run()) == 1


# ---- over HTTP


def post(answer: Any, *, secret: bytes | None = None, policy: AddressPolicy = ALLOWED) -> tuple[Exception | None, Any]:
    """One post to a server: what was raised, and the server."""

    async def run() -> tuple[Exception | None, Server]:
        async with serving(answer) as server, Http(policy) as http:
            try:
                await HttpPoster(http, secret=secret, timeout=0.2).post(server.url("/fax?a=b"), notice(END).json())
            except Exception as fault:
                return fault, server
            return None, server

    return asyncio.run(run())


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_post(status: int) -> None:
    fault, server = post(fixed({"/fax?a=b": reply(status)}))
    assert fault is None
    (asked,) = server.asked
    assert (asked.method, asked.target) == ("POST", "/fax?a=b")
    assert asked.headers["content-type"] == "application/json"
    assert "x-faxcore-signature" not in asked.headers
    assert asked.body == notice(END).json()


def test_the_signature() -> None:
    _, server = post(fixed({"/fax?a=b": reply(200)}), secret=b"between us")
    (asked,) = server.asked
    expected = hmac.new(b"between us", asked.body, hashlib.sha256).hexdigest()
    assert asked.headers["x-faxcore-signature"] == f"sha256={expected}"


@pytest.mark.parametrize(
    ("status", "transient"), [(500, True), (503, True), (429, True), (400, False), (404, False), (302, False)]
)
def test_an_answer_that_is_no_receipt(status: int, transient: bool) -> None:
    fault, server = post(fixed({"/fax?a=b": reply(status, Location="/other")}))
    assert isinstance(fault, ExchangeError)
    assert (str(status) in str(fault), fault.transient) == (True, transient)
    assert len(server.asked) == 1


def test_a_slow_server() -> None:
    async def answer(_: Asked, writer: Any) -> None:
        await asyncio.sleep(60)

    fault, _ = post(answer)
    assert isinstance(fault, ExchangeError)
    assert fault.transient


def test_a_status_url_into_the_inside_is_not_asked() -> None:
    fault, server = post(fixed({}), policy=AddressPolicy())
    assert "no public address" in str(fault)
    assert server.connections == 0
