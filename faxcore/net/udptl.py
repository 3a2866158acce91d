"""T.38 calls on UDP sockets in real time: one socket a call, its deadlines on the clock of the event loop.

    async with UdptlCall(FaxCall.send(document, carrier=T38()), remote=("192.0.2.7", 4000)) as call:
        result = await call.finished()
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from faxcore.call import FaxCall
from faxcore.errors import FrameError
from faxcore.result import FaxResult
from faxcore.t38 import fec, pcap, udptl

Address = tuple[str, int]


def parse_url(url: str) -> Address:
    """Host and port of udptl://host:port; ValueError where it is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} is no udptl://host:port: {error}") from None
    if parts.scheme != "udptl" or not host or port is None or parts.path.strip("/") or parts.query or parts.username:
        raise ValueError(f"{url!r} is no udptl://host:port")
    return host, port


def is_t38(datagram: bytes) -> bool:
    """Whether octets are UDPTL with a packet in it: stray RTP on the port is not, to the last octet."""
    try:
        primary = udptl.decode(datagram).primary
    except FrameError:
        return False
    return fec.readable(primary)


class UdptlCall(asyncio.DatagramProtocol):
    """A FaxCall over T.38 on a socket of its own at `local`; port 0 takes any.

    Without `remote` the call begins with the first valid packet. Answers go to where that one came from, also where
    `remote` was given: address translation may stand between; what other addresses send is ignored from then on.
    `capture` gets every datagram; `late` is told how many seconds after its time each one was sent.
    """

    def __init__(
        self, call: FaxCall, *, local: Address = ("0.0.0.0", 0), remote: Address | None = None,
        capture: pcap.Writer | None = None, late: Callable[[float], None] | None = None,
    ) -> None:  # fmt: skip
        self.call = call
        self._local, self._remote = local, remote
        self._capture, self._late = capture, late
        self._latched = False
        self._transport: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._over: asyncio.Future[FaxResult] | None = None

    async def __aenter__(self) -> UdptlCall:
        await self.open()
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()

    async def open(self) -> None:
        """Bind the socket, and begin to call where `remote` is known. OSError."""
        self._loop = asyncio.get_running_loop()
        self._over = self._loop.create_future()
        if self._remote is not None:
            self._remote = await self._resolved(self._remote)
        self._transport, _ = await self._loop.create_datagram_endpoint(lambda: self, local_addr=self._local)
        if self._remote is not None:
            self._tick()

    async def _resolved(self, remote: Address) -> Address:
        kind = socket.AF_INET6 if ":" in self._local[0] else socket.AF_INET
        found = await self._loop.getaddrinfo(*remote, family=kind, type=socket.SOCK_DGRAM)
        address = found[0][4]
        return str(address[0]), int(address[1])

    @property
    def port(self) -> int:
        """The port that the socket is bound to."""
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    async def finished(self) -> FaxResult:
        """How the call ended, when it has."""
        assert self._over is not None
        return await asyncio.shield(self._over)

    def hang_up(self) -> None:
        """Our wish: DCN, and the end within 3 s; at once where nobody has called yet."""
        self.call.hang_up()
        if self._remote is None:
            self.close()
        else:
            self._tick()

    def close(self) -> None:
        """Close the socket; a call that still runs has lost its line."""
        if not self.call.finished:
            self.call.line_dropped()
        self._settle()

    # The protocol's side

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Something came in."""
        source = str(addr[0]), int(addr[1])
        if not self._latched:
            if not is_t38(data):
                return
            self._latched, self._remote = True, source
        elif source != self._remote:
            return
        self._write(source, data, outgoing=False)
        self.call.push_datagram(data, self._loop.time())
        self._tick()

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there yet, or no more: T.30's timers know what to do."""

    def _tick(self) -> None:
        """Send what is due, and come back at the next deadline."""
        assert self._remote is not None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        for due, datagram in self.call.pull_ahead(self._loop.time(), 0.0):
            transport.sendto(datagram, self._remote)
            self._write(self._remote, datagram, outgoing=True)
            if self._late is not None:
                self._late(self._loop.time() - due)
        deadline = self.call.deadline
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._tick)
        if self.call.finished:
            self._settle()

    def _write(self, far: Address, datagram: bytes, *, outgoing: bool) -> None:
        if self._capture is None or self._transport is None:
            return
        here = pcap.Endpoint(*self._transport.get_extra_info("sockname")[:2])
        there = pcap.Endpoint(*far)
        self._capture.write(time.time(), *((here, there) if outgoing else (there, here)), datagram)

    def _settle(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._over is not None and not self._over.done() and self.call.result is not None:
            self._over.set_result(self.call.result)
        if self._transport is not None:
            self._transport.close()
