"""Both sides of a gateway joined, on the clock of the telephone line [T.38 6.2]."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from faxcore import units
from faxcore.carrier.gateway.ear import Ear
from faxcore.carrier.gateway.frames import Conversation
from faxcore.carrier.gateway.player import Player
from faxcore.carrier.gateway.repeats import Repeats
from faxcore.carrier.gateway.signals import BLOCK, Samples
from faxcore.carrier.gateway.speaker import Speaker
from faxcore.carrier.stream import PacketStream
from faxcore.errors import FrameError
from faxcore.events import Event
from faxcore.options import T38, Options
from faxcore.signals import V21
from faxcore.t38 import udptl
from faxcore.t38.detection import FormDetector
from faxcore.t38.ifp import Form, Indicator, IndicatorKind

REACTION = units.samples(0.075)
"""What is heard changes nothing of what is sent sooner, so that chunks of any size give the same samples."""

PATIENCE = units.samples(0.2)
"""How long a missing packet is waited for while later ones are there."""

BRIDGE_AFTER = units.samples(2.3)
"""Machines repeat after 3 s +-15 % what was not answered [T.30 5.4.1]: flags keep them from it."""

HOLD = 32
"""Many packets sent at once overtake each other by as many: it is PATIENCE that ends the wait."""

GIVE_UP = units.samples(120.0)
"""After so long without a signal on either side there is no call any more."""

_TONES = {IndicatorKind.CNG: "cng", IndicatorKind.CED: "ced"}


class GatewayCarrier:
    """A telephone line on one side, a T.38 session on the other. Time is counted in samples of the line."""

    def __init__(self, settings: T38, options: Options, *, level_dbm0: float, emit: Callable[[Event], None]) -> None:
        local = settings.tcf == "local"
        self._conversation = Conversation()
        self.speaker = Speaker(settings)
        removal = settings.fill_removal
        self._ear = Ear(
            self._conversation, self.speaker, options, local_check=local, fill_removal=removal, emit=emit)
        self._player = Player(
            self._conversation, options, level_dbm0=level_dbm0, local_check=local, fill_removal=removal)
        self._repeats = Repeats(self._player, self._conversation)
        self._receiver = udptl.Receiver(HOLD)
        self._forms = FormDetector(Form.of_version(settings.version))
        self._follow_form = settings.version == 1
        # TCF that is not carried is made by the player at once: the stream need not stand in for it.
        self._stream = PacketStream()
        self._began = -1
        self._flush_at: int | None = None
        self._inbox = np.zeros(0, np.int16)
        self._outbox: deque[Samples] = deque()
        self._ready = 0    # samples in the outbox
        self._busy: deque[tuple[int, int]] = deque()
        self._masked_until = 0
        self._active = 0
        self._dropped = False

    @property
    def heard(self) -> int:
        """Samples of the line that were heard."""
        return self._ear.heard + len(self._inbox)

    @property
    def finished(self) -> bool:
        """DCN has passed and everything was said, or nothing happens any more."""
        quiet = self._player.idle and not self.speaker.waiting and not self._ready
        return self._dropped or (self._conversation.over and quiet) or self._ear.heard - self._active > GIVE_UP

    def drop(self) -> None:
        """Nothing more is heard or said."""
        self._dropped = True

    # The telephone line

    def push(self, samples: Samples) -> None:
        """Hear samples of the line."""
        self._inbox = np.concatenate([self._inbox, samples]) if len(self._inbox) else samples
        while len(self._inbox) >= BLOCK and not self._dropped:
            block, self._inbox = self._inbox[:BLOCK], self._inbox[BLOCK:]
            if self._player.sent <= self._ear.heard:
                self._play()
            self._hear(block)

    def pull(self, n: int) -> Samples:
        """The next n samples for the line."""
        while self._ready < n and not self._dropped:
            self._play()
        out = np.zeros(n, np.int16)
        done = 0
        while done < n and self._outbox:
            block = self._outbox.popleft()
            part = block[: n - done]
            out[done : done + len(part)] = part
            done += len(part)
            if len(part) < len(block):
                self._outbox.appendleft(block[len(part) :])
        self._ready -= done
        return out

    def _play(self) -> None:
        at = self._player.sent - REACTION
        while self._busy and self._busy[0][1] <= at:
            self._busy.popleft()
        self._player.refused = self._ear.refused
        samples = self._player.block(line_busy=bool(self._busy) and self._busy[0][0] <= at)
        self._outbox.append(samples)
        self._ready += BLOCK
        if self._player.masks:
            self._masked_until = self._player.sent

    def _hear(self, block: Samples) -> None:
        ear = self._ear
        ear.answers, ear.answering = self._player.answers, self._player.answering
        ear.block(block, masked=self._masked_until > ear.heard)
        if ear.answered:
            self._player.end_tone()
        at = ear.heard
        if ear.busy_until == at:
            self._note_busy(at)
        if not self._player.idle or ear.busy_until == at or self._stream.open:
            self._active = at
        if ear.answering:
            ear.waits_since = None
        if ear.waits_since is not None and at >= ear.waits_since + BRIDGE_AFTER:
            ear.waits_since = None
            if self._conversation.far_end_spoke:
                self._player.bridge(at + REACTION)
        if self._flush_at is not None and at >= self._flush_at:
            self._flush_at = None
            self._take(self._receiver.flush())
        silence = self._stream.deadline
        if silence is not None and at >= silence:
            for heard in self._stream.silence(at):
                self._repeats.take(heard, at)
        self.speaker.advance(at)

    def _note_busy(self, at: int) -> None:
        if self._busy and self._busy[-1][1] == at - BLOCK:
            self._busy[-1] = self._busy[-1][0], at
        else:
            self._busy.append((at - BLOCK, at))

    # The packets

    def push_datagram(self, datagram: bytes) -> None:
        """Hear a datagram; what is none of T.38 is ignored."""
        if self._dropped:
            return
        self._take(self._receiver.push(datagram))
        if not self._receiver.waiting:
            self._flush_at = None
        elif self._flush_at is None:
            self._flush_at = self._ear.heard + PATIENCE

    def _take(self, packets: list[udptl.Arrived | udptl.Lost]) -> None:
        at = self._ear.heard
        for item in packets:
            if isinstance(item, udptl.Lost):
                heard = self._stream.lost(at)
            else:
                try:
                    packet = self._forms.decode(item.octets)
                except FrameError:
                    continue
                if self._follow_form and self._forms.settled:
                    self.speaker.form = self._forms.form
                if isinstance(packet, Indicator) and packet.kind in _TONES:
                    self._player.tone(_TONES[packet.kind])
                heard = self._stream.push(packet, at)
            for each in heard:
                self._repeats.take(each, at)
            self._begin_training()

    def _begin_training(self) -> None:
        """The stream tells of a fast signal when its data come; its training begins with the indicator."""
        opened = self._stream.open
        if opened is not None and opened != V21 and self._stream.began != self._began:
            self._began = self._stream.began
            self._repeats.train(opened)
