"""The service at its edges: other threads, the station in this process, missing packages, injected parts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import faxcore
from faxcore import extras
from faxcore.document import AnyDocument
from faxcore.errors import CallError
from faxcore.events import Event, Finished
from faxcore.net import (
    Background,
    Fax,
    FaxService,
    FetchLimits,
    FolderStorage,
    LoopbackStation,
    UdptlCall,
    over_udptl,
)
from faxcore.options import Options
from faxcore.swml import CallInfo, Notice, ReceiveFax, SendFax
from tests.support_calls import small_document
from tests.swml_support import QUICK, letter
from tests.unit.test_net_udptl import run as run_with_jumping_clock

INFO = CallInfo(from_="+1555", to="+1777")


class Memory:
    """Keeps what is posted and stored."""

    def __init__(self) -> None:
        self.types: list[str] = []
        self.stored: dict[str, int] = {}

    async def post(self, url: str, body: bytes) -> None:
        self.types.append(Notice.parse(body).params.fax.type)

    async def store(self, document: AnyDocument, name: str) -> str:
        self.stored[name] = len(document.pages)
        return f"memory:{name}"


def test_parts_of_the_owner() -> None:
    memory = Memory()

    async def run() -> Fax:
        method = ReceiveFax.parse({"status_url": "https://example.com/"})
        async with (
            FaxService(storage=memory, poster=memory, retries=QUICK) as service,
            service.fax(method, INFO, control_id="mine") as fax,
        ):
            await LoopbackStation(document=small_document(2)).carry(fax)
        return fax

    fax = asyncio.run(run())
    assert memory.types == ["page", "page", "finished"]
    assert memory.stored == {"mine": 2}
    assert fax.outcome.variables["receive_fax_document"] == "memory:mine"


def test_every_event_of_the_call_can_be_watched() -> None:
    seen: list[Event] = []

    async def run() -> None:
        async with FaxService(storage=Memory()) as service, service.fax(ReceiveFax.parse(), watch=seen.append) as fax:
            await LoopbackStation(document=small_document()).carry(fax)

    asyncio.run(run())
    assert len(seen) > 10
    assert isinstance(seen[-1], Finished)


def test_no_outcome_before_the_end() -> None:
    async def run() -> None:
        async with FaxService() as service, service.fax(ReceiveFax.parse()) as fax:
            with pytest.raises(CallError, match="before its block is left"):
                _ = fax.outcome
        assert fax.outcome.result.detail == 103

    asyncio.run(run())


def test_options_that_the_engine_refuses_are_raised_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(letter())

    async def run() -> None:
        method = SendFax.parse((tmp_path / "a.pdf").as_uri())
        service = FaxService(limits=FetchLimits(files=(tmp_path,)))
        async with service, service.fax(method, carrier="T.38"):  # type: ignore[arg-type]
            pass

    with pytest.raises(ValueError, match="carrier"):
        asyncio.run(run())


def test_the_resolution_of_the_options_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(letter())

    async def run() -> Fax:
        method = SendFax.parse((tmp_path / "a.pdf").as_uri())
        async with (
            FaxService(limits=FetchLimits(files=(tmp_path,))) as service,
            service.fax(method, options=Options(resolution="standard")) as fax,
        ):
            await LoopbackStation().carry(fax)
        return fax

    assert asyncio.run(run()).outcome.result.resolution == "standard"


def test_cancelling_stops_the_station_in_its_thread() -> None:
    station = LoopbackStation(document=small_document(40))

    async def run() -> Fax:
        faxes: list[Fax] = []

        async def one() -> None:
            async with FaxService(storage=Memory()) as service, service.fax(ReceiveFax.parse()) as fax:
                faxes.append(fax)
                await station.carry(fax)

        task = asyncio.create_task(one())
        while not (faxes and faxes[0].call and faxes[0].call.progress.confirmed):
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return faxes[0]

    result = asyncio.run(run()).outcome.result
    assert (result.code, result.detail) == (48, 103)
    assert 1 <= result.pages < 40


def test_cancelling_while_the_last_events_are_delivered() -> None:
    class Stuck(Memory):
        async def post(self, url: str, body: bytes) -> None:
            self.types.append("tried")
            await asyncio.sleep(60)

    poster = Stuck()

    async def run() -> Fax:
        async with FaxService(storage=Memory(), poster=poster) as service:
            fax: list[Fax] = []

            async def one() -> None:
                async with service.fax(ReceiveFax.parse({"status_url": "https://example.com/"})) as it:
                    fax.append(it)
                    it.not_answered("busy")

            task = asyncio.create_task(one())
            while not poster.types:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return fax[0]

    outcome = asyncio.run(run()).outcome
    assert outcome.result.code == 49
    assert [one.notice.params.fax.type for one in outcome.undelivered] == ["finished"]


def test_a_station_with_nothing_to_send() -> None:
    async def run() -> None:
        async with FaxService(storage=Memory()) as service, service.fax(ReceiveFax.parse()) as fax:
            await LoopbackStation().carry(fax)

    with pytest.raises(ValueError, match="no document to send"):
        asyncio.run(run())


# ---- without asyncio


def test_a_fault_in_the_block_passes_through_the_background() -> None:
    with Background() as background, background.enter(FaxService()) as service:
        fax: Fax
        with pytest.raises(ZeroDivisionError), background.enter(service.fax(ReceiveFax.parse())) as fax:
            raise ZeroDivisionError
        assert fax.outcome.result.detail == 103
    assert not [thread for thread in threading.enumerate() if thread.name == "faxcore network"]


def test_what_a_coroutine_raises_is_raised_here() -> None:
    async def fail() -> None:
        raise KeyError("x")

    with Background() as background, pytest.raises(KeyError):
        background.run(fail())


# ---- without the extra

WITHOUT = """
import sys
for name in ("httpx2", "httpcore2", "stamina", "yaml"):
    sys.modules[name] = None
import asyncio, faxcore, faxcore.net
from faxcore.swml import CallInfo, ReceiveFax, SendFax
from faxcore.swml.script import Script
assert Script.parse('[{"receive_fax": {}}]').sections["main"]
for work in (lambda: Script.parse("- receive_fax"), lambda: asyncio.run(send())):
    try:
        work()
    except ImportError as fault:
        print(fault)
"""
SENDING = """
async def send():
    async with faxcore.net.FaxService() as service, service.fax(SendFax.parse("https://example.com/a.pdf")):
        pass
"""


def test_without_the_extra_everything_imports_and_says_what_is_missing() -> None:
    script = WITHOUT.replace("for work in", f"{SENDING}\nfor work in")
    root = str(Path(faxcore.__file__).parents[1])
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{script}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    hint = "pip install 'faxcore[swml]'"
    assert done.stdout.splitlines() == [f"this needs pyyaml: {hint}", f"this needs httpx2: {hint}"]


def test_a_module_that_is_missing_for_another_reason_is_not_explained_away() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        extras.load("faxcore.no_such_module")


def test_importing_the_rooms_loads_nothing_of_the_extra() -> None:
    script = "import sys, faxcore.net, faxcore.swml; print(sorted({'httpx2', 'stamina', 'yaml'} & set(sys.modules)))"
    root = str(Path(faxcore.__file__).parents[1])
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{script}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_names_of_files_are_tame(tmp_path: Path) -> None:
    url = asyncio.run(FolderStorage(tmp_path).store(small_document(), "../../etc/passwd"))
    assert url == (tmp_path / "______etc_passwd.pdf").as_uri()
    assert [path.name for path in tmp_path.iterdir()] == ["______etc_passwd.pdf"]


# ---- over UDP


def over_udp(document: AnyDocument, stop_after: int = 99) -> tuple[Fax, faxcore.FaxResult | None]:
    """A document from a sender on a socket to a service on another, in a loop whose clock jumps."""

    async def main() -> tuple[Fax, faxcore.FaxResult | None]:
        sender = faxcore.FaxCall.send(document, identity="+1999", carrier=faxcore.T38())
        sender.wait_for_pages()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            local = free.getsockname()
        async with FaxService(storage=Memory()) as service:
            fax = None
            with contextlib.suppress(asyncio.CancelledError):
                async with service.fax(ReceiveFax.parse(), carrier=faxcore.T38()) as fax:
                    ours = asyncio.create_task(over_udptl(fax, local=local))
                    await asyncio.sleep(0)
                    async with UdptlCall(sender, local=("127.0.0.1", 0), remote=local) as line:
                        while not (ours.done() or (fax.call and fax.call.progress.confirmed >= stop_after)):
                            await asyncio.sleep(0.05)
                        if not ours.done():
                            ours.cancel()
                        await ours
                        await line.finished()
        assert fax
        return fax, sender.result

    return run_with_jumping_clock(main())  # type: ignore[no-any-return]


def test_a_fax_on_a_socket() -> None:
    fax, sent = over_udp(small_document(2))
    assert sent
    assert sent.success
    assert fax.outcome.result.success
    assert fax.outcome.variables["receive_fax_remote_identity"] == "+1999"


def test_a_fax_on_a_socket_that_is_cancelled() -> None:
    fax, _ = over_udp(small_document(8), stop_after=2)
    result = fax.outcome.result
    assert (result.code, result.detail) == (48, 103)
    assert 2 <= result.pages < 8
