"""FaxCall: the sending or the receiving end of one fax call."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from faxcore import units
from faxcore.carrier import AudioCarrier
from faxcore.document import AnyDocument, Header, PageRequest, ReceivedDocument
from faxcore.errors import CallError
from faxcore.events import Event, Finished, PageReceived, PageSent, PageStarted
from faxcore.options import Audio, Options
from faxcore.page import Resolution
from faxcore.result import FaxResult
from faxcore.t30 import orders
from faxcore.t30.receiver import receiving_terminal
from faxcore.t30.session import Session
from faxcore.t30.transmitter import transmitting_terminal

Samples = npt.NDArray[np.int16]


class Progress(NamedTuple):
    """How far a call is: confirmed pages, the page on the line (0: none yet), its fraction sent, pages in all.

    A receiver knows neither fraction nor total: they are None.
    """

    confirmed: int
    page: int
    fraction: float | None
    pages: int | None


class _Log:
    """The events of a call on their way to its owner, and the progress that they tell."""

    def __init__(self, pages: int | None) -> None:
        self.events: deque[Event] = deque()
        self.progress = Progress(0, 0, None if pages is None else 0.0, pages)

    def emit(self, event: Event) -> None:
        match event:
            case PageStarted(number=number):
                self.progress = self.progress._replace(page=number)
            case PageSent(number=number) | PageReceived(number=number):
                self.progress = self.progress._replace(confirmed=number)
        self.events.append(event)


class _Pages:
    """The pages that T.30 asks for, with their header line."""

    def __init__(self, document: AnyDocument, header: Header | None) -> None:
        self._document, self._header = document, header

    def __len__(self) -> int:
        return len(self._document.pages)

    def request(self, index: int, resolution: Resolution) -> PageRequest:
        return self._document.request(index, resolution, self._header)


class FaxCall:
    """One end of a fax call over audio. It never blocks, reads no clock and belongs to one thread at a time.

    Push the samples that the line brings and pull as many to put on it, in chunks of any size:

        call.push_audio(frame); frame = call.pull_audio(len(frame))

    Samples are int16 at 8 kHz. Line time is counted in samples, so a call runs as fast as it is fed.
    """

    def __init__(
        self, session: Session, log: _Log, procedure: orders.Procedure, *, document: AnyDocument, carrier: Audio
    ) -> None:
        self.document = document
        """The document that is sent, or the pages received so far."""
        self._session, self._log = session, log
        self._result: FaxResult | None = None
        self._carrier = AudioCarrier(procedure, level_dbm0=carrier.level, emit=log.emit)

    @classmethod
    def send(
        cls,
        document: AnyDocument,
        *,
        identity: str = "",
        header_info: str | None = None,
        role: str = "caller",
        options: Options | None = None,
        carrier: Audio | None = None,
        date: datetime | None = None,
    ) -> FaxCall:
        """The end that sends a document.

        `header_info` draws a header line with the date, `identity`, this text and the page number; None draws
        none. `date` is what the header line shows, now if it is None and a header is drawn. ValueError for an
        option that is out of range or not built yet.
        """
        if role != "caller":
            raise ValueError(_role_problem(role, "caller", "answerer", "a polled sender"))
        log = _Log(len(document.pages))
        session = _session(identity, options, log, document.name)
        header = None
        if header_info is not None:
            header = Header(date or datetime.now(), identity, header_info, len(document.pages))
        procedure = transmitting_terminal(session, _Pages(document, header))
        return cls(session, log, procedure, document=document, carrier=_audio(carrier))

    @classmethod
    def receive(
        cls,
        *,
        identity: str = "",
        role: str = "answerer",
        options: Options | None = None,
        carrier: Audio | None = None,
    ) -> FaxCall:
        """The end that receives a document. ValueError for an option that is out of range or not built yet."""
        if role != "answerer":
            raise ValueError(_role_problem(role, "answerer", "caller", "a polling receiver"))
        document, log = ReceivedDocument(), _Log(None)
        session = _session(identity, options, log, "")
        procedure = receiving_terminal(session, document.append)
        return cls(session, log, procedure, document=document, carrier=_audio(carrier))

    def push_audio(self, samples: npt.ArrayLike) -> None:
        """Hear samples: a one-dimensional array of int16 at 8 kHz, or anything that is one. TypeError, ValueError."""
        self._carrier.push(_checked(samples))
        self._settle()

    def push_missing(self, n: int) -> None:
        """Let n samples of line time pass of which nothing arrived."""
        if n < 0:
            raise ValueError(f"n is a number of samples, not {n}")
        self._carrier.push(np.zeros(n, np.int16))
        self._settle()

    def pull_audio(self, n: int) -> Samples:
        """Exactly n samples to put on the line; silence once the call is finished."""
        if n < 0:
            raise ValueError(f"n is a number of samples, not {n}")
        samples = self._carrier.pull(n)
        self._settle()
        return samples

    @property
    def lookahead(self) -> int:
        """Samples that `pull_audio` can give now whatever `push_audio` brings."""
        return self._carrier.lookahead

    @property
    def line_time(self) -> float:
        """Seconds of line heard so far."""
        return units.seconds(self._carrier.heard)

    def events(self) -> Iterator[Event]:
        """The events since the last time, oldest first; the last of a call is Finished."""
        while self._log.events:
            yield self._log.events.popleft()

    @property
    def progress(self) -> Progress:
        """How far the call is."""
        told, sent = self._log.progress, self._carrier.plan.fraction
        return told if sent is None or told.fraction is None else told._replace(fraction=sent)

    @property
    def finished(self) -> bool:
        """True once the call is over and all that we had to say is on the line."""
        return self._result is not None

    @property
    def result(self) -> FaxResult | None:
        """How the call ended; None only before it is finished."""
        return self._result

    def hang_up(self) -> None:
        """End the call: DCN where it can be sent, finished within 3 s of line time."""
        self._carrier.interrupt(orders.HangUp())
        self._settle()

    def line_dropped(self) -> None:
        """The line is gone: the call is finished when this returns."""
        self._carrier.interrupt(orders.LineDropped())
        if not self.finished:
            self._carrier.plan.cut(self._carrier.plan.sent)
        self._settle()
        if not self.finished:
            raise CallError("the call went on without its line")

    def wait_for_pages(self) -> None:
        """Run in virtual time: a page that is not drawn yet is waited for, where a live call bridges the time."""
        self._carrier.plan.wait_for_pages = True

    def _settle(self) -> None:
        """Notice the end."""
        if self._result is None and self._carrier.finished:
            self._result = self._session.result(self.line_time)
            self._log.emit(Finished(self.line_time, self._result))


def _session(identity: str, options: Options | None, log: _Log, document: str) -> Session:
    return Session(options=options or Options(), identity=identity, emit=log.emit, document=document)


def _audio(carrier: Audio | None) -> Audio:
    if carrier is not None and not isinstance(carrier, Audio):
        raise ValueError(f"carrier must be faxcore.Audio(...), not {carrier!r}")
    return carrier or Audio()


def _role_problem(role: str, built: str, other: str, what: str) -> str:
    if role == other:
        return f"role={role!r} ({what}) is not built yet"
    return f"role must be {built!r} or {other!r}, not {role!r}"


def _checked(samples: npt.ArrayLike) -> Samples:
    array = np.asarray(samples)
    if array.dtype != np.int16:
        raise TypeError(f"samples are int16, not {array.dtype}")
    if array.ndim != 1:
        raise ValueError(f"samples have one dimension, not {array.ndim}")
    return np.ascontiguousarray(array)
