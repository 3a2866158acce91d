"""V.21 channel 2: 300 bit/s FSK, the carrier of every T.30 control signal.

Numbers of the recommendation: 1650 Hz is binary 1, 1850 Hz binary 0, continuous phase [V.21]; one second
of flags before the frames [T.30 5.3.1].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from faxcore import units
from faxcore.hdlc import EventBuffer, frame_bits
from faxcore.kernels import native
from faxcore.kernels.twins import fsk as layout
from faxcore.modem.stored import StoredSignal, checked_level
from faxcore.signals import V21, FrameEnds, Octets, SignalBegins, SignalEnds, SignalItem

PREAMBLE_FLAGS = 38
"""1.013 s; 1 s +-15 % is wanted [T.30 5.3.1]."""

# At 24 kHz a bit lasts exactly 80 ticks, and in a tick both tones advance by whole parts of a turn. So three bits are
# 80 samples, and they begin at one of six phases.
_TICKS_A_BIT = 80
_TICKS_A_SAMPLE = 3
_TURN = 480
_MARK, _SPACE = 33, 37
_SHORTEST_FRAME = 32  # bits, FCS included [ISO/IEC 13239]
_BITS, _PHASES = 3, _TURN // _TICKS_A_BIT


_VALUES = 1 << np.arange(_BITS - 1, -1, -1)


@lru_cache(maxsize=16)
def _waves(level_dbm0: float) -> npt.NDArray[np.int16]:
    """The samples of three bits from each phase: row phase * 8 + bits, the first bit highest."""
    amplitude = units.rms_of_dbm0(level_dbm0) * math.sqrt(2)
    wave = np.array([round(amplitude * math.sin(2 * math.pi * k / _TURN)) for k in range(_TURN)], np.int16)
    value = np.arange(1 << _BITS)[:, None] >> np.arange(_BITS - 1, -1, -1) & 1
    advance = np.repeat(np.where(value, _MARK, _SPACE), _TICKS_A_BIT, axis=1)
    phase = (np.cumsum(advance, axis=1) - advance)[:, ::_TICKS_A_SAMPLE]
    starts = np.arange(_PHASES)[:, None, None] * _TICKS_A_BIT
    return np.asarray(wave[(starts + phase) % _TURN]).reshape(-1, phase.shape[1])


def modulate(bits: npt.NDArray[np.uint8], *, level_dbm0: float = -13.0) -> npt.NDArray[np.int16]:
    """The FSK samples of line bits (uint8 0/1); 26 2/3 samples a bit, the last bit rounded up to a whole sample."""
    samples = -(-len(bits) * _TICKS_A_BIT // _TICKS_A_SAMPLE)
    threes = np.append(bits, np.zeros(-len(bits) % _BITS, np.uint8)).reshape(-1, _BITS)
    advance = np.where(threes, _MARK, _SPACE).sum(axis=1)
    phase = (np.cumsum(advance) - advance) % _PHASES
    return np.asarray(_waves(level_dbm0)[phase * (1 << _BITS) + threes @ _VALUES]).ravel()[:samples]


class Transmitter(StoredSignal):
    """One V.21 signal: 1 s of flags, the frames, two closing flags.

    `frames` are octets without FCS, first bit least significant; `level_dbm0` is -40 to 0. ValueError for
    no frames or another level.
    """

    def __init__(self, frames: Sequence[bytes], *, level_dbm0: float = -13.0) -> None:
        super().__init__(_signal(tuple(frames), checked_level(level_dbm0)))


@lru_cache(maxsize=64)
def _signal(frames: tuple[bytes, ...], level_dbm0: float) -> npt.NDArray[np.int16]:
    """Most signals of many calls are alike: a second or two of samples, 16 kB each second."""
    return modulate(frame_bits(frames, preamble_flags=PREAMBLE_FLAGS), level_dbm0=level_dbm0)


class LiveTransmitter:
    """V.21 of bits that become known while they are sent: 80 samples for every three bits, without a break in phase."""

    def __init__(self, *, level_dbm0: float = -13.0) -> None:
        self._waves = _waves(checked_level(level_dbm0))
        self._phase = 0

    def send(self, bits: Sequence[int]) -> npt.NDArray[np.int16]:
        """The samples of three bits. ValueError for another number of them."""
        if len(bits) != _BITS:
            raise ValueError(f"{_BITS} bits are sent at a time, not {len(bits)}")
        wave = self._waves[self._phase * (1 << _BITS) + int(np.dot(bits, _VALUES))]
        self._phase = (self._phase + sum(_MARK if bit else _SPACE for bit in bits)) % _PHASES
        return np.asarray(wave)


class Receiver:
    """Samples to the frames of V.21 signals, as long as it listens.

    A signal begins with three flags in a row, a frame is complete at its closing flag, and the signal ends
    about 25 ms after its carrier. `at` is the line time of the first sample; any chunking gives the same items.
    """

    def __init__(self, *, at: int = 0) -> None:
        if at < 0:
            raise ValueError(f"at is a line time in samples, not {at}")
        self._fields = layout.fsk_state(at)
        self._state = layout.plain(self._fields)
        self._out = EventBuffer(events=16, octets=4 * layout.LONGEST)
        self._carrier = False

    @property
    def carrier(self) -> bool:
        """True from the recognised flags of a signal until its carrier is gone."""
        return self._carrier

    @property
    def partial(self) -> bytes:
        """The octets so far of the frame that is coming in; the last two may be its FCS."""
        hdlc = self._fields[0]["hdlc"]
        return hdlc["frame"][: max(0, int(hdlc["bits"])) // 8].tobytes() if self._carrier else b""

    def push(self, samples: npt.NDArray[np.int16]) -> list[SignalItem]:
        """What these samples, int16 at 8 kHz, bring."""
        items: list[SignalItem] = []
        start, n = 0, len(samples)
        while start < n:
            taken, count = native.fsk_receive(self._state, samples, start, self._out.plain, self._out.octets)
            if count:
                self._collect(items, count)
            start += taken
        return items

    def missing(self, n: int) -> list[SignalItem]:
        """Let n samples of line time pass of which nothing is known: a signal goes on, a frame it was in is bad."""
        fsk, items = self._fields[0], list[SignalItem]()
        hdlc = fsk["hdlc"]
        if self._carrier and hdlc["bits"] >= _SHORTEST_FRAME:
            items = [Octets(int(fsk["position"]), b""), FrameEnds(int(fsk["position"]), False)]
        if n and fsk["open"]:
            hdlc["ones"], hdlc["bits"], hdlc["flags"] = 7, -1, 0
        for name in ("sums", "energy", "window", "before") if n else ():
            fsk[name] = 0
        fsk["clock"] = (int(fsk["clock"]) + n * layout.BIT * _TICKS_A_SAMPLE // _TICKS_A_BIT) % layout.BIT
        fsk["position"] += n
        return items

    def _collect(self, items: list[SignalItem], count: int) -> None:
        for at, kind, octets in self._out.read(count):
            if kind == layout.BEGINS:
                self._carrier = True
                items.append(SignalBegins(at, V21))
            elif kind == layout.ENDS:
                self._carrier = False
                items.append(SignalEnds(at))
            else:
                items += [Octets(at, octets), FrameEnds(at, kind == layout.GOOD_FRAME)]
