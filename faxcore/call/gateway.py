"""Gateway: a fax machine on a telephone line as one end of a T.38 session."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from faxcore import units
from faxcore.call.facade import _checked
from faxcore.carrier.gateway import GatewayCarrier
from faxcore.events import Event
from faxcore.options import T38, Audio, Options

Samples = npt.NDArray[np.int16]


class Gateway:
    """Audio on one side, T.38 on the other. It never blocks, reads no clock and belongs to one thread at a time.

    The line is fed as that of a `FaxCall` over audio, 8 kHz int16, and it is the line's samples that let time pass:
    push the missing ones too. Datagrams are pushed as they come and pulled after each push of audio. `carrier` is
    what was negotiated for the T.38 side; of `options` count `ecm`, `modulations` and `max_rate`: more is not
    offered through the gateway. `level` is that of what it plays.
    """

    def __init__(
        self, *, carrier: T38 | None = None, options: Options | None = None, audio: Audio | None = None,
    ) -> None:
        for name, given, kind in (("carrier", carrier, T38), ("options", options, Options), ("audio", audio, Audio)):
            if given is not None and not isinstance(given, kind):
                raise ValueError(f"{name} must be faxcore.{kind.__name__}(...), not {given!r}")
        self._events: deque[Event] = deque()
        self._carrier = GatewayCarrier(
            carrier or T38(), options or Options(), level_dbm0=(audio or Audio()).level, emit=self._events.append)

    def push_audio(self, samples: npt.ArrayLike) -> None:
        """Hear samples: a one-dimensional array of int16 at 8 kHz, or anything that is one. TypeError, ValueError."""
        self._carrier.push(_checked(samples))

    def push_missing(self, n: int) -> None:
        """Let n samples of line time pass of which nothing arrived."""
        self._carrier.push(np.zeros(_count(n), np.int16))

    def pull_audio(self, n: int) -> Samples:
        """Exactly n samples to put on the line; silence once the call is finished."""
        return self._carrier.pull(_count(n))

    def push_datagram(self, data: bytes, now: float) -> None:
        """Hear a datagram that came at `now`, seconds on the owner's clock; what is none of T.38 is ignored."""
        self._carrier.push_datagram(bytes(data))

    def pull_datagrams(self, now: float) -> list[bytes]:
        """The datagrams that are to be sent by `now`: those that the line's samples so far have led to."""
        out, self._carrier.speaker.datagrams = self._carrier.speaker.datagrams, []
        return out

    def advance(self, now: float) -> None:
        """Nothing to do: time passes with the line's samples."""

    @property
    def deadline(self) -> float | None:
        """None: nothing is ever due before the next samples of the line."""
        return None

    @property
    def line_time(self) -> float:
        """Seconds of line heard so far."""
        return units.seconds(self._carrier.heard)

    def events(self) -> Iterator[Event]:
        """The events since the last time, oldest first: tones, frames and bursts that were heard on the line."""
        while self._events:
            yield self._events.popleft()

    @property
    def finished(self) -> bool:
        """True once the call is over: DCN has passed, or neither side has said anything for two minutes."""
        return self._carrier.finished

    def hang_up(self) -> None:
        """End it: nothing more is said on either side, and `finished` is true."""
        self._carrier.drop()

    def line_dropped(self) -> None:
        """The telephone line is gone: `finished` is true."""
        self._carrier.drop()


def _count(n: int) -> int:
    if n < 0:
        raise ValueError(f"n is a number of samples, not {n}")
    return n
