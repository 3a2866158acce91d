"""What the examples call: a fax machine behind a telephone line of 20 ms frames, in this process and without waiting.

In your program this is your RTP: `read` gives the next frame, or None where a packet is missing, and raises
EOFError when the far end has hung up; `write` takes the next frame.
"""

from __future__ import annotations

import asyncio

import numpy as np
import numpy.typing as npt

import faxcore

FRAME = 160
"""Samples in 20 ms at 8 kHz."""

Samples = npt.NDArray[np.int16]


def in_a_hurry(call: faxcore.FaxCall | None) -> None:
    """For these lines alone, which run faster than life: the call waits for pages that are not drawn yet."""
    if call is not None:
        call.wait_for_pages()


class FarStation:
    """A line to a fax machine that receives, or sends where it has a document."""

    def __init__(self, identity: str, document: faxcore.Document | None = None) -> None:
        if document is None:
            self.call = faxcore.FaxCall.receive(identity=identity)
        else:
            self.call = faxcore.FaxCall.send(document, identity=identity)
        in_a_hurry(self.call)
        self._after = 50

    def read_now(self) -> Samples | None:
        """The next frame."""
        if self.call.finished:
            self._after -= 1
            if not self._after:
                raise EOFError
        return self.call.pull_audio(FRAME)

    def write_now(self, frame: Samples) -> None:
        """The answer to a frame."""
        self.call.push_audio(frame)

    async def read(self) -> Samples | None:
        """As `read_now`, for asyncio: other calls have their turn."""
        await asyncio.sleep(0)
        return self.read_now()

    async def write(self, frame: Samples) -> None:
        """As `write_now`, for asyncio."""
        self.write_now(frame)


class FarPackets:
    """A fax machine that receives behind T.38, and the network to it. In your program: a UDP socket and your clock."""

    def __init__(self, call: faxcore.FaxCall, now: float = 0.0) -> None:
        self.call, self._now = call, now
        in_a_hurry(call)
        self._arrived: list[bytes] = []

    def time(self) -> float:
        """Seconds on the clock of the network."""
        return self._now

    def send(self, datagram: bytes) -> None:
        """A datagram to the far end."""
        self.call.push_datagram(datagram, self._now)

    async def receive(self, until: float | None) -> bytes | None:
        """The next datagram, or None when it is `until`."""
        await asyncio.sleep(0)
        while True:
            self._arrived += self.call.pull_datagrams(self._now)
            if self._arrived:
                return self._arrived.pop(0)
            times = [at for at in (until, self.call.deadline) if at is not None]
            self._now = max(self._now, min(times, default=self._now))
            if until is None or self._now >= until:
                return None
