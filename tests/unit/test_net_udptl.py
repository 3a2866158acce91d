"""T.38 calls over loopback sockets. The event loop's clock jumps from timer to timer, so a call takes no time."""

from __future__ import annotations

import asyncio
import io
import selectors
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import faxcore
from faxcore.net.udptl import UdptlCall, is_t38, parse_url
from faxcore.result import ResultCode
from faxcore.t38 import pcap, udptl
from tests.support_calls import small_document, small_page


class Jumping(selectors.DefaultSelector):
    """A selector that waits only a moment for sockets: time is `ahead` instead."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0.0 if timeout is None or timeout > 0 else timeout)
        if not found and timeout:
            found = super().select(0.0005)
            if not found:
                self.ahead += timeout
        return found


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run with the jumping clock."""
    selector = Jumping()
    loop = asyncio.SelectorEventLoop(selector)
    real = loop.time
    loop.time = lambda: real() + selector.ahead  # type: ignore[method-assign]
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()


def receiving() -> faxcore.FaxCall:
    return faxcore.FaxCall.receive(identity="+15551230002", carrier=faxcore.T38())


def sending(pages: int = 2) -> faxcore.FaxCall:
    call = faxcore.FaxCall.send(small_document(pages), identity="+15551230001", carrier=faxcore.T38())
    call.wait_for_pages()
    return call


async def call_over(receiver: UdptlCall, sender: Callable[[int], UdptlCall]) -> None:
    async with receiver, sender(receiver.port) as calling:
        results = await asyncio.gather(calling.finished(), receiver.finished())
    assert all(result.success for result in results), results


LOCAL = "127.0.0.1"


def test_a_call_and_its_capture() -> None:
    file = io.BytesIO()
    receiver = UdptlCall(receiving(), local=(LOCAL, 0))
    run(call_over(receiver, lambda port: UdptlCall(
        sending(), local=(LOCAL, 0), remote=(LOCAL, port), capture=pcap.Writer(file))))  # fmt: skip
    assert list(receiver.call.document.pages) == [small_page(0), small_page(1)]
    captured = list(pcap.read(file.getvalue()))
    assert len({packet.source for packet in captured}) == 2
    assert all(is_t38(packet.payload) for packet in captured)
    assert len(captured) > 150


def test_strangers_and_rtp_are_ignored() -> None:
    """RTP before the call does not begin it; a stranger's T.38 in its middle is not heard."""
    receiver = UdptlCall(receiving(), local=(LOCAL, 0))

    async def main() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            async with receiver:
                for number in range(10):
                    stranger.sendto(b"\x80\x00" + number.to_bytes(2) + bytes(168), (LOCAL, receiver.port))
                await asyncio.sleep(1.0)
                assert receiver.call.line_time == 0.0
                async with UdptlCall(sending(), local=(LOCAL, 0), remote=(LOCAL, receiver.port)) as calling:
                    await asyncio.sleep(2.0)
                    hostile = udptl.Sender(first=30000)
                    for _ in range(50):
                        stranger.sendto(hostile.datagram(b"\x06"), (LOCAL, receiver.port))
                    results = await asyncio.gather(calling.finished(), receiver.finished())
        assert all(result.success for result in results)

    run(main())
    assert receiver.call.line_time > 10


def test_answers_come_from_another_port() -> None:
    """Address translation: the caller latches to where the answers come from."""
    receiver = UdptlCall(receiving(), local=(LOCAL, 0))

    async def main() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
            door.bind((LOCAL, 0))
            door.setblocking(False)
            async with receiver, UdptlCall(sending(), local=(LOCAL, 0), remote=door.getsockname()) as calling:
                first, address = await asyncio.get_running_loop().sock_recvfrom(door, 2048)
                receiver.datagram_received(first, address)
                results = await asyncio.gather(calling.finished(), receiver.finished())
        assert all(result.success for result in results)

    run(main())


def test_nobody_answers() -> None:
    """T0 runs out, whether the port is closed or silent."""

    async def main() -> Any:
        async with UdptlCall(sending(), local=(LOCAL, 0), remote=(LOCAL, 9)) as calling:
            return await calling.finished()

    assert run(main()).code == ResultCode.T0_EXPIRED


def test_hanging_up_and_closing() -> None:
    async def main() -> None:
        async with UdptlCall(receiving(), local=(LOCAL, 0)) as waiting:
            waiting.hang_up()
            assert not (await waiting.finished()).success
        async with UdptlCall(sending(), local=(LOCAL, 0), remote=(LOCAL, 9)) as calling:
            pass
        assert (await calling.finished()).code == ResultCode.CALLDROPPED

    run(main())


@pytest.mark.parametrize(
    ("url", "address"),
    [("udptl://host:4000", ("host", 4000)), ("udptl://0.0.0.0:5", ("0.0.0.0", 5)), ("udptl://[::1]:7/", ("::1", 7))],
)
def test_urls(url: str, address: tuple[str, int]) -> None:
    assert parse_url(url) == address


@pytest.mark.parametrize(
    "url", ["udptl://host", "host:4000", "http://host:1", "udptl://:4", "udptl://host:99999", "udptl://host:1/x", ""]
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ValueError, match="udptl"):
        parse_url(url)
