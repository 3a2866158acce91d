"""What a call tells its owner, each stamped with `at`: line time in seconds since the call began."""

from __future__ import annotations

from dataclasses import dataclass, field

from faxcore.result import FaxResult
from faxcore.signals import CarrierQuality, Modulation


@dataclass(frozen=True, slots=True)
class Event:
    """The base of all events."""

    at: float


@dataclass(frozen=True, slots=True)
class ToneHeard(Event):
    """A CNG or CED tone was heard: `tone` is "cng" or "ced"."""

    tone: str


@dataclass(frozen=True, slots=True)
class T38Wanted(Event):
    """The far end is a fax for sure: V.21 or CED was heard for the first time, on audio."""


@dataclass(frozen=True, slots=True)
class FramesSent(Event):
    """A V.21 signal went out; frames as octets without FCS, first bit least significant."""

    frames: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class FramesReceived(Event):
    """A V.21 signal came in: the frames with good FCS, and how many had a bad one."""

    frames: tuple[bytes, ...]
    bad: int = 0


@dataclass(frozen=True, slots=True)
class Negotiated(Event):
    """DCS was sent or received: what the next pages will use.

    `width_mm` is the line's: 215, 255 or 303 (A4, B4, A3); `length` is "A4", "B4", "letter", "legal" or "unlimited".
    """

    modulation: Modulation
    coding: str
    resolution: str
    remote_identity: str
    ecm: bool = False
    width_mm: int = 215
    length: str = "A4"


@dataclass(frozen=True, slots=True)
class BurstReceived(Event):
    """A fast carrier came and went: what its receiver saw. `points`: those of `quality`, as plain numbers."""

    modulation: Modulation
    trained: bool
    quality: CarrierQuality
    points: tuple[complex, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class FramesAskedFor(Event):
    """Error correction: so many frames of the page's `block` (from 1) did not arrive and go again."""

    block: int
    frames: int


@dataclass(frozen=True, slots=True)
class Retrain(Event):
    """Training failed or was asked for again; `modulation` is the one that failed."""

    modulation: Modulation


@dataclass(frozen=True, slots=True)
class PageStarted(Event):
    """A page goes onto the line, or its carrier was recognised. `number` counts from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class PageSent(Event):
    """A page was confirmed by the far end."""

    number: int
    octets: int
    rows: int


@dataclass(frozen=True, slots=True)
class PageReceived(Event):
    """A page was received and confirmed.

    `command` came after it: "MPS", "EOM" where another document or page size may follow, "EOP" at the end.
    """

    number: int
    octets: int
    rows: int
    bad_rows: int = 0
    longest_bad_run: int = 0
    command: str = ""


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The call is over; always the last event."""

    result: FaxResult
