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


class FarStation:
    """A line to a fax machine that receives, or sends where it has a document."""

    def __init__(self, identity: str, document: faxcore.Document | None = None) -> None:
        if document is None:
            self.call = faxcore.FaxCall.receive(identity=identity)
        else:
            self.call = faxcore.FaxCall.send(document, identity=identity)
        self.call.wait_for_pages()
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
