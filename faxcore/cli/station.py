"""One fax between two stations in this process: what the command runs once its words are checked."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from faxcore.cli.report import Report
from faxcore.errors import DocumentError
from faxcore.result import DETAIL_STOPPED_BY_OWNER, FaxResult, ResultCode

if TYPE_CHECKING:
    from faxcore.call import FaxCall
    from faxcore.document import AnyDocument
    from faxcore.line import Line, Network
    from faxcore.options import T38, Audio, Options
    from faxcore.stations import FarStation

Watch = Callable[["FaxCall", "FaxCall"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the words ask for; `method` says on which side we stand, None is left to the defaults."""

    method: str
    documents: tuple[str, ...]
    output: str
    identity: str
    remote_identity: str
    header: str | None
    pages: tuple[int, ...] | None
    first_page: int
    resolution: str
    width: str
    adapt: bool
    modulations: tuple[str, ...]
    max_rate: int | None
    min_rate: int | None
    codings: tuple[str, ...]
    ecm: bool
    rasterizer: str
    poll: bool
    sub_address: str | None
    sender_id: str | None
    password: str | None
    polling_address: str | None
    polled_sub_address: str | None
    allow: dict[str, set[str]]
    noise: float
    law: str
    delay: float
    gain: float
    loss: float
    jitter: float
    seed: int
    t38: bool
    pcap: str | None
    far: tuple[str, int] | None

    @property
    def sending(self) -> bool:
        """True where this station sends."""
        return self.method == "send_fax"

    def options(self) -> Options:
        """The options of both stations. click.UsageError."""
        from faxcore.options import ADDRESSES, Options

        names = ("modulations", "codings", "max_rate", "min_rate", *ADDRESSES)
        wishes = {name: getattr(self, name) for name in names}
        with _usage():
            chosen = {name: wish for name, wish in wishes.items() if wish not in (None, ())}
            return Options(
                resolution=self.resolution, width=self.width, adapt=self.adapt, ecm=self.ecm, **chosen
            )

    @property
    def carrier(self) -> Audio | T38:
        """What carries both stations."""
        from faxcore.options import T38, Audio

        return T38() if self.t38 or self.far else Audio()

    def line(self) -> Line | Network:
        """The line between the stations, or the network for packets. click.UsageError."""
        from faxcore.line import Line, Network

        if self.t38:
            with _usage():
                return Network(delay=self.delay / 1000, jitter=self.jitter / 1000, loss=self.loss, seed=self.seed)
        law = None if self.law == "none" else self.law
        with _usage():
            return Line(noise_dbm0=self.noise, law=law, gain_db=self.gain, delay=self.delay / 1000, seed=self.seed)

    def sender(self, document: AnyDocument, options: Options) -> FaxCall:
        """The sending end. click.UsageError."""
        from faxcore.call import FaxCall

        if self.first_page > len(document.pages):
            raise click.UsageError(f"--first-page: the document has {len(document.pages)} pages")
        with _usage("--identity" if self.sending else "--remote-identity"):
            return FaxCall.send(
                document, identity=self.identities[0], header_info=self.header, carrier=self.carrier,
                options=self._ours(options) if self.sending else options,
                role="answerer" if self.poll else "caller", first_page=self.first_page,
            )  # fmt: skip

    def receiver(self, options: Options) -> FaxCall:
        """The receiving end. click.UsageError."""
        from faxcore.call import FaxCall

        with _usage("--remote-identity" if self.sending else "--identity"):
            return FaxCall.receive(
                identity=self.identities[1], carrier=self.carrier,
                options=options if self.sending else self._ours(options),
                role="caller" if self.poll else "answerer",
            )  # fmt: skip

    def _ours(self, options: Options) -> Options:
        """The options of this station, which alone chooses its company."""
        allowed = self.allow
        if not allowed:
            return options

        def refused(far: FarStation) -> str | None:
            return next((field for field, texts in allowed.items() if getattr(far, field) not in texts), None)

        return replace(options, accept=refused)

    @property
    def document(self) -> str:
        """The names of what is sent."""
        return ", ".join(self.documents)

    @property
    def identities(self) -> tuple[str, str]:
        """The sender's and the receiver's."""
        ours, theirs = self.identity, self.remote_identity
        return (ours, theirs) if self.sending else (theirs, ours)

    def unfinished(self) -> tuple[FaxResult, FaxResult]:
        """What the sender and the receiver report if the call is stopped before it began."""
        identity, far_identity = self.identities
        stopped = FaxResult(code=ResultCode.RETRYDCN, detail=DETAIL_STOPPED_BY_OWNER, note="stopped", identity=identity)
        return replace(stopped, document=self.document), replace(stopped, identity=far_identity)


WORDS = {
    "modulations": "--modulation",
    "codings": "--coding",
    "max_rate": "--max-rate",
    "min_rate": "--min-rate",
    "resolution": "--resolution",
    "width": "--width",
    "sub_address": "--sub-address",
    "sender_id": "--sender-id",
    "password": "--password",
    "polling_address": "--polling-address",
    "polled_sub_address": "--polled-sub-address",
    "noise_dbm0": "--noise",
    "gain_db": "--gain",
    "delay": "--delay",
    "law": "--law",
    "seed": "--seed",
}
"""Names of the engine's arguments, and the words of the command line."""


@contextmanager
def _usage(option: str = "") -> Iterator[None]:
    """A ValueError of the engine is the user's: say it in the words of the command line."""
    try:
        yield
    except ValueError as error:
        text = re.sub(r"\w+", lambda word: WORDS.get(word[0], word[0]), str(error))
        raise click.UsageError(f"{option}: {text}" if option else text) from error


def run(request: Request, watch: Watch) -> Report:
    """Send the document and store what arrives.

    `watch` sees both calls after every step. click.UsageError for words that the engine refuses; everything
    else that goes wrong is in the report.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    sender, receiver = request.unfinished()
    report = Report(method=request.method, sender=sender, receiver=receiver, alone=request.far is not None)
    options, line = request.options(), request.line()
    try:
        if request.far:
            from faxcore.cli import remote

            remote.transfer(request, options, report, watch)
        else:
            _transfer(request, options, line, report, watch)
    except KeyboardInterrupt:
        report.interrupted, report.error = True, "stopped"
    report.wall_time, report.cpu_time = time.perf_counter() - wall, time.process_time() - cpu
    return report


def opened(request: Request, report: Report) -> AnyDocument | None:
    """The document to send; None where it cannot be used, which the report says then."""
    from faxcore.document import JoinedDocument, open_document

    how: Any = {"rasterizer": request.rasterizer, "resolution": request.resolution, "pages": request.pages}
    try:
        documents = [open_document(document, **how) for document in request.documents]
    except ValueError as error:
        raise click.UsageError(f"--pages: the document has no page {max(request.pages or [0]) + 1}") from error
    except DocumentError as error:
        report.sender = because_of(error, report.sender)
        report.receiver = replace(report.receiver, code=ResultCode.CALLDROPPED, detail=None, note="no call was made")
        report.error = str(error)
        return None
    document = documents[0] if len(documents) == 1 else JoinedDocument(documents)
    report.document_pages = len(document.pages) - request.first_page + 1
    return document


def _transfer(request: Request, options: Options, line: Line | Network, report: Report, watch: Watch) -> None:
    """Call, send, hang up, store."""
    from faxcore.cli.capture import capturing
    from faxcore.simulation import simulate

    document = opened(request, report)
    if document is None:
        return
    sender, receiver = request.sender(document, options), request.receiver(options)

    def step(_: FaxCall) -> None:
        watch(sender, receiver)
        report.line_time = sender.line_time
        report.sender = replace(report.sender, pages=sender.progress.confirmed)
        report.receiver = replace(report.receiver, pages=receiver.progress.confirmed)

    with capturing(request.pcap) as capture:
        outcome = simulate(sender, receiver, line=line, progress=step, capture=capture)
    watch(sender, receiver)
    report.sender = replace(outcome.sender, document=request.document)
    report.receiver, report.line_time = outcome.receiver, outcome.line_time
    if len(receiver.document.pages):
        store(receiver.document, request.output, report)


def store(document: AnyDocument, output: str, report: Report) -> None:
    """Keep the pages that arrived, also those of a call that failed later."""
    from faxcore.document import save_document

    try:
        save_document(document, output)
    except DocumentError as error:
        report.receiver, report.error = because_of(error, report.receiver), str(error)
    else:
        report.receiver, report.output = replace(report.receiver, document=output), output


def because_of(error: DocumentError, result: FaxResult) -> FaxResult:
    return replace(result, code=ResultCode(error.code), detail=None, note=str(error))
