"""The call as a ladder: both stations side by side, each signal an arrow from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from faxcore import events
from faxcore.cli.events import frame_names, told
from faxcore.cli.report import told_modulation

if TYPE_CHECKING:
    from faxcore.call import FaxCall
    from faxcore.cli.station import Watch

TIME, SIDE, LANE = 8, 26, 18
FOLLOWS = 4.0
"""Seconds within which a signal that was sent has been heard: the longest delay of a line, twice, and its end."""

SENDER, RECEIVER = 0, 1
ARROWS = {SENDER: ("─", "►"), RECEIVER: ("─", "◄")}


@dataclass
class Ladder:
    """Collects the events of both ends while a call runs; `lines()` draws them when it is over."""

    heard: list[tuple[events.Event, int]] = field(default_factory=list)

    def before(self, watch: Watch) -> Watch:
        """What takes the new events of both ends and then lets `watch` see them."""

        def both(sender: FaxCall, receiver: FaxCall) -> None:
            self.heard += [(event, SENDER) for event in sender.events()]
            self.heard += [(event, RECEIVER) for event in receiver.events()]
            watch(sender, receiver)

        return both

    def lines(self) -> Iterator[str]:
        """The ladder from top to bottom; nothing where nothing was heard."""
        if not self.heard:
            return
        yield f"{'seconds':>{TIME}}  {'sender':<{SIDE}}{'':<{LANE}}  receiver"
        told_already: set[int] = set()
        for event, side in sorted(self.heard, key=lambda item: item[0].at):
            if id(event) in told_already:
                continue
            match event:
                case events.FramesSent():
                    arrival = self._arrival(event, side, told_already)
                    told_already.add(id(arrival))
                    yield _arrow(event.at, side, frame_names(event.frames), _lost(event, arrival))
                case events.BurstReceived(modulation=modulation, trained=trained, quality=quality):
                    words = f"{told_modulation(modulation)}, {quality.snr_db:.0f} dB" if trained else "not trained"
                    yield _arrow(event.at, 1 - side, words, "" if trained else told_modulation(modulation), line="═")
                case _:
                    yield _note(event.at, side, told(event))

    def _arrival(self, sent: events.FramesSent, side: int, used: set[int]) -> events.FramesReceived | None:
        """The far end's event of a signal that was sent."""
        for event, who in self.heard:
            if (
                isinstance(event, events.FramesReceived)
                and who != side
                and id(event) not in used
                and sent.at <= event.at <= sent.at + FOLLOWS
                and set(event.frames) <= set(sent.frames)
            ):
                return event
        return None


def _lost(sent: events.FramesSent, arrival: events.FramesReceived | None) -> str:
    if arrival is None:
        return "not heard"
    missing = len(sent.frames) - len(arrival.frames)
    return f"{missing} of {len(sent.frames)} lost" if missing else ""


def _arrow(at: float, side: int, words: str, trouble: str = "", line: str = "─") -> str:
    """A signal: its words on the side that sent it, what became of it on the other."""
    head = "╳" if trouble else ARROWS[side][1]
    if side == SENDER:
        return f"{at:{TIME}.2f}  {_cut(words)}{line * (LANE - 1)}{head}  {trouble}".rstrip()
    return f"{at:{TIME}.2f}  {_cut(trouble)}{head}{line * (LANE - 1)}  {words}".rstrip()


def _note(at: float, side: int, words: str) -> str:
    indent = "" if side == SENDER else " " * (SIDE + LANE + 2)
    return f"{at:{TIME}.2f}  {indent}{words}"


def _cut(words: str) -> str:
    short = words if len(words) < SIDE else words[: SIDE - 2] + "…"
    return f"{short:<{SIDE}}"
