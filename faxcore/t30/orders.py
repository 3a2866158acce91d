"""The seam between T.30 and what carries it: Orders go down, Reports come up.

It asks what T.31 class 1 lets a terminal ask of a modem, so T.30 never learns whether it travels as audio
or as packets. A procedure is a generator: it yields an Order and gets that Order's Report back. A timer is
an argument of listening; hanging up is an exception thrown in.

    report = yield Order(transmit=(Silence(0.075), Frames((tsi, dcs))), listen=Listen(within=3.45))
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Protocol

from faxcore.signals import CarrierQuality, Modulation


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing on the line for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CallingTone:
    """CNG, with its pauses, until the Order ends; the one signal during which a terminal listens [T.30 4.2]."""


@dataclass(frozen=True, slots=True)
class AnswerTone:
    """CED [T.30 4.1]."""


@dataclass(frozen=True, slots=True)
class Frames:
    """One V.21 signal: preamble, then these frames. Octets without FCS, first bit on the line least significant."""

    frames: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class TrainingCheck:
    """Training, then TCF: zeros for 1.5 s [T.30 5.3.1.4]."""

    modulation: Modulation


@dataclass(frozen=True, slots=True)
class FastFrames:
    """Training, flags for 200 ms, then these frames: one burst of error correction mode [T.4 A.3.1].

    `before` and `share` say for the owner which part of a page was sent before the burst, and which is in it.
    """

    modulation: Modulation
    frames: tuple[bytes, ...]
    before: float = 0.0
    share: float = 0.0


class ImageSource(Protocol):
    """Octets of a page that may still be in the making."""

    def ready(self) -> bool:
        """True once `octets()` returns without waiting."""
        ...

    def octets(self) -> bytes:
        """All octets of the page, first bit on the line least significant; waits until they are there."""
        ...


@dataclass(frozen=True, slots=True)
class Await:
    """Silence until a page is ready, no longer than a far end bears it."""

    source: ImageSource


@dataclass(frozen=True, slots=True)
class Image:
    """Training, then the octets of a page; FILL bridges the time until they are ready [T.4 4.1.3]."""

    modulation: Modulation
    source: ImageSource


Transmission = Silence | CallingTone | AnswerTone | Frames | TrainingCheck | FastFrames | Await | Image


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait for V.21 frames, and for a fast carrier where one is named, both on the same line.

    `within` is the timer: seconds until a signal must have begun. Frames with a good FCS win over a fast
    carrier. Octets of a fast carrier come in blocks of at most `block` octets; where it brings frames (`framed`),
    all of them come at its end, in a BurstHeard. A fast carrier that falls silent may go on within `hold` seconds;
    one that brings no frame for `idle` seconds is Stuck.
    """

    within: float
    fast: Modulation | None = None
    block: int = 1 << 16
    framed: bool = False
    hold: float = 0.2
    idle: float = 35.0


@dataclass(frozen=True, slots=True)
class Order:
    """What to transmit, in this order, and then what to listen for (nothing: report when sent).

    `at_once`: the far end has no modem that needs time; only packets can do that.
    """

    transmit: tuple[Transmission, ...] = ()
    listen: Listen | None = None
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """All was sent and there was nothing to listen for."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class TimedOut:
    """No signal came in time, or one ended without a good frame and left the line silent [T.30 5.4.3]."""

    begin: float
    end: float
    carrier_heard: bool = False


@dataclass(frozen=True, slots=True)
class FramesHeard:
    """A V.21 signal: its frames with good FCS in order, and how many had a bad one. The last good one is final."""

    begin: float
    end: float
    frames: tuple[bytes, ...]
    bad: int = 0


@dataclass(frozen=True, slots=True)
class Stuck:
    """V.21 flags began but no frame ended in 3 s, or a carrier would not drop [T.30 5.4.3]."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class DataHeard:
    """Octets of a fast carrier. `more`: the carrier is still up and the same Listen goes on. The first
    report, without octets, comes as soon as the carrier is recognised.

    `trained` is false for a carrier that came and went without being decoded; `lost` is the share of the time
    that it was silent.
    """

    begin: float
    end: float
    octets: bytes
    more: bool = False
    trained: bool = True
    quality: CarrierQuality = field(default_factory=CarrierQuality)
    lost: float = 0.0


@dataclass(frozen=True, slots=True)
class BurstHeard:
    """Frames with good FCS of a fast carrier, in order, and how many had a bad one; the carrier is gone."""

    begin: float
    end: float
    frames: tuple[bytes, ...]
    bad: int = 0
    trained: bool = True
    quality: CarrierQuality = field(default_factory=CarrierQuality)


Report = Sent | TimedOut | FramesHeard | Stuck | DataHeard | BurstHeard


class HangUp(Exception):  # noqa: N818 - thrown into a procedure, never an error of anybody
    """The owner wants the call to end: DCN if it can be sent, then the end."""


class LineDropped(Exception):  # noqa: N818
    """The line is gone; nothing can be sent any more."""


Procedure = Generator[Order, Report, None]
