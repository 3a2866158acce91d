"""Signals that packets bring, without those that a far end repeats out of impatience.

On a network slower than its timers a terminal says again what the machine on the line has answered already. Played
once more it would be answered once more, and that answer be taken for one to the next command.
"""

from __future__ import annotations

from faxcore import units
from faxcore.carrier.gateway.commands import PATIENCE
from faxcore.carrier.gateway.frames import COMMANDS, Conversation, last_of
from faxcore.carrier.gateway.player import Player
from faxcore.carrier.stream import Heard
from faxcore.signals import FrameEnds, Modulation, Octets, SignalBegins, SignalEnds
from faxcore.t30.frames import FCF

T4 = units.samples(2.5)
"""Nothing is repeated sooner [T.30 5.4.1: 3 s +-15 %]."""

REPEATED = COMMANDS - {FCF.RR}    # that is said again and again, and answered each time


class Repeats:
    """Passes signals on to the player, but for repeats of what was answered; those of DCS with their training check."""

    def __init__(self, player: Player, conversation: Conversation) -> None:
        self._player, self._conversation = player, conversation
        self._last: tuple[bytes, ...] = ()
        self._last_end = 0
        self._line_frames = 0    # that were heard on the line by then
        self._kept: list[Heard] = []
        self._holding = self._dropping = False
        self._frame = bytearray()
        self._frames: list[bytes] = []
        self._bad = False

    def train(self, modulation: Modulation) -> None:
        """A fast modem trains."""
        if not self._dropping:
            self._forget()
            self._player.train(modulation)

    def take(self, heard: Heard, at: int) -> None:
        """An item of the signal stream."""
        if heard.fast:
            self._take_fast(heard, at)
            return
        match heard.item:
            case SignalBegins():
                self._begin(at)
            case Octets(data=data):
                self._frame += data
            case FrameEnds(good=good):
                self._end_frame(good)
        if self._holding:
            self._kept.append(heard)
            self._compare()
        else:
            self._player.take(heard)
        if isinstance(heard.item, SignalEnds):
            self._end(at)

    def _take_fast(self, heard: Heard, at: int) -> None:
        if not self._dropping:
            self._forget()
            self._last_end = at
            self._player.take(heard)
        elif isinstance(heard.item, SignalEnds):
            self._dropping = False

    def _forget(self) -> None:
        """What follows a page is no repeat of what was before it; DCS has its training check behind it."""
        if last_of(self._last) is not FCF.DCS or not self._conversation.training:
            self._last = ()

    def _begin(self, at: int) -> None:
        answered = self._conversation.line_frames > self._line_frames
        impatient = T4 <= at - self._last_end < PATIENCE
        self._holding = answered and impatient and last_of(self._last) in REPEATED
        self._dropping = self._bad = False
        self._kept, self._frames = [], []
        self._frame.clear()

    def _end_frame(self, good: bool) -> None:
        if good:
            self._frames.append(bytes(self._frame))
        else:
            self._bad = True
        self._frame.clear()

    def _compare(self) -> None:
        """Let go what is no repeat, as soon as it can be told."""
        whole = len(self._frames)
        expected = self._last[whole] if whole < len(self._last) else b""
        if tuple(self._frames) != self._last[:whole] or not expected.startswith(bytes(self._frame)):
            self._holding = False
            for heard in self._kept:
                self._player.take(heard)

    def _end(self, at: int) -> None:
        if self._holding:
            self._dropping = last_of(self._last) is FCF.DCS
        else:
            self._last = () if self._bad else tuple(self._frames)
            self._last_end, self._line_frames = at, self._conversation.line_frames
        self._holding = False
