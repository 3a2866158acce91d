"""A station in this process at the other end of a simulated line, in virtual time: minutes of line take a second."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

from faxcore.call import FaxCall
from faxcore.document import AnyDocument, ReceivedDocument
from faxcore.line import Line
from faxcore.net.service import Fax
from faxcore.options import T38
from faxcore.simulation import simulate


class _Stopped(Exception):  # noqa: N818 - no error
    """Nobody carries the call any more."""


@dataclass
class LoopbackStation:
    """Takes every fax that is sent to it, and sends `document` to whoever wants to receive.

    A call over T.38 goes over a network without faults. `received` is what the last call brought.
    """

    identity: str = "+15551230002"
    document: AnyDocument | None = None
    line: Line = field(default_factory=lambda: Line(noise_dbm0=-55, law="mu"))
    received: AnyDocument = field(default_factory=ReceivedDocument)

    async def carry(self, fax: Fax) -> None:
        """Carries the call of a fax to its end in a thread, which also polls the fax. ValueError: nothing to send."""
        call = fax.call
        if call is None:
            return
        far = self._far(fax, T38() if call.packets else None)
        line = None if call.packets else self.line
        stop = threading.Event()

        def step(_: FaxCall) -> None:
            fax.poll()
            if stop.is_set():
                raise _Stopped

        ends = (call, far) if fax.sends else (far, call)
        work = asyncio.create_task(asyncio.to_thread(simulate, *ends, line=line, progress=step))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()  # the call is its owner's again when the thread has let it go
            await asyncio.gather(work, return_exceptions=True)
            raise
        self.received = far.document

    def _far(self, fax: Fax, carrier: T38 | None) -> FaxCall:
        if fax.sends:
            return FaxCall.receive(identity=self.identity, carrier=carrier)
        if self.document is None:
            raise ValueError("the station has no document to send")
        return FaxCall.send(self.document, identity=self.identity, carrier=carrier)
