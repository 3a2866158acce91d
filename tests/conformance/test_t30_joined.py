"""Our transmitter against our receiver at the seam, with real page codes, on a line that loses and damages signals."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faxcore.events import Event, FramesReceived, FramesSent, Negotiated, PageReceived, PageSent, PageStarted, Retrain
from faxcore.options import Options
from faxcore.page import A4_WIDTH, RESOLUTIONS, Page, Paper, Resolution
from faxcore.result import FaxResult
from faxcore.t30.orders import Frames, Image, TrainingCheck, Transmission
from faxcore.t30.receiver import receiving_terminal
from faxcore.t30.session import Session
from faxcore.t30.transmitter import transmitting_terminal
from tests.t30_joined import Damage, Joined, untouched
from tests.t30_support import A4

V29 = Options(modulations=("v29",), ecm=False, codings=("mr", "mh"))


def drawn(index: int, resolution: Resolution) -> Page:
    """A page of runs of random lengths, another for each index."""
    random = np.random.default_rng(index)
    pels = np.repeat(random.random((60, A4_WIDTH // 16)) < 0.3, 16, axis=1)
    return Page.from_pels(np.repeat(pels, 3 + index, axis=0), resolution)


class Drawn:
    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def paper(self, index: int) -> Paper:
        return A4

    def ends_document(self, index: int) -> bool:
        return False

    def request(self, index: int, resolution: Resolution, **size: Any) -> Any:
        return SimpleNamespace(ready=lambda: True, page=lambda: drawn(index, resolution))


class Call:
    """A whole call; sender's and receiver's options as they are given."""

    def __init__(
        self, pages: int, damage: Damage = untouched, *, sender: Options | None = None, receiver: Options | None = None
    ) -> None:
        self.sent: list[Event] = []
        self.heard: list[Event] = []
        self.received: list[Page] = []
        self.sender = Session(options=sender or V29, identity="+15550001", emit=self.sent.append)
        self.receiver = Session(options=receiver or V29, identity="FAX 2", emit=self.heard.append)
        self.line = Joined(
            transmitting_terminal(self.sender, Drawn(pages)),
            receiving_terminal(self.receiver, self.received.append),
            damage,
        )
        self.seconds = self.line.run()

    def results(self) -> tuple[FaxResult, FaxResult]:
        return self.sender.result(self.seconds), self.receiver.result(self.seconds)

    def assert_success(self, pages: int, resolution: str = "fine") -> None:
        for result in self.results():
            assert (result.code, result.pages) == (0, pages), result.note
        assert self.received == [drawn(index, RESOLUTIONS[resolution]) for index in range(pages)]


@pytest.mark.parametrize("pages", [1, 2, 5])
@pytest.mark.parametrize("resolution", ["standard", "fine", "superfine"])
@pytest.mark.parametrize("coding", ["mh", "mr"])
def test_pages_arrive_as_they_were_drawn(pages: int, resolution: str, coding: str) -> None:
    call = Call(pages, sender=replace(V29, codings=(coding,), resolution=resolution))
    call.assert_success(pages, resolution)
    sender, receiver = call.results()
    assert (sender.identity, sender.remote_identity) == ("+15550001", "FAX 2")
    assert (receiver.identity, receiver.remote_identity) == ("FAX 2", "+15550001")
    for result in (sender, receiver):
        assert (result.modulation, result.bit_rate, result.coding) == ("v29", 9600, coding)
        assert (result.resolution, result.duration, result.attempts) == (resolution, call.seconds, ())


def test_a_receiver_with_one_dimensional_coding_gets_it() -> None:
    call = Call(1, receiver=replace(V29, codings=("mh",)))
    call.assert_success(1)
    assert call.results()[0].coding == "mh"


def test_the_receiver_asks_for_a_lower_rate_with_ftt() -> None:
    call = Call(1, receiver=replace(V29, max_rate=7200))
    call.assert_success(1)
    assert call.results()[0].bit_rate == 7200
    assert call.results()[0].attempts == ("training failed at v29 9600",)


def test_events_tell_the_call() -> None:
    call = Call(2)
    kinds = (Negotiated, PageStarted, PageSent, PageReceived, Retrain)
    assert [type(event) for event in call.sent if isinstance(event, kinds)] == [
        Negotiated, PageStarted, PageSent, PageStarted, PageSent,
    ]  # fmt: skip
    assert [type(event) for event in call.heard if isinstance(event, kinds)] == [
        Negotiated, PageStarted, PageReceived, PageStarted, PageReceived,
    ]  # fmt: skip
    out = [event.frames for event in call.sent if isinstance(event, FramesSent)]
    assert out == [event.frames for event in call.heard if isinstance(event, FramesReceived)]
    back = [event.frames for event in call.heard if isinstance(event, FramesSent)]
    assert back == [event.frames for event in call.sent if isinstance(event, FramesReceived)]
    sizes = [(event.octets, event.rows) for event in call.sent if isinstance(event, PageSent)]
    assert sizes == [(event.octets, event.rows) for event in call.heard if isinstance(event, PageReceived)]


CLEAN = len(Call(2).line.log)


def losing(*numbers: int) -> Damage:
    def damage(item: Transmission, number: int, octets: bytes | None) -> bytes | None:
        return None if number in numbers else octets

    return damage


@pytest.mark.parametrize("number", range(CLEAN))
def test_any_one_signal_may_be_lost(number: int) -> None:
    """Each signal in turn, page carriers and TCF too, comes damaged once: the call gets over it."""
    Call(2, losing(number)).assert_success(2)


@pytest.mark.parametrize("number", range(CLEAN - 1))
def test_any_two_signals_in_a_row_may_be_lost(number: int) -> None:
    """No page is ever reported that did not arrive, and none arrives that is reported as lost by both."""
    call = Call(2, losing(number, number + 1))
    sender, receiver = call.results()
    assert sender.pages <= receiver.pages == len(call.received)
    assert call.received == [drawn(index, RESOLUTIONS["fine"]) for index in range(receiver.pages)]
    assert sender.success <= receiver.success


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(lost=st.sets(st.integers(0, 40)), pages=st.integers(1, 4))
def test_whatever_is_lost_no_page_is_confirmed_that_is_not_there(lost: set[int], pages: int) -> None:
    call = Call(pages, losing(*lost))
    sender, receiver = call.results()
    assert sender.pages <= receiver.pages == len(call.received)
    assert call.received == [drawn(index, RESOLUTIONS["fine"]) for index in range(receiver.pages)]
    assert not sender.success or (receiver.success and receiver.pages == pages)


def test_a_damaged_page_comes_again_at_a_lower_rate() -> None:
    images = 0

    def damage(item: Transmission, number: int, octets: bytes | None) -> bytes | None:
        nonlocal images
        images += isinstance(item, Image)
        if isinstance(item, Image) and images == 1 and octets:
            return bytes(octet ^ (0x10 if index % 40 == 39 else 0) for index, octet in enumerate(octets))
        return octets

    call = Call(2, damage)
    call.assert_success(2)
    assert call.results()[0].attempts == ("page 1 refused (RTN) at v29 9600",)
    assert call.results()[1].bit_rate == 7200


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_page_that_is_cut_is_never_confirmed(share: float) -> None:
    """The carrier is lost on the way: all lines that came are good, but they are not the page."""

    def damage(item: Transmission, number: int, octets: bytes | None) -> bytes | None:
        return octets[: int(len(octets) * share)] if isinstance(item, Image) and octets else octets

    call = Call(1, damage)
    sender, receiver = call.results()
    assert (sender.code, sender.pages) == (48, 0)
    assert (receiver.code, receiver.pages, call.received) == (40, 0, [])
    assert sender.attempts[0] == "page 1 refused (RTN) at v29 9600"


def test_an_end_of_page_that_is_damaged_does_not_matter() -> None:
    """Some senders drop their carrier in the RTC."""

    def damage(item: Transmission, number: int, octets: bytes | None) -> bytes | None:
        return octets[:-9] if isinstance(item, Image) and octets else octets

    Call(2, damage).assert_success(2)


def test_training_that_always_fails() -> None:
    def damage(item: Transmission, number: int, octets: bytes | None) -> bytes | None:
        return b"\x55" * 1800 if isinstance(item, TrainingCheck) else octets

    sender, receiver = Call(1, damage).results()
    assert (sender.code, receiver.code) == (6, 35)
    assert (sender.pages, receiver.pages) == (0, 0)


def test_a_line_that_carries_nothing() -> None:
    def damage(item: Transmission, number: int, octets: bytes | None) -> bytes | None:
        return None if isinstance(item, Frames) else octets

    sender, receiver = Call(1, damage).results()
    assert (sender.code, receiver.code) == (3, 3)
