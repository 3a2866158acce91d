"""The signal stream below T.30: what the line carries, as T.38 names it.

A modem turns samples into this stream and back; T.38 packets are it. One signal is SignalBegins, then
Octets and (for HDLC) FrameEnds, then SignalEnds. `at` is line time in samples: when an item became known, which
never depends on how the samples were chunked; for Octets it is when the first of them was on the line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Modulation(NamedTuple):
    """A modulation at a rate in bit/s; V.17 with its short training is one of its own, as in T.31."""

    name: str
    bit_rate: int
    short: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.bit_rate}"


V21 = Modulation("v21", 300)
V27TER_2400 = Modulation("v27ter", 2400)
V27TER_4800 = Modulation("v27ter", 4800)
V29_4800 = Modulation("v29", 4800)
V29_7200 = Modulation("v29", 7200)
V29_9600 = Modulation("v29", 9600)
V17_7200, V17_9600, V17_12000, V17_14400 = (Modulation("v17", rate) for rate in (7200, 9600, 12000, 14400))


def no_points() -> NDArray[np.complex64]:
    """No complex numbers, which cannot be written to."""
    import numpy as np  # the words of the command do without

    nothing = np.zeros(0, np.complex64)
    nothing.flags.writeable = False
    return nothing


@dataclass(frozen=True, slots=True)
class CarrierQuality:
    """What a fast receiver saw of a burst: error vector magnitude (ratio), SNR over 0-4 kHz, offsets of the far end.

    `bits` is how many data bits it delivered; `taps` (complex64, half a symbol apart) is its equaliser at the end,
    `points` (complex64) the last ones that it decided on, in the units of the recommendation's figure.
    """

    evm: float = 0.0
    snr_db: float = 0.0
    carrier_hz: float = 0.0
    clock_ppm: float = 0.0
    level_dbm0: float = 0.0
    modulation: Modulation | None = None
    trained: bool = False
    bits: int = 0
    taps: NDArray[np.complex64] = field(default_factory=no_points, repr=False, compare=False)
    points: NDArray[np.complex64] = field(default_factory=no_points, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SignalBegins:
    """A carrier was recognised: V.21 flags, or a fast modem that has trained."""

    at: int
    modulation: Modulation


@dataclass(frozen=True, slots=True)
class Octets:
    """Octets of a frame or of raw data, first bit on the line least significant."""

    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class FrameEnds:
    """The octets since the last FrameEnds (or SignalBegins) were a frame; FCS taken off."""

    at: int
    good: bool


@dataclass(frozen=True, slots=True)
class SignalEnds:
    """The carrier is gone. `trained` is false for a fast carrier that never could be decoded."""

    at: int
    trained: bool = True
    quality: CarrierQuality = field(default_factory=CarrierQuality)


@dataclass(frozen=True, slots=True)
class SignalFades:
    """A fast carrier fell silent. SignalReturns follows, or SignalEnds: then it ended here, as `quality` says."""

    at: int
    quality: CarrierQuality = field(default_factory=CarrierQuality)


@dataclass(frozen=True, slots=True)
class SignalReturns:
    """The carrier goes on after a silence; what was sent meanwhile is lost."""

    at: int


SignalItem = SignalBegins | Octets | FrameEnds | SignalEnds | SignalFades | SignalReturns
