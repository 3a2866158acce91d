"""One benchmark from its first figure to its last, ours and the peer's in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import faxcore
from faxcore.bench.drawing import drawing
from faxcore.bench.figures import machine
from faxcore.bench.memory import memory
from faxcore.bench.peer import Peer, peer
from faxcore.bench.real_time import real_time
from faxcore.bench.report import Report, Row
from faxcore.bench.stages import stages
from faxcore.bench.work import HEADLINES, OTHERS, Work
from faxcore.document import CodedPage, ReceivedDocument, open_document

SAMPLE = Path(faxcore.__file__).with_name("cli") / "sample.pdf"

Progress = Callable[[str, int, int], None]


def benchmark(
    document: str | None = None,
    *,
    calls: int = 64,
    repeats: int = 5,
    with_peer: bool = False,
    quick: bool = False,
    progress: Progress = lambda words, done, steps: None,
) -> Report:
    """Measure everything; `progress(words, done, steps)` says what comes next.

    The document is sent at fine resolution: by default one dense page of text. `quick` leaves out all but the two
    works that are compared. DocumentError, PeerMissing.
    """
    source = open_document(document) if document else open_document(SAMPLE, pages=[0])
    works = HEADLINES if quick else HEADLINES + OTHERS
    steps = _Steps(progress, 4 + len(works) * repeats)
    steps.next("drawing")
    drawn = drawing(document, repeats)
    pages = tuple(CodedPage.of(page) for page in source.pages)
    report = Report(
        machine=machine(), document=document or "one dense page", pages=len(pages), repeats=repeats, calls=calls,
        peer="SpanDSP" if with_peer else None, drawing=drawn,
    )  # fmt: skip
    with ExitStack() as stack:
        other = stack.enter_context(peer(ReceivedDocument("bench", pages))) if with_peer else None
        report.rows = [_row(work, pages, calls, repeats, other, steps) for work in works]
    steps.next("where the time goes")
    report.stages = {work.name: stages(work, pages, calls) for work in HEADLINES}
    steps.next("memory")
    report.memory = memory()
    steps.next("calls in real time")
    report.real_time = real_time(pages)
    return report


def _row(
    work: Work, pages: Sequence[CodedPage], calls: int, repeats: int, other: Peer | None, steps: _Steps
) -> Row:
    """Ours and theirs in turn, so that both see the same minutes of the machine."""
    work.measure(pages, 1)
    ours, theirs = [], []
    for _ in range(repeats):
        steps.next(work.name)
        ours.append(work.measure(pages, calls))
        if other is not None:
            theirs.append(other.run(work, calls))
    return Row(work, ours, theirs)


class _Steps:
    def __init__(self, progress: Progress, steps: int) -> None:
        self._progress, self._steps, self._done = progress, steps, 0

    def next(self, words: str) -> None:
        self._progress(words, self._done, self._steps)
        self._done += 1
