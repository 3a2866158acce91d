"""Carrying the call of a fax over a socket."""

from __future__ import annotations

import asyncio

from faxcore.net.service import Fax
from faxcore.net.udptl import Address, UdptlCall

LOOK = 0.1
"""Seconds between two looks at the call for new events."""


async def over_udptl(fax: Fax, *, local: Address = ("0.0.0.0", 0), remote: Address | None = None) -> None:
    """Carries the call of a fax, which has the carrier T38, on a UDP socket as `UdptlCall` does. OSError."""
    if fax.call is None:
        return
    async with UdptlCall(fax.call, local=local, remote=remote) as line:
        over = asyncio.ensure_future(line.finished())
        try:
            while not over.done():
                await asyncio.wait((over,), timeout=LOOK)
                fax.poll()
        except BaseException:
            line.hang_up()
            raise
        finally:
            over.cancel()
