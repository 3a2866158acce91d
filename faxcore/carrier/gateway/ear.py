"""What a gateway hears on the telephone line, and the packets that it becomes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from faxcore import units
from faxcore.carrier.gateway.bursts import FastEar
from faxcore.carrier.gateway.commands import Commands
from faxcore.carrier.gateway.fill import FillRemover
from faxcore.carrier.gateway.frames import COMMANDS, Conversation, last_of
from faxcore.carrier.gateway.signals import BLOCK, Samples
from faxcore.carrier.gateway.speaker import Speaker
from faxcore.events import BurstReceived, Event, FramesReceived, ToneHeard
from faxcore.modem import tones, v21
from faxcore.modem.acquisition import Lock
from faxcore.options import Options
from faxcore.signals import FrameEnds, Modulation, Octets, SignalBegins, SignalEnds, SignalItem
from faxcore.t30.frames import FCF
from faxcore.t30.quality import training_is_good
from faxcore.t38.ifp import IndicatorKind

LOUD = units.rms_of_dbm0(-43.0)**2 * BLOCK
LOUD_RATIO = 8       # over the quietest block of late
FLOOR_RISE = 1.01    # a block: 4 dB a second
LOUD_BLOCKS = 14    # V.21 is known by its flags after some 100 ms: what goes on longer is a fast modem training
QUIET_BLOCKS = 20    # there is a pause behind the echo protection of V.27ter
LONG_QUIET_BLOCKS = 100    # no burst follows


class Ear:
    """Hears the line in blocks of 80 samples and tells the speaker.

    `busy_until` is the last sample at which the machine was sending. `refused`: the last training check that was
    made here failed. `answers` and `answering` are told by the owner: signals that were played on the line, and
    whether another one is on its way. `waits_since`: when the command ended for whose answer the machine waits.
    """

    def __init__(
        self, conversation: Conversation, speaker: Speaker, options: Options, *, local_check: bool,
        fill_removal: bool, emit: Callable[[Event], None],
    ) -> None:
        self.heard = 0
        self.refused = False
        self.busy_until = 0
        self.answered = False
        self.answers = 0
        self.answering = False
        self.waits_since: int | None = None
        self._conversation, self._speaker = conversation, speaker
        self._local_check, self._fill_removal, self._emit = local_check, fill_removal, emit
        self._v21 = v21.Receiver()
        self._tones: tones.ToneDetector | None = tones.ToneDetector()
        self._fast: FastEar | None = None
        self._locks: dict[Modulation, Lock] = {}
        self._commands = Commands(conversation, speaker, options)
        self._frame = b""
        self._deaf = self._burst_heard = False    # after a repeat that is not told: its training check is none either
        self._loud = self._quiet = 0
        self._floor = LOUD / LOUD_RATIO    # energy of a block of the line's noise

    def block(self, samples: Samples, *, masked: bool) -> None:
        """Hear 80 samples; `masked`: we are sending ourselves, and what is heard is our echo."""
        self.heard += BLOCK
        if masked:
            samples = np.zeros(BLOCK, np.int16)
        self._hear_tones(samples)
        for item in self._v21.push(samples):
            self._hear_v21(item)
        if self._v21.carrier:
            self._commands.partial(self._v21.partial, self.heard)
        self._hear_fast(samples, masked=masked)
        if self._v21.carrier or (self._fast is not None and self._fast.on) or (self._deaf and self._loud):
            self.busy_until = self.heard

    def _hear_tones(self, samples: Samples) -> None:
        if self._tones is None:
            return
        for at, tone in self._tones.push(samples):
            self._emit(ToneHeard(units.seconds(at), tone))
            self._speaker.indicate(IndicatorKind.CNG if tone == "cng" else IndicatorKind.CED, self.heard)

    # V.21

    def _hear_v21(self, item: SignalItem) -> None:
        match item:
            case SignalBegins():
                self._tones, self.answered, self.waits_since = None, True, None
                self._fast_over()
                self._commands.begin(self.heard, answers=self.answers, answering=self.answering)
            case Octets(data=data):
                self._frame = data
            case FrameEnds(good=good):
                self._commands.end_frame(self._frame, good, self.heard)
            case SignalEnds():
                frames, bad, repeated = self._commands.end(self.heard, answers=self.answers)
                self._emit(FramesReceived(units.seconds(self.heard), frames, bad))
                self._deaf, self._burst_heard = repeated, False
                self._note_command(frames)
                if not repeated:
                    self._expect_fast()

    def _note_command(self, frames: tuple[bytes, ...]) -> None:
        """What is answered at once; DCS is after its training check."""
        if last_of(frames) in COMMANDS - {FCF.DCS}:
            self.waits_since = self.heard

    # Fast modems

    def _expect_fast(self) -> None:
        expected = self._conversation.expected
        self._loud = 0
        self._fast = None
        if expected is None or not self._conversation.from_line:
            return
        lock = self._locks.get(expected._replace(short=False)) if expected.short else None
        training = self._conversation.training
        remover = FillRemover() if self._fill_removal and not training else None
        self._fast = FastEar(
            expected, lock, self.heard, self._speaker, self._conversation, check=self._local_check and training,
            remover=remover)

    def _hear_fast(self, samples: Samples, *, masked: bool) -> None:
        """Run the receiver of the fast modem that is expected; its training is told while it goes on."""
        self._measure(samples, masked=masked)
        expected = self._conversation.expected
        if self._deaf or self._v21.carrier or expected is None or not self._conversation.from_line:
            if self._fast is not None and not self._deaf:
                self._push(self._fast, samples)
            return
        if self._fast is None or (not self._fast.on and self._fast.outdated(expected, self._conversation.training)):
            self._expect_fast()
        assert self._fast is not None
        if self._loud == LOUD_BLOCKS:
            self._fast.announce(self.heard)
        elif self._quiet == QUIET_BLOCKS:
            self._fast.quiet(self.heard)
        self._push(self._fast, samples)

    def _push(self, fast: FastEar, samples: Samples) -> None:
        if fast.push(samples, self.heard):
            self._fast_over()
            self._expect_fast()

    def _measure(self, samples: Samples, *, masked: bool) -> None:
        """How long the line has been loud or quiet, in blocks; V.21 is neither."""
        if self._v21.carrier:
            return
        wide = samples.astype(np.int64)
        energy = int(wide @ wide)
        if not masked:
            self._floor = max(LOUD / LOUD_RATIO, min(energy, self._floor * FLOOR_RISE))
        loud = energy > LOUD_RATIO * self._floor
        self._loud, self._quiet = (self._loud + 1, 0) if loud else (0, self._quiet + 1)
        if self._loud >= LOUD_BLOCKS:
            self._burst_heard, self.waits_since = True, None
        elif self._quiet == 1 and self._burst_heard and self._conversation.training:
            self.waits_since = self.heard
        if self._quiet >= (QUIET_BLOCKS if self._burst_heard else LONG_QUIET_BLOCKS):
            self._deaf = False

    def _fast_over(self) -> None:
        fast = self._fast
        if fast is None:
            return
        if (end := fast.ended) is not None:
            self._emit(BurstReceived(units.seconds(self.heard), fast.modulation, end.trained, end.quality))
            if end.trained:
                self._conversation.burst_ended()
        if fast.lock is not None and not fast.modulation.short:
            self._locks[fast.modulation] = fast.lock
        if fast.checked is not None:
            self.refused = not training_is_good(bytes(fast.checked), fast.modulation.bit_rate)
        self._fast = None
