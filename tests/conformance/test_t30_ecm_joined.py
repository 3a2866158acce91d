"""Our transmitter against our receiver in error correction mode at the seam: frames, bursts and signals are lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faxcore.events import FramesAskedFor, PageReceived, PageSent
from faxcore.options import Options
from faxcore.page import RESOLUTIONS
from faxcore.t30.orders import FastFrames, Frames, Transmission
from tests.conformance.test_t30_joined import Call, drawn, losing
from tests.t30_joined import Damage

ECM = Options(modulations=("v29",))
FINE = RESOLUTIONS["fine"]
SEEDED = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def call(pages: int, damage: Damage, options: Options = ECM) -> Call:
    return Call(pages, damage, sender=options, receiver=options)


def whole(item: Transmission, number: int, octets: bytes | None) -> bytes | None:
    return octets


def frames_lost(lost: Damage) -> Damage:
    """Only bursts are touched; `number` counts them from 0."""
    bursts = -1

    def damage(item: Transmission, number: int, octets: bytes | None) -> bytes | None:
        nonlocal bursts
        if not isinstance(item, FastFrames):
            return octets
        bursts += 1
        return lost(item, bursts, octets)

    return damage


def check(made: Call, pages: int, *, gaps: bool = False) -> None:
    """What both report is true: no page counts that is not there to the last pel, unless a block was given up."""
    sender, receiver = made.results()
    assert sender.pages <= receiver.pages == len(made.received)
    assert not sender.success or (receiver.success and sender.pages == pages)
    if not gaps or sender.success or receiver.success:
        assert made.received == [drawn(index, FINE) for index in range(receiver.pages)]


CLEAN = len(call(2, whole).line.log)
FRAMES = {
    coding: max(
        len(item.frames) - 3
        for _, item in call(1, whole, Options(modulations=("v29",), codings=(coding,))).line.log
        if isinstance(item, FastFrames)
    )
    for coding in ("mmr", "mr", "mh")
}


@pytest.mark.parametrize("coding", FRAMES)
def test_each_frame_of_a_page_may_be_lost(coding: str) -> None:
    """One after the other: that frame alone goes again, and the page is what was sent."""
    assert FRAMES[coding] > 5
    for frame in range(FRAMES[coding]):
        lost = frames_lost(
            lambda item, burst, octets, frame=frame: octets[:frame] + b"\0" + octets[frame + 1 :]  # type: ignore[misc]
            if burst == 0
            else octets
        )
        made = call(1, lost, Options(modulations=("v29",), codings=(coding,)))
        made.assert_success(1)
        assert [event.frames for event in made.sent if isinstance(event, FramesAskedFor)] == [1]
        bursts = [len(item.frames) - 3 for _, item in made.line.log if isinstance(item, FastFrames)]
        assert bursts == [FRAMES[coding], 1]


@pytest.mark.parametrize("lost_rcps", [1, 2, 3])
def test_rcps_may_be_lost(lost_rcps: int) -> None:
    """The carrier that goes down ends a burst as well [T.4 A.3.8]."""
    lost = frames_lost(lambda item, burst, octets: octets[:-lost_rcps] + bytes(lost_rcps) if octets else octets)
    call(2, lost).assert_success(2)


@pytest.mark.parametrize("number", range(CLEAN))
def test_any_one_signal_may_be_lost(number: int) -> None:
    call(2, losing(number)).assert_success(2)


@pytest.mark.parametrize("number", range(CLEAN - 1))
def test_any_two_signals_in_a_row_may_be_lost(number: int) -> None:
    check(call(2, losing(number, number + 1)), 2)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_burst_that_is_cut_is_completed(share: float) -> None:
    """The carrier is lost on the way and runs on undecoded."""
    call(2, frames_lost(lambda item, burst, octets: octets[: int(len(octets) * share)] if burst == 1 else octets)
         ).assert_success(2)  # fmt: skip


@pytest.mark.parametrize("coding", FRAMES)
@pytest.mark.parametrize("seed", range(12))
def test_frames_lost_at_random(coding: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    rate = [0.1, 0.3, 0.6][seed % 3]
    lost = frames_lost(lambda item, burst, octets: bytes(random.random(len(octets)) > rate))
    made = call(3, lost, Options(modulations=("v29",), codings=(coding,)))
    check(made, 3, gaps=True)
    if rate < 0.6:
        made.assert_success(3)


@SEEDED
@given(
    lost=st.sets(st.integers(0, 40)), pages=st.integers(1, 4), seed=st.integers(0, 1000),
    rate=st.sampled_from([0.0, 0.2, 0.5, 0.9]), coding=st.sampled_from(["mmr", "mr", "mh"]),
)  # fmt: skip
def test_whatever_is_lost_no_page_is_confirmed_that_is_not_there(
    lost: set[int], pages: int, seed: int, rate: float, coding: str
) -> None:
    random = np.random.default_rng(seed)

    def damage(item: Transmission, number: int, octets: bytes | None) -> bytes | None:
        if number in lost:
            return None
        return bytes(random.random(len(octets or b"")) > rate) if isinstance(item, FastFrames) else octets

    made = call(pages, damage, Options(modulations=("v29", "v27ter"), codings=(coding,)))
    check(made, pages, gaps=True)


def test_a_page_that_was_given_up_is_no_success() -> None:
    """Frame 3 of page 1 never comes, at no rate: the other frames of the page are kept, and page 2 is whole."""
    pages_begun = 0

    def lost(item: Transmission, burst: int, octets: bytes | None) -> bytes | None:
        nonlocal pages_begun
        assert isinstance(item, FastFrames)
        assert octets
        pages_begun += item.frames[0][3] == 0
        number = [frame[3:4] for frame in item.frames].index(b"\3") if pages_begun == 1 else None
        return octets if number is None else octets[:number] + b"\0" + octets[number + 1 :]

    made = call(2, frames_lost(lost), Options(modulations=("v29",), codings=("mr",)))
    sender, receiver = made.results()
    assert (sender.code, sender.pages) == (48, 1)
    assert (receiver.code, receiver.pages, len(made.received)) == (48, 2, 2)
    assert "frames of block 1 of page 1 are missing" in sender.note
    assert "frames of block 1 of page 1 are missing" in receiver.note
    assert made.received[0] != drawn(0, FINE)
    assert made.received[1] == drawn(1, FINE)
    assert [event.number for event in made.sent if isinstance(event, PageSent)] == [2]
    assert [(e.number, e.bad_rows > 0) for e in made.heard if isinstance(e, PageReceived)] == [(1, True), (2, False)]


def test_a_dead_fast_carrier_ends_in_bounded_time() -> None:
    made = call(1, frames_lost(lambda item, burst, octets: None), Options(codings=("mr",)))
    sender, receiver = made.results()
    assert not sender.success
    assert not receiver.success
    assert made.received == []
    assert sum(isinstance(item, Frames) for _, item in made.line.log) < 120
