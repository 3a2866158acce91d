"""HTTPS to a checked address: the certificate is that of the name, not of the address."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from faxcore.errors import FetchError
from faxcore.net import AddressPolicy, FetchLimits, Retries
from faxcore.net.fetch import fetched
from faxcore.net.transport import Http

CERTIFICATE = Path(__file__).parents[1] / "vectors" / "tls_fax_test.pem"
"""Self-signed for fax.test, made for this test, with its key."""

BODY = b"%PDF-1.4"


async def fetch(name: str) -> tuple[bytes, list[str | None]]:
    """A document from a TLS server on loopback under a name, and the names that the server was asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    names: list[str | None] = []
    context.sni_callback = lambda _socket, asked, _context: names.append(asked)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n" + BODY)
        await writer.drain()
        writer.close()

    async def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    limits = FetchLimits(retries=Retries(attempts=3, first_pause=0.01, jitter=0.0))
    policy = AddressPolicy(allow_hosts=frozenset({name}))
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        url = f"https://{name}:{server.sockets[0].getsockname()[1]}/a.pdf"
        async with Http(policy, resolver=resolver) as http:
            try:
                async with fetched(url, http, limits) as path:
                    return path.read_bytes(), names
            except FetchError as fault:
                fault.add_note(f"{len(names)} tries")
                raise


def test_a_certificate_for_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    assert asyncio.run(fetch("fax.test")) == (BODY, ["fax.test"])


def test_a_certificate_for_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with pytest.raises(FetchError, match="cannot be trusted") as caught:
        asyncio.run(fetch("other.test"))
    assert caught.value.__notes__ == ["1 tries"]


def test_a_certificate_that_nobody_vouches_for() -> None:
    with pytest.raises(FetchError, match="cannot be trusted") as caught:
        asyncio.run(fetch("fax.test"))
    assert caught.value.__notes__ == ["1 tries"]
