"""What a gateway hears on the telephone line, and the packets that it becomes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from faxcore import modem, units
from faxcore.carrier.gateway.fill import FillRemover
from faxcore.carrier.gateway.frames import Conversation, Editor
from faxcore.carrier.gateway.signals import BLOCK, Samples
from faxcore.carrier.gateway.speaker import Speaker
from faxcore.carrier.modulations import DATA, TRAINING
from faxcore.events import BurstReceived, Event, FramesReceived, ToneHeard
from faxcore.hdlc import Deframer
from faxcore.modem import qam, tones, v21
from faxcore.modem.acquisition import Lock
from faxcore.options import Options
from faxcore.signals import V21, FrameEnds, Modulation, Octets, SignalBegins, SignalEnds, SignalItem
from faxcore.t30.frames import FINAL
from faxcore.t30.quality import training_is_good
from faxcore.t38.ifp import DataKind, FieldType, IndicatorKind

LOUD = units.rms_of_dbm0(-43.0)**2 * BLOCK
LOUD_BLOCKS = 14    # V.21 is known by its flags after some 100 ms: what goes on longer is a fast modem training
QUIET_BLOCKS = 20    # there is a pause behind the echo protection of V.27ter
FCS_OCTETS = 2
ADDRESS = 0xFF
MOST_CHECKED = 4096    # octets of a training check


class Ear:
    """Hears the line in blocks of 80 samples and tells the speaker.

    `busy_until` is the last sample at which the machine was sending. `refused`: the last training check that was
    made here failed.
    """

    def __init__(
        self, conversation: Conversation, speaker: Speaker, options: Options, *, local_check: bool,
        fill_removal: bool, emit: Callable[[Event], None],
    ) -> None:
        self.heard = 0
        self.refused = False
        self.busy_until = 0
        self.answered = False
        self._conversation, self._speaker, self._options = conversation, speaker, options
        self._local_check, self._fill_removal, self._emit = local_check, fill_removal, emit
        self._v21 = v21.Receiver()
        self._tones: tones.ToneDetector | None = tones.ToneDetector()
        self._fast: FastEar | None = None
        self._locks: dict[Modulation, Lock] = {}
        self._editor = Editor(options)
        self._forwarded = 0
        self._frame = b""
        self._frames: list[bytes] = []
        self._bad = 0
        self._loud = self._quiet = 0

    def block(self, samples: Samples, *, masked: bool) -> None:
        """Hear 80 samples; `masked`: we are sending ourselves, and what is heard is our echo."""
        self.heard += BLOCK
        if masked:
            samples = np.zeros(BLOCK, np.int16)
        self._hear_tones(samples)
        for item in self._v21.push(samples):
            self._hear_v21(item)
        if self._v21.carrier:
            self._forward(self._v21.partial[:-FCS_OCTETS])
        self._hear_fast(samples)
        if self._v21.carrier or (self._fast is not None and self._fast.on):
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
                self._tones, self.answered = None, True
                self._fast_over()
                self._frames, self._bad = [], 0
                self._new_frame()
                self._speaker.indicate(IndicatorKind.V21_PREAMBLE, self.heard)
            case Octets(data=data):
                self._frame = data
            case FrameEnds(good=good):
                self._end_frame(self._frame, good)
            case SignalEnds():
                self._new_frame()
                told = self._frames or self._bad
                self._speaker.end(DataKind.V21 if told else None, FieldType.HDLC_SIG_END, self.heard)
                self._emit(FramesReceived(units.seconds(self.heard), tuple(self._frames), self._bad))
                self._expect_fast()

    def _new_frame(self) -> None:
        self._editor, self._forwarded = Editor(self._options), 0

    def _forward(self, octets: bytes) -> None:
        """Send what is new of a frame: two octets behind the line, for those may be its FCS [T.38 6.2]."""
        new = octets[self._forwarded:]
        if not new or octets[0] != ADDRESS:
            return
        self._forwarded += len(new)
        new = self._editor.edit(new)
        for start in range(0, len(new), self._speaker.chunk(V21)):
            piece = new[start:start + self._speaker.chunk(V21)]
            self._speaker.data(DataKind.V21, FieldType.HDLC_DATA, piece, self.heard)

    def _end_frame(self, octets: bytes, good: bool) -> None:
        self._forward(octets)
        if self._forwarded:
            self._speaker.end_frame(DataKind.V21, good, self.heard, final=is_final(octets))
            self._bad += not good
            if good:
                self._frames.append(octets)
                self._conversation.hear(octets, from_line=True)
        self._new_frame()

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

    def _hear_fast(self, samples: Samples) -> None:
        """Run the receiver of the fast modem that is expected; its training is told while it goes on."""
        expected = self._conversation.expected
        if self._fast is None or (not self._fast.on and self._fast.outdated(expected, self._conversation.training)):
            if self._v21.carrier or expected is None or not self._conversation.from_line:
                return
            self._expect_fast()
        assert self._fast is not None
        if not self._v21.carrier:
            level = samples.astype(np.int64)
            loud = int(level @ level) > LOUD
            self._loud, self._quiet = (self._loud + 1, 0) if loud else (0, self._quiet + 1)
            if self._loud == LOUD_BLOCKS:
                self._fast.announce(self.heard)
            elif self._quiet == QUIET_BLOCKS:
                self._fast.quiet(self.heard)
        if self._fast.push(samples, self.heard):
            self._fast_over()
            self._expect_fast()

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


def is_final(octets: bytes) -> bool:
    """Whether a frame says of itself that it is the last of its signal."""
    return len(octets) > 1 and bool(octets[1] & FINAL)


class FastEar:
    """One receiver of a fast modem and the packets that its burst becomes."""

    def __init__(
        self, expected: Modulation, lock: Lock | None, at: int, speaker: Speaker, conversation: Conversation, *,
        check: bool, remover: FillRemover | None,
    ) -> None:
        # A short training can be heard only after the long one: without it the far end may yet send that.
        modulation = expected if lock is not None else expected._replace(short=False)
        self.expected, self.modulation, self.training = expected, modulation, conversation.training
        self.ended: SignalEnds | None = None
        self.on = False
        self.checked = bytearray() if check else None
        self._receiver: qam.Receiver = modem.receiver(modulation, trained=lock, at=at)
        self._speaker, self._conversation = speaker, conversation
        self._kind = DATA[modulation._replace(short=False)]
        self._announced = self._trained = self._told = False
        self._octets = bytearray()
        self._remover = remover
        self._deframer: Deframer | None = None

    @property
    def lock(self) -> Lock | None:
        """What a later short training needs."""
        return self._receiver.lock

    def outdated(self, expected: Modulation | None, training: bool) -> bool:
        """Another signal is expected by now."""
        return (expected, training) != (self.expected, self.training)

    def announce(self, at: int) -> None:
        """The training goes on: the far end's modem can begin its own."""
        if not self._announced:
            self._announced = self.on = True
            self._speaker.indicate(TRAINING[self.modulation], at)

    def quiet(self, at: int) -> None:
        """The line is silent: what was announced never trained."""
        if self._announced and not self._trained:
            self._announced = self.on = False
            self._speaker.end(None, FieldType.T4_NON_ECM_SIG_END, at)

    def push(self, samples: Samples, at: int) -> bool:
        """Hear samples; true when the burst is over."""
        for item in self._receiver.push(samples):
            match item:
                case SignalBegins():
                    self.announce(at)
                    self._trained = True
                    self._deframer = Deframer() if self._conversation.framed else None
                case Octets(data=data):
                    self._take(data, at)
                case SignalEnds():
                    self.ended = item
                    self._end(at)
                    return True
        return False

    def _take(self, data: bytes, at: int) -> None:
        if self.checked is not None:
            # It goes out too: SpanDSP's terminals wait for it even where each side should make its own [T.38 8.1].
            self.checked += data[: MOST_CHECKED - len(self.checked)]
        if self._deframer is not None:
            for octets, good, _ in self._deframer.push_octets(data):
                self._send(FieldType.HDLC_DATA, octets, at)
                self._speaker.end_frame(self._kind, good, at, final=is_final(octets))
        else:
            self._octets += data if self._remover is None else self._remover.remove(data)
            size = self._speaker.chunk(self.modulation)
            whole = len(self._octets) // size * size
            self._send(FieldType.T4_NON_ECM_DATA, bytes(self._octets[:whole]), at)
            del self._octets[:whole]

    def _send(self, type_: FieldType, octets: bytes, at: int) -> None:
        size = self._speaker.chunk(self.modulation)
        for start in range(0, len(octets), size):
            self._told = True
            self._speaker.data(self._kind, type_, octets[start:start + size], at)

    def _end(self, at: int) -> None:
        rest = self._remover.rest() if self._remover is not None else b""
        self._send(FieldType.T4_NON_ECM_DATA, bytes(self._octets) + rest, at)
        type_ = FieldType.HDLC_SIG_END if self._deframer else FieldType.T4_NON_ECM_SIG_END
        if self._announced:
            self._speaker.end(self._kind if self._told else None, type_, at)
        self.on = False
