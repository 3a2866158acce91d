"""Packets on their way to the telephone line: each signal in its turn, with the gaps that T.30 wants."""

from __future__ import annotations

from collections import deque

import numpy as np

from faxcore import units
from faxcore.carrier.gateway.frames import Conversation, Editor
from faxcore.carrier.gateway.signals import BLOCK, FastSignal, Framed, Samples, Signal, Tone, V21Signal
from faxcore.carrier.stream import Heard
from faxcore.options import Options
from faxcore.signals import V21, FrameEnds, Modulation, Octets, SignalBegins, SignalEnds

GAP = units.samples(0.075)
"""Between two signals [T.30 5 note 3]."""

LONGEST_WAIT = units.samples(5.0)
"""How long a signal waits for the machine on the line to end its own."""


MOST_WAITING = 8
"""Signals that wait to be played; a far end that begins more of them is none."""

LONGEST_BRIDGE = units.samples(2.8)
"""Flags without a frame that a machine bears: it waits for 3 s [T.30 5.4.3]."""


class Player:
    """Plays what packets bring. `sent` counts samples, `answers` the signals of frames or data so far.

    `local_check`: training checks are made here, none is carried. `fill_removal`: packets bring lines without FILL.
    """

    def __init__(
        self, conversation: Conversation, options: Options, *, level_dbm0: float, local_check: bool,
        fill_removal: bool,
    ) -> None:
        self.sent = 0
        self.answers = 0
        self.refused = False
        self._conversation, self._options = conversation, options
        self._level, self._local_check = level_dbm0, local_check
        self._fill_removal = fill_removal
        self._queue: deque[Signal] = deque()
        self._playing: Signal | None = None
        self._open: V21Signal | FastSignal | None = None    # what packets still add to
        self._bridge: V21Signal | None = None    # flags that wait for the signal they are to be the preamble of
        self._bridge_at: int | None = None       # when they begin, or if they have begun, end
        self._free_at = 0
        self._waited = 0
        self._last_tone = ("", 0)
        self._editor: Editor | None = None
        self._frame = bytearray()

    @property
    def idle(self) -> bool:
        """Nothing is played, and nothing waits to be."""
        return self._playing is None and not self._queue

    @property
    def answering(self) -> bool:
        """A signal of frames or data is played, waits to be, or comes in."""
        return self._open is not None or any(isinstance(each, Framed) for each in (self._playing, *self._queue))

    @property
    def masks(self) -> bool:
        """A signal is on the line that its own echo could be taken for an answer to."""
        return isinstance(self._playing, Framed)

    # What packets bring

    def tone(self, name: str) -> None:
        """A tone was heard at the far end: it is made here, once for all its repeats [T.38 7.3.1]."""
        last, at = self._last_tone
        if self._open is None and self.idle and not (last == name and self.sent - at < units.samples(10.0)):
            self._queue.append(Tone(name, level_dbm0=self._level))
            self._last_tone = (name, self.sent)

    def end_tone(self) -> None:
        """The machine on the line has answered: CNG has done its work."""
        if isinstance(self._playing, Tone) and self._playing.name == "cng":
            self._stop_tone()

    def begin(self, modulation: Modulation) -> None:
        """A signal begins: its preamble or training is played without waiting for what it brings."""
        self.end()
        self._stop_tone()
        self._bridge_at = None
        if modulation == V21 and self._bridge is not None:
            self._open, self._bridge = self._bridge, None
            return
        self._end_bridge()
        if modulation == V21:
            self._open = V21Signal(level_dbm0=self._level)
        else:
            talk = self._conversation
            self._open = FastSignal(
                modulation, level_dbm0=self._level, framed=talk.framed, check=self._local_check and talk.training,
                line_bits=talk.line_bits if self._fill_removal and not talk.training else 0)
        self._queue.append(self._open)
        if len(self._queue) > MOST_WAITING:
            self._queue.popleft()

    def train(self, modulation: Modulation) -> None:
        """A fast modem trains, unless its data have begun the signal already."""
        if not isinstance(self._open, FastSignal):
            self.begin(modulation)

    def take(self, heard: Heard) -> None:
        """An item of the signal stream that packets are."""
        match heard.item:
            case SignalBegins(modulation=modulation):
                if modulation == V21 or not isinstance(self._open, FastSignal):
                    self.begin(modulation)
            case Octets(data=data):
                self._add(data, raw=heard.raw)
            case FrameEnds(good=good):
                self._end_frame(good)
            case SignalEnds():
                self.end()

    def _add(self, data: bytes, *, raw: bool) -> None:
        if isinstance(self._open, FastSignal) and raw:
            self._open.add_raw(data)
        elif isinstance(self._open, FastSignal):
            self._open.add(data)
        elif self._open is not None:
            if self._editor is None:
                self._editor = Editor(self._options, refused=self.refused)
            self._frame += data
            self._open.add(self._editor.edit(data))

    def _end_frame(self, good: bool) -> None:
        if self._open is None:
            return
        self._open.end_frame(good)
        if isinstance(self._open, V21Signal):
            if good:
                self._conversation.hear(bytes(self._frame), from_line=False)
            self._editor = None
            self._frame.clear()

    def end(self) -> None:
        """The signal that packets bring is over."""
        if self._open is not None:
            self._open.end()
            self._open = None
            self._editor = None
            self._frame.clear()

    # What is played

    def bridge(self, at: int) -> None:
        """From `at` on, keep the machine on the line from repeating what the far end has not answered yet: with flags,
        and no longer than a machine believes them."""
        self._bridge_at = at

    def _run_bridge(self) -> None:
        if self._bridge_at is None or self.sent < self._bridge_at:
            return
        if self._bridge is not None:
            self._end_bridge()
        elif self.idle:
            self._bridge = V21Signal(level_dbm0=self._level)
            self._queue.append(self._bridge)
            self._bridge_at = self.sent + LONGEST_BRIDGE
        else:
            self._bridge_at = None

    def _end_bridge(self) -> None:
        if self._bridge is not None:
            self._bridge.end()
        self._bridge = self._bridge_at = None

    def _stop_tone(self) -> None:
        if isinstance(self._playing, Tone):
            self._playing = None
            self._free_at = self.sent + GAP
        self._queue = deque(signal for signal in self._queue if not isinstance(signal, Tone))

    def block(self, *, line_busy: bool) -> Samples:
        """The next 80 samples. `line_busy`: the machine on the line is sending."""
        self._run_bridge()
        if self._playing is None and self._queue and self.sent >= self._free_at:
            self._waited += BLOCK
            if not line_busy or self._waited > LONGEST_WAIT:
                self._playing, self._waited = self._queue.popleft(), 0
        self.sent += BLOCK
        if self._playing is None:
            return np.zeros(BLOCK, np.int16)
        samples = self._playing.block()
        if self._playing.done:
            self.answers += isinstance(self._playing, Framed) and self._playing.said
            self._playing = None
            self._free_at = self.sent + GAP
        return samples
