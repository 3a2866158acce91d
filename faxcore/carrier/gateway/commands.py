"""Frames that are heard on the line, on their way into packets [T.38 6.2]."""

from __future__ import annotations

from faxcore import units
from faxcore.carrier.gateway.frames import Conversation, Editor
from faxcore.carrier.gateway.speaker import Speaker
from faxcore.options import Options
from faxcore.signals import V21
from faxcore.t30.frames import ADDRESS, FINAL
from faxcore.t38.ifp import DataKind, FieldType, IndicatorKind

PATIENCE = units.samples(9.0)
"""A machine repeats what was not answered after 3 s, or after 8 s where flags have held it. So long its repeat is taken
for impatience, since the answer may still be on its way over a slow network; then for news: it may have been lost."""

FCS_OCTETS = 2


def is_final(octets: bytes) -> bool:
    """Whether a frame says of itself that it is the last of its signal."""
    return len(octets) > 1 and bool(octets[1] & FINAL)


class Commands:
    """Tells the speaker of V.21 signals, octet by octet. A repeat of what waits for its answer stays here: two answers
    would come back, and the second would be taken for that to the next command.
    """

    def __init__(self, conversation: Conversation, speaker: Speaker, options: Options) -> None:
        self._conversation, self._speaker, self._options = conversation, speaker, options
        self._last: tuple[bytes, ...] = ()
        self._last_end = 0
        self._answers = 0    # signals that were played on the line when the last one ended
        self._holding = False
        self._number = 0     # of the frame that is coming in
        self._frames: list[bytes] = []
        self._bad = 0
        self._new_frame()

    def begin(self, at: int, *, answers: int, answering: bool) -> None:
        """Flags were heard. `answers`: signals played on the line so far; `answering`: another one is on its way."""
        unanswered = bool(self._last) and answers == self._answers
        self._holding = unanswered and (answering or at - self._last_end < PATIENCE)
        self._number, self._frames, self._bad = 0, [], 0
        self._new_frame()
        if not self._holding:
            self._speaker.indicate(IndicatorKind.V21_PREAMBLE, at)

    def partial(self, octets: bytes, at: int) -> None:
        """The octets so far of the frame that is coming in: what is new goes on, two octets behind the line, for those
        may be its FCS."""
        octets = octets[:-FCS_OCTETS]
        if self._holding and octets and not self._expected.startswith(octets):
            self._let_go(at)
        self._forward(octets, at)

    def end_frame(self, octets: bytes, good: bool, at: int) -> None:
        """A frame has ended."""
        if self._holding and good and octets != self._expected:
            self._let_go(at)
        self._number += 1
        if good:
            self._frames.append(octets)
        else:
            self._bad += 1
        if not self._holding:
            self._tell(octets, good, at)

    def end(self, at: int, *, answers: int) -> tuple[tuple[bytes, ...], int, bool]:
        """The signal has ended: its good frames, how many were bad, and whether it was a repeat that stayed here."""
        held, self._holding = self._holding, False
        self._new_frame()
        if not held:
            told = self._frames or self._bad
            self._speaker.end(DataKind.V21 if told else None, FieldType.HDLC_SIG_END, at)
            self._last = () if self._bad else tuple(self._frames)
            self._last_end, self._answers = at, answers
        return tuple(self._frames), self._bad, held

    @property
    def _expected(self) -> bytes:
        """The frame that comes next in a repeat."""
        return self._last[self._number] if self._number < len(self._last) else b""

    def _let_go(self, at: int) -> None:
        """It is no repeat: what was held back goes out, and the rest as it comes."""
        self._holding = False
        self._speaker.indicate(IndicatorKind.V21_PREAMBLE, at)
        for octets in self._frames:
            self._tell(octets, True, at)

    def _new_frame(self) -> None:
        self._editor, self._forwarded = Editor(self._options), 0

    def _forward(self, octets: bytes, at: int) -> None:
        new = octets[self._forwarded:]
        if self._holding or not new or octets[0] != ADDRESS:
            return
        self._forwarded += len(new)
        new = self._editor.edit(new)
        size = self._speaker.chunk(V21)
        for start in range(0, len(new), size):
            self._speaker.data(DataKind.V21, FieldType.HDLC_DATA, new[start:start + size], at)

    def _tell(self, octets: bytes, good: bool, at: int) -> None:
        """The rest of a frame, and its end."""
        self._forward(octets, at)
        if self._forwarded:
            self._speaker.end_frame(DataKind.V21, good, at, final=is_final(octets))
            if good:
                self._conversation.hear(octets, from_line=True)
        self._new_frame()
