"""What both terminals share: giving orders, reading frames, what the call's owner hears, and how it ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from faxcore.errors import DocumentError
from faxcore.events import Event, FramesReceived, FramesSent, Negotiated, Retrain
from faxcore.options import Options
from faxcore.result import DETAIL_STOPPED_BY_OWNER, FaxResult, ResultCode
from faxcore.signals import CarrierQuality, Modulation
from faxcore.stations import FarStation
from faxcore.t30.capabilities import FNV, NOTHING_SET, Parameters
from faxcore.t30.dis_bits import parse_field
from faxcore.t30.frames import FCF, Frame, build_signal, parse_signal
from faxcore.t30.idents import REFUSALS, encode_identity, far_station, refusal
from faxcore.t30.orders import (
    BurstHeard,
    DataHeard,
    Frames,
    FramesHeard,
    HangUp,
    LineDropped,
    Listen,
    Order,
    Procedure,
    Report,
    Silence,
    Stuck,
    TimedOut,
    Transmission,
)

Value = TypeVar("Value")
Steps = Generator[Order, Report, Value]
"""Part of a procedure that ends with a value."""

GAP = Silence(0.075)
"""Between any two signals of different modulation or direction [T.30 5, notes 3 and 4]."""

PAGE_HOLD = 3.5
"""Seconds for which a page's carrier may be lost and go on: longer than lines drop out, shorter than T2."""

TCF_HOLD = 0.2

POST_MESSAGE = {
    FCF.MPS: FCF.MPS, FCF.EOM: FCF.EOM, FCF.EOP: FCF.EOP,
    FCF.PRI_MPS: FCF.MPS, FCF.PRI_EOM: FCF.EOM, FCF.PRI_EOP: FCF.EOP,
}  # fmt: skip
"""Commands after a page; an operator who is wanted is never there, so PRI-x is taken as x."""


class Failure(Exception):  # noqa: N818 - unwinds the phases of one terminal, never leaves it
    """The call cannot go on. `disconnect`: say DCN first, and before that FNV with its `reason`, if there is one."""

    def __init__(
        self, code: ResultCode, note: str, *, disconnect: bool = True, reason: bytes | None = None
    ) -> None:
        super().__init__(code, note)
        self.code, self.note, self.disconnect, self.reason = code, note, disconnect, reason


@dataclass(frozen=True, slots=True)
class Heard:
    """A V.21 signal whose last frame is final; `begin` and `end` in seconds of line time."""

    begin: float
    end: float
    frames: tuple[Frame, ...]

    @property
    def fcf(self) -> FCF:
        """The command or response: the final frame."""
        return self.frames[-1].fcf

    @property
    def fif(self) -> bytes:
        """The information field of the final frame."""
        return self.frames[-1].fif

    def field(self, *fcfs: FCF) -> bytes | None:
        """The information field of the first frame that is one of `fcfs`."""
        return next((frame.fif for frame in self.frames if frame.fcf in fcfs), None)


class Session:
    """One terminal's call: options, identity, line time, and the facts for the result.

    `identity`: at most 20 printable ASCII characters, else ValueError. `emit` takes each event as it happens.
    """

    def __init__(
        self, *, options: Options, identity: str, emit: Callable[[Event], None], document: str = "",
        internet: bool = False,
    ) -> None:  # fmt: skip
        self.options, self.identity, self.document = options, identity, document
        encode_identity(identity)
        self.now = 0.0
        self.internet = internet  # we are reached over T.38 and can do without modems
        self.at_once = False  # so can the far end
        self.received_dis = False  # gives our frames their X bit [T.30 5.3.6.1]
        self.echoes: tuple[str, ...] = ()  # whose frames are our own, sent back by the line
        self.step = "off hook"
        self.far = FarStation()
        self.parameters = NOTHING_SET
        self.pages = 0
        self.bad_rows = 0
        self.complete = False  # every page there was has been confirmed
        self.gap = ""  # the first block that was given up: the document is not whole, whatever follows
        self.attempts: list[str] = []
        self.quality: CarrierQuality | None = None
        self.bursts: deque[CarrierQuality] = deque(maxlen=64)
        self._emit = emit
        self._last_heard = "nothing"
        self._frames_were_there = False
        self._code: ResultCode | None = None
        self._detail: int | None = None
        self._note = ""

    def transmit(self, *items: Transmission, listen: Listen | None = None) -> Steps[Report]:
        """Gives one Order and tells of its frames."""
        frames = [item for item in items if isinstance(item, Frames)]
        self._frames_were_there = self._frames_were_there or bool(frames)
        report = yield Order(items, listen, self.at_once)
        self.now = max(self.now, report.begin if listen else report.end)
        for item in frames:
            self._emit(FramesSent(self.now, item.frames))
        self.now = max(self.now, report.end)
        if isinstance(report, FramesHeard):
            self._frames_were_there = True
            self._emit(FramesReceived(self.now, report.frames, report.bad))
        elif isinstance(report, DataHeard | BurstHeard) and report.quality.modulation:
            self.bursts.append(report.quality)
            self.quality = report.quality if report.trained else self.quality
        return report

    def listen(
        self, within: float, fast: Modulation | None = None, *, framed: bool = False, hold: float = PAGE_HOLD
    ) -> Steps[Report]:
        """Only listens."""
        return (yield from self.transmit(listen=Listen(within, fast, PAGE_BLOCK, framed, hold, self.options.t1)))

    def signal(self, *fields: FCF | tuple[FCF, bytes]) -> Frames:
        """Frames of one V.21 signal with our X bit."""
        pairs = [(field, b"") if isinstance(field, FCF) else field for field in fields]
        return Frames(build_signal(*pairs, x=self.received_dis))

    def idents(self, *fields: tuple[FCF, str | None]) -> tuple[tuple[FCF, bytes], ...]:
        """Identities and addresses that there are, as they go into a signal."""
        return tuple((fcf, encode_identity(text)) for fcf, text in fields if text)

    def read(self, report: FramesHeard) -> Heard | None:
        """The frames of a report, or None where no final frame is among them."""
        frames = parse_signal(report.frames)
        if not frames:
            return None
        self._last_heard = " ".join(frame.fcf.name for frame in frames)
        return Heard(report.begin, report.end, frames)

    def response(self, report: Report) -> Heard | None:
        """What a terminal that waits for a response makes of a report."""
        if isinstance(report, Stuck):
            raise Failure(ResultCode.HDLC_CARRIER, "a V.21 carrier without end")
        return self.read(report) if isinstance(report, FramesHeard) else None

    def wait(
        self,
        within: float,
        fast: Modulation | None = None,
        *,
        again: bool = True,
        framed: bool = False,
        hold: float = PAGE_HOLD,
    ) -> Steps[Any]:
        """What a terminal that waits for a command hears next: Heard, DataHeard, BurstHeard or None.

        Our own echo and (with `again`) unreadable signals start the timer anew, a few times.
        """
        for _ in range(BAD_SIGNALS):
            report = yield from self.listen(within, fast, framed=framed, hold=hold)
            match report:
                case Stuck():
                    raise Failure(ResultCode.HDLC_CARRIER, "a V.21 carrier without end", disconnect=False)
                case DataHeard() | BurstHeard() if fast:
                    return report
                case FramesHeard() if heard := self.read(report):
                    if heard.fcf.sent_by not in self.echoes:
                        return heard
                case TimedOut(carrier_heard=False):
                    return None
                case _ if not again:
                    return None
        return None

    def emit(self, event: Event) -> None:
        """Hands an event to the owner."""
        self._emit(event)

    def meet(self, heard: Heard) -> None:
        """Takes what the far end says of itself; Failure where our owner does not want it."""
        self.far = far_station(self.far, heard.frames)
        refused = self.options.accept(self.far) if self.options.accept else None
        if refused is None:
            return
        if refused not in REFUSALS:
            raise ValueError(f"accept returns None or one of {', '.join(REFUSALS)}, not {refused!r}")
        note = f"refused for its {refused}: {getattr(self.far, refused)!r}"
        raise Failure(REFUSALS[refused], note, reason=refusal(refused) if FNV in parse_field(heard.fif) else None)

    def negotiated(self, parameters: Parameters) -> None:
        """DCS was sent or received."""
        self.parameters = parameters
        self._emit(
            Negotiated(
                self.now,
                parameters.modulation,
                parameters.coding,
                parameters.resolution.name,
                self.far.identity,
                parameters.ecm,
                parameters.width_mm,
                parameters.length,
            )
        )

    def slowed(self, modulation: Modulation) -> None:
        """CTC changed the rate and nothing else [T.30 A.4.1]."""
        self.parameters = replace(self.parameters, modulation=modulation)

    def given_up(self, page: int, block: int) -> None:
        """EOR: a block of a page, both counted from 0, stays without some of its frames."""
        self.gap = self.gap or f"frames of block {block + 1} of page {page + 1} are missing"

    def retrain(self, cause: str) -> None:
        """Training failed or was asked for again."""
        self.attempts.append(f"{cause} at {self.parameters.modulation}")
        self._emit(Retrain(self.now, self.parameters.modulation))

    def run(self, call: Steps[None]) -> Procedure:
        """A terminal from its first order to its last: whatever happens becomes a code, DCN goes out where it can."""
        try:
            yield from call
            self._end(ResultCode.OK, "")
        except Failure as failure:
            self._end(failure.code, failure.note)
            if failure.disconnect:
                yield from self.disconnect(failure.reason)
        except DocumentError as error:
            self._end(ResultCode(error.code) if error.code in FILE_CODES else ResultCode.BADTIFF, str(error))
            yield from self.disconnect()
        except HangUp:
            self._end(ResultCode.RETRYDCN, "stopped by the owner", DETAIL_STOPPED_BY_OWNER)
            yield from self.disconnect()
        except LineDropped:
            self._end(ResultCode.CALLDROPPED, "the line dropped")

    def disconnect(self, reason: bytes | None = None) -> Steps[None]:
        """DCN, which wants no answer; nothing where no frame was sent or heard, since there is no fax to tell.

        FNV before it says the `reason`, where the far end understands that [T.30 5.3.6.2.13].
        """
        try:
            if reason:
                yield from self.transmit(GAP, self.signal((FCF.FNV, reason)))
            if self._frames_were_there:
                yield from self.transmit(GAP, self.signal(FCF.DCN))
        except (HangUp, LineDropped):
            return

    def _end(self, code: ResultCode, note: str, detail: int | None = None) -> None:
        if self.complete and not self.gap:
            self._code = ResultCode.OK
            return
        if self.gap and (self.complete or code is ResultCode.OK):
            code, note = ResultCode.RETRYDCN, self.gap
        self._code, self._detail = code, detail
        self._note = f"{note} ({self.step}; last heard: {self._last_heard})" if note else ""

    def result(self, duration: float) -> FaxResult:
        """How the call ended; `duration` is line time in seconds. Before the end: as if the line had dropped."""
        used = self.parameters
        return FaxResult(
            code=ResultCode.CALLDROPPED if self._code is None else self._code,
            pages=self.pages,
            identity=self.identity,
            remote_identity=self.far.identity,
            far=self.far,
            document=self.document,
            detail=self._detail,
            note=self._note,
            bit_rate=used.modulation.bit_rate,
            modulation=used.modulation.name,
            coding=used.coding,
            resolution=used.resolution.name,
            ecm=used.ecm,
            bad_rows=self.bad_rows,
            duration=duration,
            attempts=tuple(self.attempts),
            quality=self.quality,
            bursts=tuple(self.bursts),
        )


FILE_CODES = range(ResultCode.FILEERROR, ResultCode.NOMEM + 1)
BAD_SIGNALS = 4  # unreadable signals and echoes in a row that one wait bears
LONGEST_PAGE = 4 << 20  # octets: about an hour at 9600 bit/s
PAGE_BLOCK = 1 << 13  # octets: an owner hears of a page a few seconds after its carrier came
