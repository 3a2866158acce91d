"""A burst of a fast modem that is heard on the line, and the packets that it becomes."""

from __future__ import annotations

from faxcore import modem
from faxcore.carrier.gateway.commands import is_final
from faxcore.carrier.gateway.fill import FillRemover
from faxcore.carrier.gateway.frames import Conversation
from faxcore.carrier.gateway.signals import Samples
from faxcore.carrier.gateway.speaker import Speaker
from faxcore.carrier.modulations import DATA, TRAINING
from faxcore.hdlc import Deframer
from faxcore.modem import qam
from faxcore.modem.acquisition import Lock
from faxcore.signals import Modulation, Octets, SignalBegins, SignalEnds
from faxcore.t38.ifp import FieldType

MOST_CHECKED = 4096    # octets of a training check


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
