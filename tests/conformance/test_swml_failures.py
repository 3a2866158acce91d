"""The failure table: each way for a fax to fail, with its event, its variables, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import io
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter

import faxcore
from faxcore.document import AnyDocument
from faxcore.net import AddressPolicy, Fax, FaxOutcome, FaxService, FetchLimits, FolderStorage
from faxcore.swml import CallInfo, ReceiveFax, SendFax
from tests.document_support import start_drawing
from tests.http_support import Asked, Server, fixed, open_descriptors, reply, serving
from tests.support_calls import small_document
from tests.swml_support import ALLOWED, FAR_NUMBER, OUR_NUMBER, QUICK, carry, left_behind, letter

INFO = CallInfo(call_id="c", node_id="n", project_id="p", space_id="s", direction="outbound",
                from_=OUR_NUMBER, to=FAR_NUMBER)  # fmt: skip
SEVEN = ("document", "identity", "remote_identity", "pages", "result_code", "result_text", "result")
Write = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Temporary files go where the test can see them."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    start_drawing()
    return tmp_path


@dataclass
class Seen:
    """What a failed fax left: its outcome, and the events that arrived at the status URL."""

    outcome: FaxOutcome
    events: list[dict[str, Any]]
    server: Server

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


def fax(
    answers: dict[str, bytes | Write],
    carried: Callable[[Fax], Awaitable[None]] | None = None,
    *,
    limits: FetchLimits | None = None,
    policy: AddressPolicy = ALLOWED,
    wait: float = 5.0,
    path: str = "/letter.pdf",
    expect: type[BaseException] | None = None,
) -> Seen:
    """Sends the document of a server, with a status URL at the same server, and looks for what stays behind."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        given = answers.get(asked.target, reply(200) if asked.target == "/status" else reply(404))
        if isinstance(given, bytes):
            writer.write(given)
        else:
            await given(asked, writer)

    async def run() -> Seen:
        limits_ = limits or FetchLimits(retries=QUICK)
        service = FaxService(policy=policy, limits=limits_, retries=QUICK, wait=wait, clock=lambda: 1640000000.0)
        async with serving(answer) as server, service:
            method = SendFax.parse({"document": server.url(path), "status_url": server.url("/status")})
            faxes: list[Fax] = []
            task = asyncio.create_task(_one(service, method, carried, faxes))
            if expect is None:
                await task
            else:
                with pytest.raises(expect):
                    await task
            outcome = faxes[0].outcome
            assert asyncio.all_tasks() == {asyncio.current_task(), *server.tasks}
            events = [asked.json["params"]["fax"] for asked in server.asked if asked.target == "/status"]
            return Seen(outcome, events, server)

    before, children = open_descriptors(), _children()
    seen = asyncio.run(run())
    assert open_descriptors() <= before
    assert _children() == children
    names = [f"send_fax_{name}" for name in SEVEN]
    assert list(seen.outcome.variables) == names
    assert seen.outcome.variables["send_fax_document"] == seen.server.url(path)
    assert seen.outcome.variables["send_fax_identity"] == OUR_NUMBER
    return seen


async def _one(
    service: FaxService, method: SendFax, carried: Callable[[Fax], Awaitable[None]] | None, faxes: list[Fax]
) -> None:
    async with service.fax(method, INFO) as one:
        faxes.append(one)
        if one.call is not None and carried is not None:
            await carried(one)


def _children() -> list[str]:
    """The processes that this one has started."""
    found: list[str] = []
    for path in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # of a thread that has just ended
            found += path.read_text().split()
    return sorted(found)


def encrypted() -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_page(PdfReader(io.BytesIO(letter())).pages[0])
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()


async def drip(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"%")
        await writer.drain()
        await asyncio.sleep(0.02)


async def silence(_: Asked, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


SHORT = FetchLimits(seconds=0.5, timeout=0.2, retries=QUICK)
SMALL = FetchLimits(max_octets=1000)
HTML = b"<!DOCTYPE html><html><body>Please log in</body></html>"

DOCUMENTS: dict[str, tuple[bytes | Write, FetchLimits | None, int, int, str]] = {
    "404": (reply(404), None, 41, 100, "the server answered 404"),
    "500": (reply(500), None, 41, 100, "the server answered 500"),
    "timeout": (silence, SHORT, 41, 100, "took"),
    "slow drip": (drip, SHORT, 41, 100, "took longer than 0.5 s"),
    "huge file": (reply(200, b"%PDF-" + b" " * 2000), SMALL, 41, 101, "larger than 1000 octets"),
    "redirect to a private address": (reply(302, Location="http://10.0.0.1/"), None, 41, 100, "no public address"),
    "HTML named .pdf": (reply(200, HTML, Content_Type="application/pdf"), None, 43, 102, "neither PDF"),
    "nothing": (reply(200, b""), None, 43, 102, "is empty"),
    "encrypted PDF": (reply(200, encrypted()), None, 43, 102, "password"),
    "broken PDF": (reply(200, letter()[:300]), None, 43, 102, "letter.pdf"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_that_cannot_be_had(name: str, folder: Path) -> None:
    given, limits, code, detail, words = DOCUMENTS[name]
    seen = fax({"/letter.pdf": given}, limits=limits)
    assert seen.types == ["error"]
    assert words in seen.events[0]["params"]["description"]
    assert seen.events[0]["params"]["description"].startswith("letter.pdf")
    variables = seen.outcome.variables
    assert (variables["send_fax_result"], variables["send_fax_pages"]) == ("failed", 0)
    assert variables["send_fax_result_code"] == code
    assert variables["send_fax_result_text"]
    assert seen.outcome.result.detail == detail
    assert seen.outcome.undelivered == ()
    assert not left_behind(folder)


def test_a_document_inside_of_the_network() -> None:
    seen = fax({"/letter.pdf": reply(200, letter())}, policy=AddressPolicy())
    assert seen.server.connections == 0
    assert seen.outcome.result.detail == 100
    assert [one.notice.params.fax.type for one in seen.outcome.undelivered] == ["error"]
    assert "no public address" in seen.outcome.undelivered[0].cause


TAKEN = reply(200)


def good(status: bytes | Write = TAKEN, pages: int = 3) -> dict[str, bytes | Write]:
    return {"/letter.pdf": reply(200, letter(pages)), "/status": status}


async def answered(one: Fax) -> None:
    await carry(one, faxcore.FaxCall.receive(identity=FAR_NUMBER))


def test_nothing_fails() -> None:
    seen = fax(good(), answered)
    assert seen.types == ["page", "page", "page", "finished"]
    assert [event["params"].get("number") for event in seen.events] == [1, 2, 3, None]
    assert seen.events[-1]["params"]["success"] is True
    assert seen.outcome.variables["send_fax_result"] == "success"
    assert seen.outcome.undelivered == ()


@pytest.mark.parametrize("answer", [reply(500), silence], ids=["500", "slow"])
def test_a_callback_server_that_does_not_take(answer: bytes | Write) -> None:
    seen = fax(good(answer), answered, wait=0.3)
    assert seen.outcome.variables["send_fax_result"] == "success"
    assert [one.notice.params.fax.type for one in seen.outcome.undelivered] == ["page", "page", "page", "finished"]


def test_a_callback_server_that_is_down() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def run() -> FaxOutcome:
        async with serving(fixed({"/letter.pdf": reply(200, letter())})) as server:
            params = {"document": server.url("/letter.pdf"), "status_url": f"http://127.0.0.1:{port}/"}
            faxes: list[Fax] = []
            async with FaxService(policy=ALLOWED, retries=QUICK) as service:
                await _one(service, SendFax.parse(params), answered, faxes)
            return faxes[0].outcome

    outcome = asyncio.run(run())
    assert outcome.result.success
    assert [one.notice.params.fax.type for one in outcome.undelivered] == ["page", "finished"]
    assert all("connection failed" in one.cause for one in outcome.undelivered)


@pytest.mark.parametrize(
    ("cause", "code"), [("busy", 49), ("no_answer", 2), (17, 49), (19, 2), ("CALL_REJECTED", 49)], ids=str
)
def test_a_call_that_is_not_answered(cause: str | int, code: int) -> None:
    async def not_answered(one: Fax) -> None:
        one.not_answered(cause)

    seen = fax(good(), not_answered)
    assert seen.types == ["finished"]
    params = seen.events[0]["params"]
    assert (params["success"], params["result"], params["pages"]) == (False, code, 0)
    assert seen.outcome.variables["send_fax_result_code"] == code
    assert seen.outcome.variables["send_fax_result"] == "failed"


def test_the_far_end_hangs_up_on_page_2() -> None:
    async def carried(one: Fax) -> None:
        far = faxcore.FaxCall.receive(identity=FAR_NUMBER)

        def each(_: float) -> None:
            if far.progress.page == 2 and not far.finished:
                far.line_dropped()
                one.call.line_dropped()  # type: ignore[union-attr]

        await carry(one, far, each=each)

    seen = fax(good(), carried)
    assert seen.types == ["page", "finished"]
    params = seen.events[-1]["params"]
    assert (params["success"], params["result"], params["pages"]) == (False, 49, 1)
    assert seen.outcome.variables["send_fax_pages"] == 1
    assert seen.outcome.variables["send_fax_remote_identity"] == FAR_NUMBER


def test_the_runtime_cancels(folder: Path) -> None:
    async def carried(one: Fax) -> None:
        def each(_: float) -> None:
            if one.call and one.call.progress.page == 2:
                task = asyncio.current_task()
                assert task
                task.cancel()

        await carry(one, faxcore.FaxCall.receive(identity=FAR_NUMBER), each=each)

    seen = fax(good(), carried, expect=asyncio.CancelledError)
    assert seen.types == ["page", "finished"]
    params = seen.events[-1]["params"]
    assert (params["success"], params["result"], params["pages"]) == (False, 48, 1)
    assert seen.outcome.result.detail == 103
    assert not left_behind(folder)


def test_the_runtime_cancels_before_anybody_answered() -> None:
    async def carried(one: Fax) -> None:
        raise asyncio.CancelledError

    seen = fax(good(), carried, expect=asyncio.CancelledError)
    assert seen.types == ["finished"]
    assert seen.outcome.result.detail == 103


def test_the_runtime_stops_the_fax_and_carries_the_call_to_its_end() -> None:
    async def carried(one: Fax) -> None:
        def each(_: float) -> None:
            if one.call and one.call.progress.page == 2:
                one.call.hang_up()

        await carry(one, faxcore.FaxCall.receive(identity=FAR_NUMBER), each=each)

    seen = fax(good(), carried)
    assert seen.types == ["page", "finished"]
    assert (seen.outcome.result.code, seen.outcome.result.detail, seen.outcome.result.pages) == (48, 103, 1)


def test_a_fault_of_the_runtime_passes_and_ends_the_call() -> None:
    async def carried(one: Fax) -> None:
        raise ZeroDivisionError

    seen = fax(good(), carried, expect=ZeroDivisionError)
    assert seen.types == ["finished"]


# ---- receiving


def receive(storage: Any, far_document: AnyDocument | None = None, pages: int = 99) -> Fax:
    """Receives a fax without a status URL; the line drops after so many pages."""

    async def run() -> Fax:
        async with FaxService(storage=storage) as service, service.fax(ReceiveFax.parse(), INFO) as one:
            far = faxcore.FaxCall.send(far_document or small_document(2), identity=FAR_NUMBER)

            def each(_: float) -> None:
                if one.call and one.call.progress.confirmed == pages and not one.call.finished:
                    far.line_dropped()
                    one.call.line_dropped()

            await carry(one, far, each=each)
        return one

    return asyncio.run(run())


def test_a_received_document_is_stored(folder: Path) -> None:
    one = receive(FolderStorage(folder, "https://faxes.example/in/"))
    url = one.outcome.variables["receive_fax_document"]
    assert url == f"https://faxes.example/in/{one.control_id}.pdf"
    assert list(faxcore.open_document(folder / f"{one.control_id}.pdf").pages) == list(small_document(2).pages)
    assert one.outcome.variables["receive_fax_result"] == "success"


def test_without_a_base_the_url_is_that_of_the_file(folder: Path) -> None:
    url = receive(FolderStorage(folder)).outcome.variables["receive_fax_document"]
    assert str(url).startswith("file:///")


def test_the_pages_of_a_call_that_broke_off_are_kept(folder: Path) -> None:
    one = receive(FolderStorage(folder), small_document(2, rows=1200), pages=1)
    variables = one.outcome.variables
    assert (variables["receive_fax_result"], variables["receive_fax_pages"]) == ("failed", 1)
    assert len(faxcore.open_document(str(variables["receive_fax_document"]).removeprefix("file://")).pages) == 1


def test_a_storage_that_fails(folder: Path) -> None:
    variables = receive(FolderStorage(folder / "missing")).outcome.variables
    assert (variables["receive_fax_result"], variables["receive_fax_result_code"]) == ("failed", 41)
    assert (variables["receive_fax_pages"], variables["receive_fax_document"]) == (2, "")
