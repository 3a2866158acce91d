"""Both engines behind the same few functions: whole bursts sent and heard, as bits or as V.21 frames."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from faxcore import modem
from faxcore.hdlc import frame_bits
from faxcore.modem import v21
from faxcore.signals import FrameEnds, Octets
from tests.interop import spandsp

Bits = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.int16]
ENGINES = ("faxcore", "spandsp")
SENT_DBM0 = -13.0
"""Well away from clipping and from rounding; the channel sets the level."""


class Heard(NamedTuple):
    """What a receiver made of a burst; the bits are those after training."""

    trained: bool
    bits: Bits


def send(engine: str, name: str, rate: int, bits: Bits, *, short: bool = False) -> Samples:
    """A burst of one engine's transmitter; V.27ter with talker echo protection, as facsimile has it [T.4 5.1]."""
    echo = name == "v27ter"
    if engine == "spandsp":
        return spandsp.modulate(bits, name, rate, level_dbm0=SENT_DBM0, tep=echo, short_train=short)
    training = "short" if short else "long"
    return modem.modulate(bits, name, rate, training=training, level_dbm0=SENT_DBM0, echo_protection=echo)


def hear(engine: str, name: str, rate: int, line: Samples) -> Heard:
    """The first burst on the line, as one engine hears it."""
    heard = spandsp.demodulate(line, name, rate) if engine == "spandsp" else modem.demodulate(line, name, rate)
    return Heard(heard.trained, heard.bits)


def send_frames(frames: list[bytes]) -> Samples:
    """V.21 frames after their preamble."""
    bits = np.frombuffer(bytes(frame_bits(frames, preamble_flags=v21.PREAMBLE_FLAGS)), np.uint8)
    return v21.modulate(bits, level_dbm0=SENT_DBM0)


def hear_frames(engine: str, line: Samples) -> list[bytes]:
    """The good frames on the line."""
    if engine == "spandsp":
        return [octets for octets, good in spandsp.hdlc_demodulate(line) if good]
    good, octets = [], bytearray()
    for item in v21.Receiver().push(line):
        if isinstance(item, Octets):
            octets += item.data
        elif isinstance(item, FrameEnds):
            if item.good:
                good.append(bytes(octets))
            octets.clear()
    return good


def hear_short(engine: str, rate: int, first: Samples, line: Samples) -> Heard:
    """A V.17 burst of short training, by a receiver that has heard `first`, one of long training."""
    if engine == "spandsp":
        heard = spandsp.v17_demodulate_short(first, line, rate)
    else:
        heard = modem.demodulate(line, "v17", rate, trained=modem.demodulate(first, "v17", rate))
    return Heard(heard.trained, heard.bits)
