"""Calls for tests: small documents, and two ends joined tick by tick as an owner would join them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

import faxcore
from faxcore.document import ReceivedDocument
from faxcore.page import A4_WIDTH, RESOLUTIONS, Page

Samples = npt.NDArray[np.int16]


def small_page(seed: int, rows: int = 60, resolution: str = "fine") -> Page:
    """A page of short random strokes: cheap to send, different for each seed."""
    rng = np.random.default_rng(seed)
    pels = np.zeros((rows, A4_WIDTH), np.bool_)
    for row, start, length in zip(
        rng.integers(0, rows, 40), rng.integers(0, A4_WIDTH - 120, 40), rng.integers(1, 120, 40), strict=True
    ):
        pels[row : row + 3, start : start + length] = True
    return Page.from_pels(pels, RESOLUTIONS[resolution])


def small_document(pages: int = 1, *, rows: int = 60, resolution: str = "fine") -> ReceivedDocument:
    """A document of `small_page`s, with no file behind it."""
    document = ReceivedDocument()
    for number in range(pages):
        document.append(small_page(number, rows, resolution))
    return document


def pair(pages: int = 1, **options: object) -> tuple[faxcore.FaxCall, faxcore.FaxCall]:
    """A sender and a receiver of a small document."""
    chosen = faxcore.Options(**options)  # type: ignore[arg-type]
    sender = faxcore.FaxCall.send(small_document(pages), identity="+15551230001", options=chosen)
    receiver = faxcore.FaxCall.receive(identity="+15551230002", options=chosen)
    return sender, receiver


def join(
    sender: faxcore.FaxCall,
    receiver: faxcore.FaxCall,
    *,
    ticks: Iterator[int],
    line: faxcore.Line | None = None,
    limit: float = 300.0,
    each: Callable[[float], None] | None = None,
) -> tuple[Samples, Samples]:
    """Run a call tick by tick; both signals come back. Both ends pull, then both push."""
    line = line or faxcore.Line()
    forth, back = line.direction(0), line.direction(1)
    signals: tuple[list[Samples], list[Samples]] = ([], [])
    passed = 0
    while not (sender.finished and receiver.finished):
        n = next(ticks)
        out, answer = sender.pull_audio(n), receiver.pull_audio(n)
        receiver.push_audio(forth.carry(out))
        sender.push_audio(back.carry(answer))
        signals[0].append(out)
        signals[1].append(answer)
        passed += n
        if each is not None:
            each(passed / 8000)
        assert passed < limit * 8000, "the call does not end"
    return np.concatenate(signals[0]), np.concatenate(signals[1])
