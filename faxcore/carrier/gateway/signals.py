"""What a gateway plays on the telephone line while its contents still come in as packets."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import numpy as np
import numpy.typing as npt

from faxcore import hdlc, modem, units
from faxcore.carrier.gateway.fill import FillBuffer
from faxcore.carrier.timing import ECM_FLAGS_SECONDS, TCF_SECONDS
from faxcore.modem import tones, v21
from faxcore.signals import Modulation

Samples = npt.NDArray[np.int16]

BLOCK = 80
"""Samples that are made at a time: 10 ms, three bits of V.21."""

PREAMBLE_FLAGS = 38    # 1 s [T.30 5.3.1]
HEAD_START = 8         # octets of a frame that must be there before it begins: no pause is possible in it
CLOSING_FLAGS = 2
LONGEST_FRAME, MOST_FRAMES = 600, 600    # a block of error correction has 256, with 260 octets
FLAG, _ABORT = "01111110", "11111111"


def _stuffed(octets: bytes) -> str:
    """The bits of octets, first on the line first, a 0 after each five 1s."""
    bits = np.unpackbits(np.frombuffer(octets, np.uint8), bitorder="little") + np.uint8(ord("0"))
    return bits.tobytes().decode().replace("11111", "111110")


class Signal(Protocol):
    """Something on the line. `done` once it has been played to its end."""

    @property
    def done(self) -> bool: ...

    def block(self) -> Samples:
        """The next 80 samples."""
        ...


class Tone:
    """CNG without end, or CED for its 3 s."""

    def __init__(self, name: str, *, level_dbm0: float) -> None:
        self.name = name
        calling = name == "cng"
        self._pull = (tones.CallingTone if calling else tones.AnswerTone)(level_dbm0=level_dbm0).pull
        self._left = None if calling else units.samples(3.0)

    @property
    def done(self) -> bool:
        return self._left is not None and self._left <= 0

    def block(self) -> Samples:
        if self._left is not None:
            self._left -= BLOCK
        return self._pull(BLOCK)


class _Frame:
    """A frame that is coming in."""

    def __init__(self) -> None:
        self.octets = bytearray()
        self.good: bool | None = None    # None: it has not ended
        self.aborted = False

    def check(self) -> bytes:
        """Its FCS; a false one where the frame was bad."""
        fcs = hdlc.fcs(self.octets)
        return (fcs if self.good else fcs ^ 0xFFFF).to_bytes(2, "little")


class Framed:
    """The feeding side of a signal of frames."""

    def __init__(self) -> None:
        self.frames: deque[_Frame] = deque()
        self.ended = False

    @property
    def said(self) -> bool:
        """Something of its contents has been played."""
        return True

    def add(self, octets: bytes) -> None:
        """Octets of the frame that is coming in, first bit least significant."""
        if not self.frames or self.frames[-1].good is not None:
            if len(self.frames) >= MOST_FRAMES:
                return
            self.frames.append(_Frame())
        self.frames[-1].octets += octets[: max(0, LONGEST_FRAME - len(self.frames[-1].octets))]

    def end_frame(self, good: bool) -> None:
        """The octets so far are a frame."""
        if self.frames and self.frames[-1].good is None:
            self.frames[-1].good = good and len(self.frames[-1].octets) < LONGEST_FRAME

    def end(self) -> None:
        """The signal has no more frames."""
        self.end_frame(False)
        self.ended = True


class V21Signal(Framed):
    """Flags until a frame can begin, its octets as they come, flags again; aborted where octets stay away."""

    def __init__(self, *, level_dbm0: float) -> None:
        super().__init__()
        self._modulator = v21.LiveTransmitter(level_dbm0=level_dbm0)
        self._flags = 0
        self._bits = ""
        self._ones = 0
        self._sent: int | None = None    # octets of the first frame that are on the line; None between frames
        self._any_frame = self.done = False

    def block(self) -> Samples:
        while len(self._bits) < 3 and not self.done:
            self._more()
        bits, self._bits = self._bits[:3].ljust(3, "1"), self._bits[3:]
        return self._modulator.send([int(bit) for bit in bits])

    def _more(self) -> None:
        if self._sent is not None:
            self._go_on(self.frames[0], self._sent)
        elif self._flags >= (1 if self._any_frame else PREAMBLE_FLAGS) and self._may_begin():
            self._sent, self._any_frame = 0, True
        elif self.ended and not self.frames and self._flags >= CLOSING_FLAGS:
            self.done = True
        else:
            self._flag()

    @property
    def said(self) -> bool:
        return self._any_frame

    def _may_begin(self) -> bool:
        while self.frames and self.frames[0].aborted and self.frames[0].good is not None:
            self.frames.popleft()
        if not self.frames or self.frames[0].aborted:
            return False
        return len(self.frames[0].octets) >= HEAD_START or self.frames[0].good is not None

    def _flag(self) -> None:
        self._bits += FLAG
        self._flags, self._ones = self._flags + 1, 0

    def _go_on(self, frame: _Frame, sent: int) -> None:
        if sent < len(frame.octets):
            self._stuff(frame.octets[sent:sent + 1])
            self._sent = sent + 1
            return
        if frame.good is None:
            self._bits += _ABORT
            frame.aborted = True
            self._sent = None
        else:
            self._stuff(frame.check())
            self._sent = None
            self.frames.popleft()
        self._flags = 0
        self._flag()

    def _stuff(self, octets: bytes | bytearray) -> None:
        for octet in octets:
            for place in range(8):
                bit = octet >> place & 1
                self._bits += "1" if bit else "0"
                self._ones = self._ones + 1 if bit else 0
                if self._ones == 5:
                    self._bits += "0"
                    self._ones = 0


class FastSignal(Framed):
    """A fast modem: training at once, then page data or frames. What bridges a pause is FILL or flags.

    `framed`: frames are expected; the first thing that comes decides. `check`: nothing comes, a training check is
    made here [T.38 8.1]. `line_bits`: a line is filled up to so many bits, where the far end took its FILL out.
    """

    def __init__(
        self, modulation: Modulation, *, level_dbm0: float, framed: bool = False, check: bool = False,
        line_bits: int = 0,
    ) -> None:
        super().__init__()
        self.modulation = modulation
        self._transmitter = modem.transmitter(modulation, level_dbm0=level_dbm0)
        self._framed = framed
        self._page = FillBuffer(line_bits)
        self._bits = ""
        self._flags = -round(ECM_FLAGS_SECONDS * modulation.bit_rate / 8)    # before the first frame
        self._step = max(1, modulation.bit_rate * BLOCK // 8 // units.SAMPLE_RATE)
        self._begun = False
        if check:
            self.add_raw(bytes(round(TCF_SECONDS * modulation.bit_rate / 8)))
            self.end()

    @property
    def done(self) -> bool:
        return self._transmitter.done

    def add_raw(self, octets: bytes) -> None:
        """Octets of page data, first bit least significant; a check that is made here takes none."""
        if self.ended:
            return
        self._framed = self._begun and self._framed
        self._begun = True
        self._page.add(octets)

    def add(self, octets: bytes) -> None:
        self._framed = self._framed or not self._begun
        self._begun = True
        super().add(octets)

    def end(self) -> None:
        super().end()
        self._page.end()

    def block(self) -> Samples:
        while self._transmitter.samples_ready < BLOCK and not self._transmitter.done and self._more():
            pass
        out = np.zeros(BLOCK, np.int16)
        samples = self._transmitter.pull(BLOCK)
        out[: len(samples)] = samples
        return out

    def _more(self) -> bool:
        """Feed the modem; false once there is nothing more to feed."""
        octets = self._framed_octets() if self._framed else self._page_octets()
        if octets:
            self._transmitter.feed(octets)
            return True
        self._transmitter.finish()
        return False

    def _page_octets(self) -> bytes:
        octets = self._page.take(self._step)
        return octets if octets or (self.ended and self._page.empty) else bytes(self._step)

    def _framed_octets(self) -> bytes:
        while len(self._bits) < 8 * self._step:
            if self._flags >= 0 and self.frames and self.frames[0].good is not None:
                frame = self.frames.popleft()
                self._bits += _stuffed(bytes(frame.octets) + frame.check()) + FLAG
            elif self.ended and self._flags >= 0:
                self._bits += "1" * (-len(self._bits) % 8)
                break
            else:
                self._bits += FLAG
                self._flags += 1
        whole = len(self._bits) // 8 * 8
        bits, self._bits = self._bits[:whole], self._bits[whole:]
        return int(bits[::-1], 2).to_bytes(whole // 8, "little") if bits else b""
