"""Many faxes in one event loop: no callback is lost or out of order, and nothing is left of a call that is over."""

from __future__ import annotations

import asyncio
import gc
import logging
import zlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import faxcore
from faxcore.net import FaxService
from faxcore.swml import CallInfo, SendFax
from tests.document_support import pdf, start_drawing, text
from tests.http_support import Asked, Server, open_descriptors, reply, serving
from tests.swml_support import ALLOWED, FAR_NUMBER, QUICK, carry

PAGES = 2
SLIP = pdf(*[text(3, top=120)] * PAGES, size=(595.0, 140.0))
BATCHES, BATCH = 50, 100
WHOLE = [*range(1, PAGES + 1), "finished"]


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of notes on retries would fill the memory that is watched here; the drawing processes run before."""
    caplog.set_level(logging.ERROR, "stamina")
    start_drawing()


class Office:
    """A server of documents and callbacks; one event in seven is refused when it comes first. `events` by URL."""

    def __init__(self) -> None:
        self.events: dict[str, list[int | str]] = defaultdict(list)
        self.refused: set[bytes] = set()

    async def answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.method == "GET":
            writer.write(reply(200, SLIP))
            return
        if zlib.crc32(asked.body) % 7 == 0 and asked.body not in self.refused:
            self.refused.add(asked.body)
            writer.write(reply(503))
            return
        fax = asked.json["params"]["fax"]
        self.events[asked.target].append(fax["params"].get("number", fax["type"]))
        writer.write(reply(200))


async def one(service: FaxService, server: Server, turns: asyncio.Lock, number: int) -> dict[str, Any]:
    params = {"document": server.url("/letter.pdf"), "status_url": server.url(f"/status/{number}")}
    async with service.fax(SendFax.parse(params), CallInfo(call_id=str(number), from_=f"+1{number:09}")) as fax:
        await carry(fax, faxcore.FaxCall.receive(identity=FAR_NUMBER), turns=turns)
    assert fax.outcome.undelivered == ()
    return fax.outcome.variables


def service() -> FaxService:
    return FaxService(policy=ALLOWED, retries=QUICK, wait=60.0)


@pytest.mark.timeout(600)
def test_300_at_once() -> None:
    office = Office()

    async def run() -> list[dict[str, Any]]:
        async with serving(office.answer) as server, service() as shared:
            turns = asyncio.Lock()
            outcomes = await asyncio.gather(*(one(shared, server, turns, number) for number in range(300)))
            assert asyncio.all_tasks() == {asyncio.current_task(), *server.tasks}
            return outcomes

    before = open_descriptors()
    outcomes = asyncio.run(run())
    assert [outcome["send_fax_result"] for outcome in outcomes] == ["success"] * 300
    assert [outcome["send_fax_identity"] for outcome in outcomes] == [f"+1{number:09}" for number in range(300)]
    assert office.events == {f"/status/{number}": WHOLE for number in range(300)}
    assert len(office.refused) > 50
    assert open_descriptors() <= before


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_memory_stays_flat_over_5000_calls() -> None:
    office = Office()

    async def run() -> list[int]:
        async with serving(office.answer) as server, service() as shared:
            turns, sizes = asyncio.Lock(), list[int]()
            for batch in range(BATCHES):
                numbers = range(BATCH * batch, BATCH * (batch + 1))
                await asyncio.gather(*(one(shared, server, turns, number) for number in numbers))
                assert office.events == {f"/status/{number}": WHOLE for number in numbers}
                for remembered in (server.asked, office.refused, office.events):
                    remembered.clear()
                gc.collect()
                sizes.append(resident())
            return sizes

    sizes = asyncio.run(run())
    assert max(sizes[-5:]) < 1.05 * max(sizes[5:10]), sizes


def resident() -> int:
    """Octets of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
