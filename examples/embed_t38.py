"""send_fax over T.38: from the beginning, and in a call that begins as audio and becomes packets.

    python examples/embed_t38.py letter.pdf

Your SIP stack negotiates (image/t38 in SDP); faxcore says when a switch is wanted and whether it is still allowed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from far_station import FRAME, FarPackets, FarStation, in_a_hurry

import faxcore
from faxcore.events import Event, T38Wanted
from faxcore.net import Fax, FaxService, FetchLimits
from faxcore.swml import CallInfo, SendFax

NEGOTIATED = faxcore.T38(version=0, error_correction="redundancy", redundancy=3, max_datagram=400)
"""What the answer to the re-INVITE said."""


async def carry_packets(fax: Fax, udp: FarPackets) -> None:
    """Carries a call as datagrams. `udp.time()` is a monotonic clock in seconds.

    `faxcore.net.over_udptl` does this on a socket of its own.
    """
    call = fax.call
    while call is not None and not call.finished:
        for datagram in call.pull_datagrams(udp.time()):
            udp.send(datagram)
        fax.poll()
        arrived = await udp.receive(call.deadline)
        if arrived is None:
            call.advance(udp.time())
        else:
            call.push_datagram(arrived, udp.time())


async def carry_until_t38(fax: Fax, rtp: FarStation, wanted: asyncio.Event) -> bool:
    """Carries a call in frames of 20 ms until it should become packets; False where it ended before."""
    call = fax.call
    while call is not None and not call.finished:
        frame = await rtp.read()
        if frame is None:
            call.push_missing(FRAME)
        else:
            call.push_audio(frame)
        await rtp.write(call.pull_audio(FRAME))
        fax.poll()
        if wanted.is_set() and call.switch_allowed:
            return True
    return False


async def over_t38(service: FaxService, method: SendFax) -> Fax:
    """A call that was packets from the first SDP on."""
    info = CallInfo(call_id="packets", from_="+15551231234")
    far = FarPackets(faxcore.FaxCall.receive(identity="+15553214321", carrier=NEGOTIATED))
    async with service.fax(method, info, carrier=NEGOTIATED) as fax:
        in_a_hurry(fax.call)
        await carry_packets(fax, far)
    return fax


async def switched(service: FaxService, method: SendFax) -> Fax:
    """A call that begins as audio: the far end answers with CED, and both sides agree on T.38."""
    wanted = asyncio.Event()

    def watch(event: Event) -> None:
        if isinstance(event, T38Wanted):
            wanted.set()  # time to send the re-INVITE; the call goes on as audio until it is answered

    rtp = FarStation("+15553214321")
    async with service.fax(method, CallInfo(call_id="switched", from_="+15551231234"), watch=watch) as fax:
        in_a_hurry(fax.call)
        if await carry_until_t38(fax, rtp, wanted) and fax.call is not None:
            rtp.call.switch(NEGOTIATED, 0.0)
            fax.call.switch(NEGOTIATED, 0.0)  # CallError if it is too late: then answer 488, and audio goes on
            await carry_packets(fax, FarPackets(rtp.call))
    return fax


async def main(document: str) -> None:
    """Both calls."""
    path = Path(document).resolve()
    method = SendFax.parse({"document": path.as_uri(), "header_info": "ACME"})
    async with FaxService(limits=FetchLimits(files=(path.parent,))) as service:
        for fax in (await over_t38(service, method), await switched(service, method)):
            told = fax.outcome.variables
            print(f"{fax.info.call_id}: {told['send_fax_result']}, {told['send_fax_pages']} pages")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
