"""FaxCall: the sending or the receiving end of one fax call."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from faxcore.carrier import AudioCarrier, PacketCarrier
from faxcore.carrier.work import Work, alone
from faxcore.document import AnyDocument, Header, JoinedDocument, PageRequest, ReceivedDocument
from faxcore.errors import CallError
from faxcore.events import Event, Finished, FramesReceived, PageReceived, PageSent, PageStarted
from faxcore.options import T38, Audio, Options
from faxcore.page import Paper, Resolution
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
        self.frames_heard = False
        self.progress = Progress(0, 0, None if pages is None else 0.0, pages)

    def emit(self, event: Event) -> None:
        match event:
            case PageStarted(number=number):
                self.progress = self.progress._replace(page=number)
            case PageSent(number=number) | PageReceived(number=number):
                self.progress = self.progress._replace(confirmed=number)
            case FramesReceived():
                self.frames_heard = True
        self.events.append(event)


class _Pages:
    """The pages that T.30 asks for, with their header line; the first `skipped` of the document are not sent."""

    def __init__(self, document: AnyDocument, header: Header | None, skipped: int) -> None:
        self._document, self._header, self._skipped = document, header, skipped
        self._ends = document.ends if isinstance(document, JoinedDocument) else frozenset[int]()

    def __len__(self) -> int:
        return len(self._document.pages) - self._skipped

    def paper(self, index: int) -> Paper:
        return self._document.paper(index + self._skipped)

    def ends_document(self, index: int) -> bool:
        return index + self._skipped + 1 in self._ends

    def request(
        self, index: int, resolution: Resolution, *, line_mm: int, longest_mm: float | None
    ) -> PageRequest:
        return self._document.request(
            index + self._skipped, resolution, self._header, line_mm=line_mm, longest_mm=longest_mm
        )


class FaxCall:
    """One end of a fax call. It never blocks, reads no clock and belongs to one thread at a time.

    Over audio, push the samples that the line brings and pull as many to put on it, in chunks of any size:

        call.push_audio(frame); frame = call.pull_audio(len(frame))

    Samples are int16 at 8 kHz. Line time is counted in samples, so a call runs as fast as it is fed.

    Over T.38, push each datagram when it comes, and send what is there at each deadline:

        call.push_datagram(data, now); datagrams = call.pull_datagrams(now); call.deadline

    `now` is in seconds on a monotonic clock of the owner's; the first call that names it starts the call's time.
    """

    def __init__(
        self, session: Session, log: _Log, procedure: orders.Procedure, *, document: AnyDocument,
        carrier: Audio | T38 | None,
    ) -> None:  # fmt: skip
        self.document = document
        """The document that is sent, or the pages received so far."""
        self._session, self._log = session, log
        self._result: FaxResult | None = None
        self._procedure = procedure
        self._start: float | None = None
        self._carrier = self._carried(carrier or Audio())

    @classmethod
    def send(
        cls,
        document: AnyDocument | Sequence[AnyDocument],
        *,
        identity: str = "",
        header_info: str | None = None,
        role: str = "caller",
        options: Options | None = None,
        carrier: Audio | T38 | None = None,
        date: datetime | None = None,
        first_page: int = 1,
    ) -> FaxCall:
        """The end that sends a document, or several in turn; as the "answerer" it waits to be polled.

        `header_info` draws a header line with the date, `identity`, this text and the page number; None draws
        none. `date` is what the header line shows, now if it is None and a header is drawn. A call that failed is
        resumed with `first_page`, counted from 1: the pages before it are not sent, nor counted in events and result.
        ValueError for an option that is out of range or not built yet.
        """
        calls = _calls(role)
        if isinstance(document, str | bytes):
            raise TypeError(f"a document is what faxcore.open_document gives, not {document!r}")
        document = JoinedDocument(document) if isinstance(document, Sequence) else document
        if first_page != 1 and not 1 <= first_page <= len(document.pages):
            raise ValueError(f"first_page is 1 to {len(document.pages)}, not {first_page}")
        log = _Log(len(document.pages) - first_page + 1)
        session = _session(identity, options, log, document.name, carrier)
        header = None
        if header_info is not None:
            header = Header(date or datetime.now(), identity, header_info, max(1, len(document.pages)))
        procedure = transmitting_terminal(session, _Pages(document, header, first_page - 1), calls=calls)
        return cls(session, log, procedure, document=document, carrier=carrier)

    @classmethod
    def receive(
        cls,
        *,
        identity: str = "",
        role: str = "answerer",
        options: Options | None = None,
        carrier: Audio | T38 | None = None,
    ) -> FaxCall:
        """The end that receives a document; as the "caller" it polls.

        ValueError for an option that is out of range or not built yet.
        """
        calls = _calls(role)
        document, log = ReceivedDocument(), _Log(None)
        session = _session(identity, options, log, "", carrier)
        procedure = receiving_terminal(session, document.append, calls=calls)
        return cls(session, log, procedure, document=document, carrier=carrier)

    def push_audio(self, samples: npt.ArrayLike) -> None:
        """Hear samples: a one-dimensional array of int16 at 8 kHz, or anything that is one. TypeError, ValueError."""
        alone(self.pushing(samples))

    def push_missing(self, n: int) -> None:
        """Let n samples of line time pass of which nothing arrived: what was on the line may well go on."""
        if n < 0:
            raise ValueError(f"n is a number of samples, not {n}")
        alone(self.missing(n))

    def pull_audio(self, n: int) -> Samples:
        """Exactly n samples to put on the line; silence once the call is finished."""
        if n < 0:
            raise ValueError(f"n is a number of samples, not {n}")
        return alone(self.pulling(n))

    def pushing(self, samples: npt.ArrayLike) -> Work[None]:
        """`push_audio(samples)` as work that is carried out together with that of other calls."""
        yield from self._audio().pushing(_checked(samples))
        self._settle()

    def missing(self, n: int) -> Work[None]:
        """`push_missing(n)` as such work; n is not negative."""
        yield from self._audio().missing(n)
        self._settle()

    def pulling(self, n: int) -> Work[Samples]:
        """`pull_audio(n)` as such work; n is not negative."""
        samples = yield from self._audio().pulling(n)
        self._settle()
        return samples

    @property
    def lookahead(self) -> int:
        """Samples that `pull_audio` can give now whatever `push_audio` brings."""
        return self._audio().lookahead

    def push_datagram(self, data: bytes, now: float) -> None:
        """Hear a UDPTL datagram at a time in seconds; any octets, what is no T.38 is ignored. TypeError, ValueError."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"a datagram is bytes, not {type(data).__name__}")
        self._packets().push(bytes(data), self._line(now))
        self._settle()

    def push_datagrams(self, arrived: Sequence[tuple[float, bytes]]) -> None:
        """Hear datagrams, each with its time, in order: many at once cost less than one by one."""
        if not arrived:
            return
        packets = self._packets()
        self._line(arrived[0][0])
        start, datagrams = self._start or 0.0, [data for _, data in arrived]
        times = [now - start for now, _ in arrived]
        if not all(map(math.isfinite, times)) or set(map(type, datagrams)) != {bytes}:
            raise TypeError("datagrams are (time in seconds, bytes)")
        packets.push_many(datagrams, times)
        self._settle()

    def pull_ahead(self, now: float, ahead: float) -> list[tuple[float, bytes]]:
        """As `pull_datagrams`, each with its time, and up to `ahead` seconds more of a burst that is under way: nothing
        that could be pushed until then changes those."""
        datagrams = self._packets().pull_ahead(self._line(now), ahead)
        self._settle()
        start = self._start
        return [(start + at, datagram) for at, datagram in datagrams] if start else datagrams

    def pull_datagrams(self, now: float) -> list[bytes]:
        """The datagrams to be sent by now, in order; a time before the last one counts as the last one."""
        datagrams = self._packets().pull(self._line(now))
        self._settle()
        return datagrams

    def advance(self, now: float) -> None:
        """Let time pass until now: timers run out, packets become due."""
        self._packets().advance(self._line(now))
        self._settle()

    @property
    def deadline(self) -> float | None:
        """When to call `pull_datagrams` next if no datagram comes before; None: the call is finished."""
        at = self._packets().deadline
        if at is None:
            return None
        return 0.0 if self._start is None else self._start + at

    @property
    def switch_allowed(self) -> bool:
        """True while an audio call may still become packets: until the far end's first frames were heard."""
        return not (self.packets or self.finished or self._log.frames_heard)

    def switch(self, carrier: T38, now: float) -> None:
        """Go on as packets from now on, a time as for `push_datagram`; audio is over.

        CallError where it is too late, ValueError where `carrier` is none for packets; then nothing has changed.
        """
        if not isinstance(carrier, T38):
            raise ValueError(f"a call can become faxcore.T38(...), not {carrier!r}")
        if not self.switch_allowed:
            raise CallError("too late to switch: T.30 has begun")
        before = self._audio()
        self._line(now)
        self._session.internet = carrier.internet_aware
        self._carrier = PacketCarrier(
            self._procedure, carrier, emit=self._log.emit, order=before.open_order, now=before.line_time
        )
        if before.plan.wait_for_pages:
            self._carrier.wait_for_pages()

    @property
    def packets(self) -> bool:
        """True where the call goes over T.38."""
        return isinstance(self._carrier, PacketCarrier)

    @property
    def line_time(self) -> float:
        """Seconds of line time so far."""
        return self._carrier.line_time

    def events(self) -> Iterator[Event]:
        """The events since the last time, oldest first; the last of a call is Finished."""
        while self._log.events:
            yield self._log.events.popleft()

    @property
    def progress(self) -> Progress:
        """How far the call is."""
        told, sent = self._log.progress, self._carrier.fraction
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
        self._carrier.drop()
        self._settle()
        if not self.finished:
            raise CallError("the call went on without its line")

    def wait_for_pages(self) -> None:
        """Run in virtual time: a page that is not drawn yet is waited for, where a live call bridges the time."""
        self._carrier.wait_for_pages()

    def _carried(self, carrier: Audio | T38) -> AudioCarrier | PacketCarrier:
        if isinstance(carrier, Audio):
            return AudioCarrier(self._procedure, level_dbm0=carrier.level, emit=self._log.emit)
        if isinstance(carrier, T38):
            return PacketCarrier(self._procedure, carrier, emit=self._log.emit)
        raise ValueError(f"carrier must be faxcore.Audio(...) or faxcore.T38(...), not {carrier!r}")

    def _audio(self) -> AudioCarrier:
        if not isinstance(self._carrier, AudioCarrier):
            raise CallError("this call goes over T.38: it has datagrams, no samples")
        return self._carrier

    def _packets(self) -> PacketCarrier:
        if not isinstance(self._carrier, PacketCarrier):
            raise CallError("this call goes over audio: it has samples, no datagrams")
        return self._carrier

    def _line(self, now: float) -> float:
        """Line time of a time on the owner's clock."""
        if not math.isfinite(now):
            raise ValueError(f"now is a time in seconds, not {now}")
        if self._start is None:
            self._start = now - self._carrier.line_time
        return now - self._start

    def _settle(self) -> None:
        """Notice the end."""
        if self._result is None and self._carrier.finished:
            end = max(self.line_time, self._session.now)  # packets come a hair before the time that they tell
            self._result = self._session.result(end)
            self._log.emit(Finished(end, self._result))


def _session(
    identity: str, options: Options | None, log: _Log, document: str, carrier: Audio | T38 | None
) -> Session:
    internet = isinstance(carrier, T38) and carrier.internet_aware
    return Session(
        options=options or Options(), identity=identity, emit=log.emit, document=document, internet=internet
    )


def _calls(role: str) -> bool:
    if role not in ("caller", "answerer"):
        raise ValueError(f"role must be 'caller' or 'answerer', not {role!r}")
    return role == "caller"


def _checked(samples: npt.ArrayLike) -> Samples:
    array = np.asarray(samples)
    if array.dtype != np.int16:
        raise TypeError(f"samples are int16, not {array.dtype}")
    if array.ndim != 1:
        raise ValueError(f"samples have one dimension, not {array.ndim}")
    return np.ascontiguousarray(array)
