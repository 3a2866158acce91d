"""Fetching documents from servers that do everything wrong."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpcore2
import pytest

from faxcore.errors import FetchError
from faxcore.net.fetch import FetchLimits, fetched
from faxcore.net.guard import AddressPolicy
from faxcore.net.retry import Retries
from faxcore.net.transport import Http
from tests.http_support import Answer, Asked, Server, fixed, open_descriptors, reply, serving

PDF = b"%PDF-1.4\n" + bytes(range(256)) * 300
ALLOWED = AddressPolicy(allow_hosts=frozenset({"127.0.0.1"}))
QUICK = FetchLimits(retries=Retries(attempts=3, first_pause=0.01, jitter=0.0), timeout=2.0, seconds=5.0)


async def fetch(url: str, limits: FetchLimits = QUICK, policy: AddressPolicy = ALLOWED, **net: Any) -> bytes:
    async with Http(policy, **net) as http, fetched(url, http, limits) as path:
        kept = path
        octets = await asyncio.to_thread(path.read_bytes)
    assert not kept.exists() or url.startswith("file:")
    return octets


def with_server(answer: Answer, ask: Callable[[Server], Awaitable[Any]]) -> tuple[Any, Server]:
    """What `ask` gives, and the server; nothing stays open."""

    async def run() -> tuple[Any, Server]:
        async with serving(answer) as server:
            return await ask(server), server

    before = open_descriptors()
    result = asyncio.run(run())
    assert open_descriptors() <= before
    return result


def refused(answer: Answer, path: str = "/a.pdf", limits: FetchLimits = QUICK) -> tuple[FetchError, Server]:
    """The error of a fetch."""

    async def ask(server: Server) -> FetchError:
        with pytest.raises(FetchError) as caught:
            await fetch(server.url(path), limits)
        return caught.value

    return with_server(answer, ask)


def test_a_document() -> None:
    octets, server = with_server(fixed({"/a.pdf": reply(200, PDF)}), lambda server: fetch(server.url("/a.pdf")))
    assert octets == PDF
    assert server.targets() == ["/a.pdf"]
    assert server.asked[0].headers["accept-encoding"] == "identity"
    assert "authorization" not in server.asked[0].headers


def test_without_a_length() -> None:
    async def answer(_: Asked, writer: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            writer.write(b"%x\r\n%b\r\n" % (len(PDF), PDF))
        writer.write(b"0\r\n\r\n")

    octets, _ = with_server(answer, lambda server: fetch(server.url("/a.pdf")))
    assert octets == PDF * 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 304, 204 + 1000])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    fault, server = refused(fixed({"/a.pdf": reply(status % 1000 if status < 1000 else 451)}))
    assert (fault.code, fault.detail, fault.name) == (41, 100, "a.pdf")
    assert "the server answered" in fault.cause
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_transient_faults_are_tried_again(status: int) -> None:
    answers = [reply(status), reply(status), reply(200, PDF)]

    async def answer(_: Asked, writer: Any) -> None:
        writer.write(answers.pop(0))

    octets, server = with_server(answer, lambda server: fetch(server.url("/a.pdf")))
    assert octets == PDF
    assert len(server.asked) == 3


def test_the_tries_end() -> None:
    fault, server = refused(fixed({"/a.pdf": reply(503)}))
    assert "503" in fault.cause
    assert len(server.asked) == QUICK.retries.attempts


def test_a_body_that_breaks_off_is_fetched_anew() -> None:
    tries = 0

    async def answer(_: Asked, writer: Any) -> None:
        nonlocal tries
        tries += 1
        whole = reply(200, PDF)
        writer.write(whole if tries == 2 else whole[: len(whole) // 2])
        if tries < 2:
            await writer.drain()
            writer.close()

    octets, _ = with_server(answer, lambda server: fetch(server.url("/a.pdf")))
    assert octets == PDF


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(FetchError, match="connection failed"):
        asyncio.run(fetch(f"http://127.0.0.1:{port}/a.pdf"))


def test_silence() -> None:
    async def answer(_: Asked, writer: Any) -> None:
        await asyncio.sleep(60)

    limits = FetchLimits(retries=Retries(attempts=2, first_pause=0.01, jitter=0.0), timeout=0.1, seconds=5.0)
    fault, server = refused(answer, limits=limits)
    assert "took too long" in fault.cause
    assert len(server.asked) == 2


def test_a_slow_drip() -> None:
    async def answer(_: Asked, writer: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    fault, _ = refused(answer, limits=FetchLimits(seconds=0.4, timeout=0.3))
    assert "longer than 0.4 s" in fault.cause
    assert fault.detail == 100


def test_a_huge_file_that_says_so() -> None:
    fault, server = refused(fixed({"/a.pdf": reply(200, PDF)}), limits=FetchLimits(max_octets=1000))
    assert (fault.cause, fault.detail, fault.code) == ("is larger than 1000 octets", 101, 41)
    assert len(server.asked) == 1


def test_a_huge_file_that_never_ends() -> None:
    async def answer(_: Asked, writer: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 10000)
            await writer.drain()

    fault, _ = refused(answer, limits=FetchLimits(max_octets=1_000_000))
    assert fault.detail == 101


def test_a_compressed_answer_is_refused() -> None:
    fault, _ = refused(fixed({"/a.pdf": reply(200, PDF, Content_Encoding="gzip")}))
    assert "compressed" in fault.cause


def test_no_http() -> None:
    fault, server = refused(fixed({"/a.pdf": b"220 mail.example ESMTP\r\n\r\n"}))
    assert "no HTTP" in fault.cause
    assert len(server.asked) == 3


def chain(length: int) -> Answer:
    answers = {f"/{n}": reply(302, Location=f"/{n + 1}") for n in range(length)}
    return fixed({**answers, f"/{length}": reply(200, PDF)})


def test_three_redirects() -> None:
    octets, server = with_server(chain(3), lambda server: fetch(server.url("/0")))
    assert octets == PDF
    assert server.targets() == ["/0", "/1", "/2", "/3"]


def test_four_redirects_are_too_many() -> None:
    fault, server = refused(chain(4), "/0")
    assert "redirected more than 3 times" in fault.cause
    assert server.targets() == ["/0", "/1", "/2", "/3"]


@pytest.mark.parametrize(
    "location", ["http://localhost:1/", "http://10.0.0.1/", "http://169.254.169.254/latest/", "http://[::1]:1/"]
)
def test_a_redirect_into_the_inside_is_refused(location: str) -> None:
    fault, server = refused(fixed({"/a.pdf": reply(302, Location=location)}))
    assert "no public address" in fault.cause
    assert len(server.asked) == 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://example.com/", "gopher:x", "//:80/"])
def test_a_redirect_to_nowhere(location: str) -> None:
    fault, server = refused(fixed({"/a.pdf": reply(302, Location=location)}))
    assert "no URL" in fault.cause
    assert len(server.asked) == 1


def test_credentials_stay_with_the_first_host() -> None:
    async def ask(server: Server) -> bytes:
        return await fetch(server.url("/0", user="fax:s%40cret@"))

    _, server = with_server(fixed({"/0": reply(302, Location="/1"), "/1": reply(200, PDF)}), ask)
    assert server.asked[0].headers["authorization"] == "Basic ZmF4OnNAY3JldA=="
    assert "authorization" not in server.asked[1].headers


def test_credentials_in_a_redirect_are_not_used() -> None:
    async def ask(server: Server) -> bytes:
        answers["/0"] = reply(302, Location=server.url("/1", user="a:b@"))
        return await fetch(server.url("/0"))

    answers = {"/1": reply(200, PDF)}
    _, server = with_server(fixed(answers), ask)
    assert "authorization" not in server.asked[1].headers


def test_no_cookie_is_kept() -> None:
    answers = {"/0": reply(302, Location="/1", Set_Cookie="a=b; Path=/"), "/1": reply(200, PDF)}
    _, server = with_server(fixed(answers), lambda server: fetch(server.url("/0")))
    assert "cookie" not in server.asked[1].headers


def test_loopback_is_not_asked_unless_the_owner_allows_it() -> None:
    async def ask(server: Server) -> None:
        with pytest.raises(FetchError, match="no public address"):
            await fetch(server.url("/a.pdf"), policy=AddressPolicy())

    _, server = with_server(fixed({"/a.pdf": reply(200, PDF)}), ask)
    assert server.connections == 0


class Recorder(httpcore2.AsyncNetworkBackend):
    """A network that goes nowhere and remembers whereto."""

    def __init__(self) -> None:
        self.targets: list[str] = []

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> Any:
        self.targets.append(host)
        raise httpcore2.ConnectError("nobody there")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def test_an_answer_that_changes_between_check_and_use() -> None:
    answers = [["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]]

    async def resolver(host: str, port: int) -> list[str]:
        return answers.pop(0)

    network = Recorder()
    with pytest.raises(FetchError, match=r"is 127\.0\.0\.1, which is no public address"):
        asyncio.run(fetch("http://rebind.example/a.pdf", policy=AddressPolicy(), resolver=resolver, network=network))
    assert network.targets == ["93.184.216.34"], "the checked address itself, and after the second answer none"


def test_every_answer_is_tried_in_order() -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "2606:4700::1"]

    network = Recorder()
    limits = FetchLimits(retries=Retries(attempts=1))
    with pytest.raises(FetchError, match="nobody there"):
        asyncio.run(fetch("http://two.example/", limits, resolver=resolver, network=network))
    assert network.targets == ["93.184.216.34", "2606:4700::1"]


@pytest.mark.parametrize(("number", "tries"), [(socket.EAI_NONAME, 1), (socket.EAI_AGAIN, 3)])
def test_a_name_that_cannot_be_resolved(number: int, tries: int) -> None:
    asked = []

    async def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        raise socket.gaierror(number, "not known")

    with pytest.raises(FetchError, match="cannot be resolved"):
        asyncio.run(fetch("http://nowhere.example/a.pdf", resolver=resolver))
    assert asked == ["nowhere.example"] * tries


def test_a_proxy_variable_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    octets, _ = with_server(fixed({"/a.pdf": reply(200, PDF)}), lambda server: fetch(server.url("/a.pdf")))
    assert octets == PDF


def test_files_are_for_the_owner_to_allow(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in" / "a b.pdf", tmp_path / "secret.pdf"
    inside.parent.mkdir()
    for path in (inside, outside):
        path.write_bytes(PDF)
    (tmp_path / "in" / "link.pdf").symlink_to(outside)
    limits = FetchLimits(files=(tmp_path / "in",))
    assert asyncio.run(fetch(inside.as_uri(), limits)) == PDF
    dots = f"file://{tmp_path}/in/../secret.pdf"
    for url, given in [(inside.as_uri(), QUICK), (outside.as_uri(), limits), (dots, limits)]:
        with pytest.raises(FetchError, match="not allowed"):
            asyncio.run(fetch(url, given))
    with pytest.raises(FetchError, match="not allowed"):
        asyncio.run(fetch((tmp_path / "in" / "link.pdf").as_uri(), limits))


def test_a_cancelled_fetch_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def answer(_: Asked, writer: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsome")
        await writer.drain()
        await asyncio.sleep(60)

    async def ask(server: Server) -> None:
        task = asyncio.create_task(fetch(server.url("/a.pdf")))
        while not server.asked:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert list(tmp_path.iterdir())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(asyncio.all_tasks()) == 2, "this one and the server's"

    with_server(answer, ask)
    assert not list(tmp_path.iterdir())
