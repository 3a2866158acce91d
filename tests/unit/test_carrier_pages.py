"""Pages that are late or never come: bridged while the call is live, waited for in virtual time."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

import faxcore
from faxcore.carrier.plan import BRIDGE_SECONDS
from faxcore.document import Header, PageRequest, ReceivedDocument
from faxcore.errors import DocumentError
from faxcore.page import Page, Resolution
from faxcore.result import ResultCode
from tests.support_calls import join, small_document, small_page


class LateDocument(ReceivedDocument):
    """A document whose pages are ready when `ready(index)` says so; `broken` ones cannot be drawn."""

    def __init__(self, pages: int, ready: Callable[[int], bool], broken: int | None = None) -> None:
        super().__init__("late")
        for number in range(pages):
            self.append(small_page(number))
        self._is_ready, self._broken = ready, broken

    def request(
        self, index: int, resolution: Resolution, header: Header | None = None, **size: Any
    ) -> PageRequest:
        drawn = super().request(index, resolution, header, **size)

        def make() -> Page:
            if index == self._broken:
                raise DocumentError("late", "the page is torn", page=index + 1, code=46)
            return drawn.page()

        return PageRequest(lambda: self._is_ready(index), make)


class Clock:
    """Line time as the ticks tell it."""

    def __init__(self) -> None:
        self.now = 0.0

    def tick(self, now: float) -> None:
        self.now = now


def call(document: LateDocument, clock: Clock) -> tuple[faxcore.FaxCall, faxcore.FaxCall]:
    sender = faxcore.FaxCall.send(document, identity="+15551230001")
    receiver = faxcore.FaxCall.receive(identity="+15551230002")
    join(sender, receiver, ticks=itertools.repeat(160), each=clock.tick)
    return sender, receiver


@pytest.mark.parametrize("late", [0.0, 0.7, 3.0, BRIDGE_SECONDS - 0.2])
def test_fill_bridges_a_late_page(late: float) -> None:
    """Both pages come `late` seconds after the carrier wanted them; the far end notices nothing but FILL."""
    clock, asked = Clock(), {}

    def ready(index: int) -> bool:
        return clock.now >= asked.setdefault(index, clock.now) + late

    sender, receiver = call(LateDocument(2, ready), clock)
    assert sender.result is not None
    assert sender.result.success, sender.result.note
    assert list(receiver.document.pages) == list(small_document(2).pages)


def test_a_page_that_never_comes_ends_the_call() -> None:
    clock = Clock()
    sender, receiver = call(LateDocument(2, lambda index: index == 0), clock)
    assert sender.result is not None
    assert sender.result.code == ResultCode.BADTIFFHDR
    assert sender.result.pages == 1
    assert "not drawn" in sender.result.note
    assert receiver.result is not None
    assert not receiver.result.success
    assert receiver.result.pages == 1
    assert list(receiver.document.pages) == [small_page(0)]


@pytest.mark.parametrize("virtual", [False, True])
@pytest.mark.parametrize("page", [1, 2])
def test_a_page_that_cannot_be_drawn_ends_the_call(page: int, virtual: bool) -> None:
    document = LateDocument(2, lambda _: not virtual, broken=page - 1)
    if virtual:
        sender = faxcore.FaxCall.send(document)
        receiver = faxcore.FaxCall.receive()
        faxcore.simulate(sender, receiver)
    else:
        sender, receiver = call(document, Clock())
    assert sender.result is not None
    assert sender.result.code == ResultCode.BADTIFFHDR
    assert sender.result.pages == page - 1
    assert f"page {page}: the page is torn" in sender.result.note
    assert receiver.result is not None
    assert not receiver.result.success


def test_virtual_time_waits_for_a_page() -> None:
    """No FILL: a page that is never "ready" is simply waited for, and the line sees what a ready one gives."""
    signals = []
    for ready in (True, False):
        sender = faxcore.FaxCall.send(LateDocument(1, lambda _, ready=ready: ready))
        receiver = faxcore.FaxCall.receive()
        sender.wait_for_pages()
        signals.append(join(sender, receiver, ticks=itertools.repeat(160)))
        assert sender.result is not None
        assert sender.result.success
    for one, other in zip(*signals, strict=True):
        assert one.tobytes() == other.tobytes()
