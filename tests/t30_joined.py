"""Two terminals joined at the seam: what one transmits the other hears, in virtual time, without any modem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from faxcore.t30.orders import (
    BurstHeard,
    DataHeard,
    FastFrames,
    Frames,
    FramesHeard,
    Image,
    Order,
    Procedure,
    Report,
    Sent,
    TimedOut,
    TrainingCheck,
    Transmission,
)
from tests.t30_support import duration

DELAY = 0.05  # s of line


class Signal(NamedTuple):
    begin: float
    end: float
    item: Transmission
    octets: bytes | None  # of a fast carrier; None: it came too damaged to be decoded


Damage = Callable[[Transmission, int, bytes | None], bytes | None]
"""From an item, its number among all Frames, TCFs, bursts and images of the call, and its octets, to what arrives; for
frames None loses them. A burst has an octet for each frame: 0 is a bad FCS. Fewer octets: the carrier is lost early,
and what is left of it comes undecoded."""


def untouched(item: Transmission, number: int, octets: bytes | None) -> bytes | None:
    return octets


@dataclass
class Terminal:
    procedure: Procedure
    name: str
    now: float = 0.0
    order: Order | None = None
    inbox: list[Signal] = field(default_factory=list)
    listening: bool = False

    def answer(self, report: Report | None) -> None:
        self.listening = False
        if report:
            self.now = report.end
        try:
            self.order = next(self.procedure) if report is None else self.procedure.send(report)
        except StopIteration:
            self.order = None


class Joined:
    """A call between two procedures; `log` lists what went over the line as (name of the terminal, item)."""

    def __init__(self, caller: Procedure, answerer: Procedure, damage: Damage = untouched) -> None:
        self.terminals = Terminal(caller, "caller"), Terminal(answerer, "answerer")
        self.damage, self.log = damage, list[tuple[str, Transmission]]()
        for terminal in self.terminals:
            terminal.answer(None)

    def run(self) -> float:
        """To the end of both; gives the line time."""
        for _ in range(1000):
            for terminal, peer in (self.terminals, self.terminals[::-1]):
                while terminal.order and not terminal.listening:
                    self._transmit(terminal, peer)
            waiting = [terminal for terminal in self.terminals if terminal.order]
            if not waiting:
                return max(terminal.now for terminal in self.terminals)
            report, terminal = min(((self._next(t), t) for t in waiting), key=lambda pair: pair[0].end)
            terminal.answer(report)
        raise AssertionError("the call does not end")

    def _transmit(self, terminal: Terminal, peer: Terminal) -> None:
        assert terminal.order
        begin = terminal.now
        for item in terminal.order.transmit:
            end = terminal.now + duration(item)
            if isinstance(item, Frames | TrainingCheck | FastFrames | Image):
                octets = self.damage(item, len(self.log), octets_of(item))
                self.log.append((terminal.name, item))
                peer.inbox += arrivals(Signal(terminal.now + DELAY, end + DELAY, item, octets))
            terminal.now = end
        terminal.listening = terminal.order.listen is not None
        if not terminal.listening:
            terminal.answer(Sent(begin, terminal.now))

    def _next(self, terminal: Terminal) -> Report:
        assert terminal.order
        listen = terminal.order.listen
        assert listen
        terminal.inbox = [signal for signal in terminal.inbox if signal.begin >= terminal.now]
        for begin, end, item, octets in terminal.inbox:
            if begin > terminal.now + listen.within:
                break
            if isinstance(item, Frames):
                return FramesHeard(begin, end, item.frames) if octets is not None else TimedOut(begin, end, True)
            assert isinstance(item, TrainingCheck | FastFrames | Image)
            if item.modulation == listen.fast:
                if listen.framed and octets is not None:
                    return BurstHeard(begin, end, arrived(item, octets))
                return DataHeard(begin, end, octets or b"", trained=octets is not None)
        return TimedOut(terminal.now, terminal.now + listen.within)


def arrivals(signal: Signal) -> list[Signal]:
    begin, end, item, octets = signal
    if not octets or len(octets) == len(octets_of(item)):
        return [signal]
    lost = begin + (end - begin) * len(octets) / len(octets_of(item))
    rest = [Signal(lost + 0.3, end, item, None)] if lost + 0.3 < end else []
    return [Signal(begin, lost, item, octets), *rest]


def arrived(item: Transmission, octets: bytes) -> tuple[bytes, ...]:
    frames = item.frames if isinstance(item, FastFrames) else ()
    return tuple(frame for frame, good in zip(frames, octets, strict=False) if good)


def octets_of(item: Transmission) -> bytes:
    match item:
        case TrainingCheck(modulation):
            return bytes(modulation.bit_rate * 3 // 16)
        case Image(_, source):
            return source.octets()
        case FastFrames(_, frames):
            return b"\1" * len(frames)
        case _:
            return b""
