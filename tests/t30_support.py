"""A carrier without a line: it carries out Orders in virtual time and says what a script wants T.30 to hear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from faxcore.errors import DocumentError
from faxcore.events import Event
from faxcore.options import Options
from faxcore.page import A4_WIDTH, FINE, Page, Paper, Resolution, line_pels
from faxcore.signals import V29_9600, Modulation
from faxcore.t30.capabilities import Parameters, build_continue, parse_continue
from faxcore.t30.ecm import Block, burst, parse_block, request, requested
from faxcore.t30.frames import FCF, build_signal, parse_frame
from faxcore.t30.idents import encode_identity
from faxcore.t30.orders import (
    AnswerTone,
    Await,
    BurstHeard,
    CallingTone,
    DataHeard,
    FastFrames,
    Frames,
    FramesHeard,
    HangUp,
    Image,
    LineDropped,
    Listen,
    Order,
    Procedure,
    Report,
    Sent,
    Silence,
    Stuck,
    TimedOut,
    TrainingCheck,
    Transmission,
)
from faxcore.t30.session import Session

DIS_V29_FINE_MR = bytes.fromhex("00C670")
DIS_ECM = {"poll": "00C770", "poll+": "00C7F08084C002", "mmr": "00C6F044", "mr": "00C6F004", "mr64": "40C6F004"}
"""The same with a document to be polled (bit 9), then with SEP, PSA and PWD (bits 47, 35, 50) [T.30 table 2]; with
error correction, and with T.6 or a frame of 64 octets (bits 27, 31 and 7)."""
THROWN = {"hangup": HangUp, "dropped": LineDropped}


def blank_page(height: int, resolution: Resolution = FINE, width: int = A4_WIDTH) -> Page:
    return Page(np.zeros((height, width // 8), np.uint8), width, resolution)


A4 = Paper(215, 297.0)
PAPERS = {"a4": A4, "b4": Paper(255, 364.0), "a3": Paper(303, 420.0), "letter": Paper(215, 279.4),
          "legal": Paper(215, 355.6), "banner": Paper(215, 900.0)}  # fmt: skip


class Supply:
    """Pages of 10, 11, ... lines, so that a coded page says which it is; A4, or of the `papers` given by name."""

    def __init__(self, count: int, *, papers: Sequence[str] = (), fails: bool = False, code: int = 46) -> None:
        self.count, self.fails, self.code, self.papers = count, fails, code, papers
        self.ends: tuple[int, ...] = ()  # pages after which another document begins
        self.requested: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return self.count

    def paper(self, index: int) -> Paper:
        return PAPERS[self.papers[index]] if self.papers else A4

    def ends_document(self, index: int) -> bool:
        return index + 1 in self.ends

    def request(self, index: int, resolution: Resolution, *, line_mm: int, longest_mm: float | None) -> Any:
        self.requested.append((index, resolution.name))

        def page() -> Page:
            if self.fails:
                raise DocumentError("letter.pdf", "broken", page=index + 1, code=self.code)
            return blank_page(10 + index, resolution, line_pels(line_mm, resolution))

        return SimpleNamespace(ready=lambda: True, page=page)


def fake_encode(page: Page, coding: str, *, bit_order: str, min_line_bits: int) -> bytes:
    return b"%d" % (page.height - 9)


def fake_decode(octets: bytes, coding: str, width: int, resolution: Resolution, max_rows: int = 0) -> Any:
    """Octets that say in words what a decoder would find: rows, bad rows, complete."""
    try:
        rows, bad, complete = (max(0, int(word)) for word in octets.split()[:3])
    except ValueError:
        rows, bad, complete = 0, 0, 0
    rows = min(rows, 2000)
    return SimpleNamespace(
        page=blank_page(rows, resolution, width), bad_rows=min(rows, bad), longest_bad_run=0, complete=bool(complete)
    )


def new_session(events: list[Event], identity: str = "+15550001", **options: Any) -> Session:
    chosen = Options(**{"modulations": ("v29",), "ecm": False, "codings": ("mr", "mh"), **options})
    return Session(options=chosen, identity=identity, emit=events.append, document="letter.pdf")


def duration(item: Transmission) -> float:
    """About what a signal takes on the line."""
    match item:
        case Silence(seconds):
            return seconds
        case AnswerTone():
            return 3.0
        case Frames(frames):
            return 1.0 + sum(len(frame) + 3 for frame in frames) * 8 / 300
        case TrainingCheck():
            return 1.75
        case FastFrames(modulation, frames):
            return 0.45 + sum(len(frame) + 3 for frame in frames) * 8 / modulation.bit_rate
        case Image():
            return 30.0
        case _:
            return 0.0


class ScriptedCarrier:
    """Drives one procedure. `said` collects what was transmitted since it last listened."""

    def __init__(self, procedure: Procedure, *, far_x: bool) -> None:
        self.procedure, self.far_x = procedure, far_x
        self.now, self.orders = 0.0, 0
        self.said: list[str] = []
        self.last_frames: tuple[bytes, ...] = ()
        self.all_frames: list[bytes] = []
        self.order: Order | None = None
        self.finished = False
        self._advance(None)

    def run(self, expected: str | None = None) -> Listen | None:
        """Carries out what is to be sent until the terminal listens (its Listen) or ends (None).

        With `expected`, stops before the Order that makes `said` equal to it, so that it can be broken off.
        """
        while self.order:
            order = self.order
            try:
                said = [word for item in order.transmit for word in self._words(item)]
            except DocumentError as error:
                self._advance(error)
                continue
            if expected is not None and " ".join(self.said + said) == expected:
                self.said += said
                return None
            begin = self.now
            self.said += said
            self.now += sum(duration(item) for item in order.transmit)
            if order.listen:
                return order.listen
            self._advance(Sent(begin, self.now))
        return None

    def hear(self, words: str, listen: Listen) -> None:
        self._advance(THROWN[words]() if words in THROWN else self.report(words, listen))

    def report(self, words: str, listen: Listen) -> Report:
        begin = self.now + 0.2
        match words.split():
            case ["-"]:
                self.now += listen.within
                return TimedOut(self.now, self.now)
            case ["~"]:
                self.now = begin + 2
                return TimedOut(begin, self.now, carrier_heard=True)
            case ["stuck"]:
                self.now = begin + 3
                return Stuck(begin, self.now)
            case ["noise"]:
                self.now = begin + 10
                return DataHeard(begin, self.now, b"", trained=False)
            case ["TCF"]:
                self.now = begin + 1.5
                return DataHeard(begin, self.now, bytes(fast(listen).bit_rate * 3 // 16))
            case ["TCF/bad"]:
                self.now = begin + 1.5
                return DataHeard(begin, self.now, b"\x55" * (fast(listen).bit_rate * 3 // 16))
            case ["PAGE" | "PAGE/cut" as kind, quality]:
                fast(listen)
                self.now = begin + 10
                return DataHeard(begin, self.now, f"{quality.replace('/', ' ')} {int(kind == 'PAGE')}".encode())
            case [word, *rest] if word.startswith("BURST"):
                assert listen.framed, "the script sends a burst where the terminal does not listen for one"
                self.now = begin + 5
                return BurstHeard(begin, self.now, tuple(burst_of(word, *rest)))
            case ["echo"]:
                self.now = begin + 1.5
                return FramesHeard(begin, self.now, self.last_frames)
            case [*names, "+"]:
                self.now = begin + 1.5
                unfinished = build_signal(*map(frame_of, names), (FCF.DIS, b""), x=self.far_x)[:-1]
                return FramesHeard(begin, self.now, unfinished)
            case names:
                self.now = begin + 1.5
                return FramesHeard(begin, self.now, build_signal(*map(frame_of, names), x=self.far_x))

    def throw(self, word: str) -> None:
        self._advance(THROWN[word]())

    def _advance(self, answer: Report | Exception | None) -> None:
        self.orders += 1
        try:
            if isinstance(answer, Exception):
                self.order = self.procedure.throw(answer)
            else:
                self.order = next(self.procedure) if answer is None else self.procedure.send(answer)
        except StopIteration:
            self.order, self.finished = None, True

    def _words(self, item: Transmission) -> Iterator[str]:
        match item:
            case CallingTone():
                yield "CNG"
            case AnswerTone():
                yield "CED"
            case Frames(frames):
                self.last_frames = frames
                self.all_frames += frames
                yield from map(name_of, frames)
            case TrainingCheck(modulation):
                yield f"TCF/{modulation.bit_rate}"
            case Image(modulation, source):
                yield f"PAGE{int(source.octets())}/{modulation.bit_rate}"
            case FastFrames(modulation, frames):
                yield f"BURST{numbers_in(frames)}/{modulation.bit_rate}"
            case Await(source):
                source.octets()


def numbers_in(frames: tuple[bytes, ...]) -> str:
    """The numbers of the FCD frames of a burst that ends in three RCP; runs as FIRST-LAST."""
    parsed = [parse_frame(octets) for octets in frames]
    assert [frame.fcf for frame in parsed[-3:]] == [FCF.RCP] * 3
    numbers = [frame.fif[0] for frame in parsed[:-3]]
    assert numbers == sorted(set(numbers))
    assert all(frame.fcf is FCF.FCD for frame in parsed[:-3])
    begins = [number for number in numbers if number - 1 not in numbers]
    ends = [number for number in numbers if number + 1 not in numbers]
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(begins, ends, strict=True))


def numbers_of(text: str) -> list[int]:
    """The reverse of what `numbers_in` writes."""
    found = []
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


PAGE_IN_WORDS = b"12 0 1"  # what `fake_decode` reads in frame 0: 12 good rows


def burst_of(word: str, size: str = "256", last: str | None = None) -> list[bytes]:
    """The octets of a burst of these frames, all of one size, the last one perhaps of another."""
    numbers = numbers_of(word.removeprefix("BURST"))
    frames = [(PAGE_IN_WORDS if number == 0 else b"").ljust(int(size)) for number in range(256)]
    if last and numbers:
        frames[numbers[-1]] = frames[numbers[-1]][: int(last)].ljust(int(last))
    return list(burst(frames, numbers))


def name_of(octets: bytes) -> str:
    """A frame as conversations write it: its name, and of ECM's what they say."""
    fcf, fif, *_ = parse_frame(octets)
    match fcf:
        case FCF.PPS:
            block = parse_block(fif)
            assert block
            return f"PPS-{block.command.name if block.command else 'NULL'}/{block.page}/{block.block}/{block.frames}"
        case FCF.EOR:
            block = parse_block(fif + bytes(3))
            assert block
            assert len(fif) == 1
            return f"EOR-{block.command.name if block.command else 'NULL'}"
        case FCF.PPR:
            return f"PPR={numbers_in(burst([b'.'] * 256, requested(fif, 256)))}"
        case FCF.CTC:
            assert len(fif) == 2
            return f"CTC/{parse_continue(fif).bit_rate}"
        case _:
            return fcf.name


def fast(listen: Listen) -> Modulation:
    assert listen.fast, "the script sends a fast carrier where the terminal listens for V.21 only"
    return listen.fast


def frame_of(word: str) -> tuple[FCF, bytes]:
    name, _, fif = word.partition("=")
    named, colon, text = word.partition(":")
    if colon:
        return FCF[named], encode_identity(text)
    if word.startswith("DCS/"):
        rate = V29_9600._replace(bit_rate=int(word[4:]))
        return FCF.DCS, Parameters(modulation=rate, resolution=FINE, coding="mr", scan_ms=0).build()
    if word.startswith(("PPS-", "EOR-")):
        name, *counters = word.split("/")
        command = None if name[4:] == "NULL" else FCF[name[4:].replace("PRI", "PRI_")]
        page, number, count = map(int, counters or (0, 0, 1))
        field = Block(command, page, number, count).field(x=True)
        return (FCF.PPS, field) if name.startswith("PPS") else (FCF.EOR, field[:1])
    if name == "PPR":
        return FCF.PPR, request(set(numbers_of(fif))) if "/" not in fif else bytes.fromhex(fif[1:])
    if word.startswith("CTC/"):
        return FCF.CTC, build_continue(Parameters(modulation=V29_9600._replace(bit_rate=int(word[4:]))))
    if word.startswith("DIS/"):
        return FCF.DIS, bytes.fromhex(DIS_ECM[word[4:]])
    if word.startswith("DCS-"):
        how, _, rate = word[4:].partition("/")
        modulation = V29_9600._replace(bit_rate=int(rate))
        coding, size = how.removesuffix("64"), 64 if how.endswith("64") else 256
        return FCF.DCS, Parameters(
            modulation=modulation, resolution=FINE, coding=coding, scan_ms=0, ecm=True, ecm_frame=size
        ).build()
    fcf = FCF[name]
    if fif:
        return fcf, bytes.fromhex(fif)
    if fcf in (FCF.CSI, FCF.TSI, FCF.CIG):
        return fcf, encode_identity("+4420794601")
    return fcf, {FCF.DIS: DIS_V29_FINE_MR, FCF.DTC: DIS_V29_FINE_MR, FCF.NSF: b"\xad\0\x55"}.get(fcf, b"")
