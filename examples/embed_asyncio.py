"""send_fax in a runtime on asyncio: you own the call and its audio, faxcore everything from send_fax to its result.

    python examples/embed_asyncio.py letter.pdf [calls]

sends a document in several calls at once; the last is cancelled on its way.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from far_station import FRAME, FarStation, in_a_hurry

from faxcore.net import Fax, FaxService, FetchLimits, FolderStorage
from faxcore.swml import CallInfo, SendFax


async def send_fax(service: FaxService, params: object, info: CallInfo, rtp: FarStation) -> dict[str, str | int]:
    """One `send_fax` step; gives the variables that it sets. SwmlError for parameters that SWML does not allow."""
    method = SendFax.parse(params)
    async with service.fax(method, info) as fax:  # fetched, counted and drawn: now the far end may be called
        in_a_hurry(fax.call)
        if fax.call is not None:  # None: the document cannot be had, and the variables say so
            await carry_audio(fax, rtp)
    return fax.outcome.variables


async def carry_audio(fax: Fax, rtp: FarStation) -> None:
    """Carries a call in frames of 20 ms. Cancelling this task ends the call and its fax cleanly."""
    call = fax.call
    while call is not None and not call.finished:
        try:
            frame = await rtp.read()
        except EOFError:
            call.line_dropped()
            break
        if frame is None:
            call.push_missing(FRAME)
        else:
            call.push_audio(frame)
        await rtp.write(call.pull_audio(FRAME))
        fax.poll()  # confirmed pages go to status_url; never waits


async def main(document: str, calls: int) -> None:
    """Several calls in one event loop."""
    path = Path(document).resolve()
    params = {"document": path.as_uri(), "header_info": "ACME"}
    limits = FetchLimits(files=(path.parent,))  # a real runtime leaves this out: file:// is refused then
    async with FaxService(limits=limits, storage=FolderStorage(".")) as service:
        tasks = []
        for number in range(calls):
            info = CallInfo(call_id=f"call-{number}", from_="+15551231234", to=f"+1555{number:07}")
            tasks.append(asyncio.create_task(send_fax(service, params, info, FarStation(info.to))))
        asyncio.get_running_loop().call_later(0.5, tasks[-1].cancel)
        for number, outcome in enumerate(await asyncio.gather(*tasks, return_exceptions=True)):
            told = outcome if isinstance(outcome, dict) else {}
            words = told.get("send_fax_result", type(outcome).__name__)
            print(f"call {number}: {words}, {told.get('send_fax_pages', 0)} pages")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3))
