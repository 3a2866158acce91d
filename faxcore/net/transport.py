"""HTTP to hosts that strangers name: each connection goes to an address that was checked, and to no other.

This file imports httpx2 at its top and is itself imported when the first request is made.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any, Self

import httpcore2
import httpx2

from faxcore import __version__
from faxcore.net.guard import AddressPolicy, BlockedAddressError, Resolver, resolve
from faxcore.net.retry import ExchangeError

TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
CONNECTIONS = 100
KEPT_FOR = 15.0
"""Seconds for which an idle connection is kept: less than what servers allow, so that few are found closed."""


class _CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Resolves a name once, checks every answer, and connects to one of these answers."""

    def __init__(self, policy: AddressPolicy, resolver: Resolver, network: httpcore2.AsyncNetworkBackend) -> None:
        self._policy, self._resolver, self._network = policy, resolver, network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        async with asyncio.timeout(timeout):
            answers = await self._resolver(host, port)
        fault: Exception = ExchangeError(f"{host} has no address")
        for address in self._policy.check(host, port, answers):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as failed:
                fault = failed
        raise fault

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class _Body(httpx2.AsyncByteStream):
    """The octets of an answer as they arrive."""

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            yield chunk


class Http:
    """HTTP requests of one event loop. It follows no redirect, keeps no cookie and reads no proxy variable.

    `resolver` finds the addresses of a host, `network` connects to one.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        resolver: Resolver = resolve,
        network: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            max_connections=CONNECTIONS,
            max_keepalive_connections=CONNECTIONS // 5,
            keepalive_expiry=KEPT_FOR,
            network_backend=_CheckedBackend(policy, resolver, network or httpcore2.AnyIOBackend()),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.aclose()

    @contextlib.asynccontextmanager
    async def exchange(
        self, method: str, url: httpx2.URL, *, headers: dict[str, str], body: bytes = b"", timeout: float
    ) -> AsyncIterator[httpx2.Response]:
        """The answer to a request, its body still to be read. ExchangeError, also for the reading.

        `timeout` is in seconds, for connecting and for each read. A user name and password in the URL go into
        the header `Authorization`.
        """
        request = httpx2.Request(method, url.copy_with(username=None, password=None), headers=headers, content=body)
        request.headers["User-Agent"] = f"faxcore/{__version__}"
        if url.userinfo:
            credentials = base64.b64encode(f"{url.username}:{url.password}".encode()).decode("ascii")
            request.headers["Authorization"] = f"Basic {credentials}"
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
        with _told():
            answer = await self._pool.handle_async_request(_as_core(request))
            if not isinstance(answer.stream, AsyncIterable):
                raise AssertionError("the pool is asynchronous")
            response = httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream))
            try:
                yield response
            finally:
                await answer.aclose()


def parse_url(url: str, base: httpx2.URL | None = None) -> httpx2.URL:
    """A URL of http or https, read from `base` on where it is relative. ExchangeError."""
    try:
        parsed = httpx2.URL(url) if base is None else base.join(url)
    except httpx2.InvalidURL as fault:
        raise ExchangeError(f"no URL: {fault}") from fault
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ExchangeError(f"no URL of http or https: {parsed.scheme}://{parsed.host}")
    return parsed


def check_status(response: httpx2.Response) -> None:
    """ExchangeError unless the answer is a success."""
    status = response.status_code
    if not 200 <= status < 300:
        words = f"the server answered {status} {response.reason_phrase}".rstrip()
        raise ExchangeError(words, transient=status in TRANSIENT_STATUS)


async def read_body(response: httpx2.Response, most: int) -> bytes:
    """The body of an answer. ExchangeError for more than `most` octets."""
    octets = bytearray()
    async for chunk in response.aiter_raw():
        octets += chunk
        if len(octets) > most:
            raise ExchangeError(f"the answer is larger than {most} octets")
    return bytes(octets)


def _as_core(request: httpx2.Request) -> httpcore2.Request:
    url = request.url
    target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    return httpcore2.Request(
        method=request.method,
        url=target,
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Every fault of the network as an ExchangeError."""
    try:
        yield
    except BlockedAddressError as fault:
        raise ExchangeError(str(fault)) from fault
    except socket.gaierror as fault:
        transient = fault.errno == socket.EAI_AGAIN
        raise ExchangeError(f"the name cannot be resolved: {fault.strerror}", transient=transient) from fault
    except (httpcore2.TimeoutException, TimeoutError) as fault:
        raise ExchangeError("the server took too long", transient=True) from fault
    except httpcore2.NetworkError as fault:
        if _untrusted(fault):
            raise ExchangeError(f"the server cannot be trusted: {fault}") from fault
        raise ExchangeError(f"the connection failed: {fault or type(fault).__name__}", transient=True) from fault
    except httpcore2.RemoteProtocolError as fault:
        raise ExchangeError(f"the answer is no HTTP: {fault}", transient=True) from fault
    except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol, UnicodeError) as fault:
        raise ExchangeError(f"the request cannot be made: {fault}") from fault


def _untrusted(fault: BaseException | None) -> bool:
    """Whether a certificate was the cause."""
    while fault is not None and not isinstance(fault, ssl.SSLCertVerificationError):
        fault = fault.__cause__ or fault.__context__
    return fault is not None
