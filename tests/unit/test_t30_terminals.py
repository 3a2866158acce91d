"""What the conversations do not show: order details, drawing ahead, quality, events and results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from faxcore import coding
from faxcore.events import Event, FramesReceived, FramesSent, Negotiated, PageStarted, Retrain
from faxcore.page import A4_WIDTH, Page, Resolution
from faxcore.result import DETAIL_STOPPED_BY_OWNER
from faxcore.t30.frames import FCF, parse_frame
from faxcore.t30.orders import AnswerTone, DataHeard, Frames, Image, Order, Silence, TrainingCheck
from faxcore.t30.quality import page_response, training_is_good
from faxcore.t30.receiver import receiving_terminal
from faxcore.t30.transmitter import transmitting_terminal
from tests.t30_support import ScriptedCarrier, Supply, fake_decode, fake_encode, new_session

RATE = 9600
SECOND = RATE // 8  # octets


@pytest.fixture(autouse=True)
def page_codes_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "encode", fake_encode)
    monkeypatch.setattr(coding, "decode", fake_decode)


def play(carrier: ScriptedCarrier, *heard: str) -> None:
    for words in heard:
        listen = carrier.run()
        assert listen
        carrier.said.clear()
        carrier.hear(words, listen)
    carrier.run()


def orders(role: str, *heard: str, pages: int = 1) -> list[Order]:
    """Every Order of a conversation."""
    seen: list[Order] = []
    session = new_session([])
    procedure = (
        transmitting_terminal(session, Supply(pages))
        if role == "sender"
        else receiving_terminal(session, lambda page: None)
    )

    def watched() -> Any:
        report = None
        while True:
            try:
                order = procedure.send(report)
            except StopIteration:
                return
            seen.append(order)
            report = yield order

    play(ScriptedCarrier(watched(), far_x=role == "receiver"), *heard)
    return seen


@pytest.fixture
def sender_orders(page_codes_in_words: None) -> list[Order]:
    return orders("sender", "CSI DIS", "FTT", "CFR", "MCF", "MCF", pages=2)


@pytest.fixture
def receiver_orders(page_codes_in_words: None) -> list[Order]:
    return orders("receiver", "TSI DCS/9600", "TCF", "PAGE 100/0", "MPS", "PAGE 100/0", "EOP", "DCN")


def test_75_ms_lie_before_each_signal(sender_orders: list[Order], receiver_orders: list[Order]) -> None:
    """T.30 5, notes 3 and 4; the receiver's first is CED, after 0.2 s."""
    for order in sender_orders + receiver_orders:
        for before, item in zip((None, *order.transmit), order.transmit, strict=False):
            if isinstance(item, AnswerTone):
                assert before == Silence(0.2)
            elif isinstance(item, Frames | TrainingCheck | Image):
                assert before == Silence(0.075)


def test_x_is_1_for_the_terminal_that_received_dis(
    sender_orders: list[Order], receiver_orders: list[Order]
) -> None:
    for all_orders, x in ((sender_orders, True), (receiver_orders, False)):
        signals = [item.frames for order in all_orders for item in order.transmit if isinstance(item, Frames)]
        frames = [[parse_frame(octets) for octets in signal] for signal in signals]
        assert {frame.x for signal in frames for frame in signal if frame.fcf.has_x} == {x}
        assert all([frame.final for frame in signal] == [False] * (len(signal) - 1) + [True] for signal in frames)


def test_timers_are_arguments_of_listening(sender_orders: list[Order], receiver_orders: list[Order]) -> None:
    assert [order.listen.within for order in sender_orders if order.listen] == [60.0, 3.45, 3.45, 3.45, 3.45]
    assert [order.listen.within for order in receiver_orders if order.listen] == [3.45, 7, 7, 7, 7, 7, 7]


def test_pages_are_drawn_one_ahead_at_the_resolution_that_is_sent() -> None:
    pages = Supply(3)
    carrier = ScriptedCarrier(transmitting_terminal(new_session([]), pages), far_x=False)
    assert pages.requested == [(0, "fine")]
    play(carrier, "DIS=000600")
    assert pages.requested == [(0, "fine"), (0, "standard")]
    play(carrier, "CFR")
    assert pages.requested[2:] == [(1, "standard")]
    play(carrier, "RTN", "CFR")
    assert pages.requested[2:] == [(1, "standard")]
    play(carrier, "MCF", "MCF")
    assert pages.requested[2:] == [(1, "standard"), (2, "standard")]


def test_line_time_asked_for_reaches_the_page_code(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def encode(page: Page, coding: str, *, bit_order: str, min_line_bits: int) -> bytes:
        asked.append((coding, min_line_bits))
        return b"1"

    monkeypatch.setattr(coding, "encode", encode)
    carrier = ScriptedCarrier(transmitting_terminal(new_session([]), Supply(1)), far_x=False)
    play(carrier, "DIS=00CE20", "CFR", "RTN", "CFR", "MCF")
    assert asked == [("mr", 96), ("mr", 72)]


def test_a_page_of_the_wrong_width_is_the_documents_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wide(Supply):
        def request(self, index: int, resolution: Resolution, **size: Any) -> Any:
            request = super().request(index, resolution, **size)
            request.page = lambda: Page(np.zeros((9, 256), np.uint8), 2048, resolution)
            return request

    session = new_session([])
    play(ScriptedCarrier(transmitting_terminal(session, Wide(1)), far_x=False), "DIS", "CFR")
    assert session.result(1.0).code == 45
    assert "page 1" in session.result(1.0).note


def test_hanging_up_has_its_detail_and_lasts_less_than_3_s() -> None:
    events: list[Event] = []
    session = new_session(events)
    carrier = ScriptedCarrier(transmitting_terminal(session, Supply(1)), far_x=False)
    play(carrier, "DIS")
    before = carrier.now
    listen = carrier.run()
    assert listen
    carrier.hear("hangup", listen)
    carrier.run()
    assert carrier.finished
    assert carrier.now - before < 3
    result = session.result(carrier.now)
    assert (result.code, result.detail, result.success) == (48, DETAIL_STOPPED_BY_OWNER, False)
    last = [event for event in events if isinstance(event, FramesSent)][-1]
    assert parse_frame(last.frames[0]).fcf is FCF.DCN


def test_the_note_says_what_was_awaited_and_what_was_heard_last() -> None:
    session = new_session([])
    play(ScriptedCarrier(transmitting_terminal(session, Supply(1)), far_x=False), "NSF CSI DIS", "-", "-", "-")
    assert session.result(1.0).note == "no answer to DCS and TCF (waiting for CFR; last heard: NSF CSI DIS)"


@pytest.mark.parametrize(
    ("heard", "note"),
    [
        (["dropped"], "the line dropped (waiting for DIS; last heard: nothing)"),
        (["DIS", "dropped"], "the line dropped (waiting for CFR; last heard: DIS)"),
        (["DIS", "CFR", "MCF", "dropped"], "the line dropped (waiting for an answer to MPS; last heard: MCF)"),
    ],
)
def test_the_note_of_a_dropped_line(heard: list[str], note: str) -> None:
    session = new_session([])
    play(ScriptedCarrier(transmitting_terminal(session, Supply(3)), far_x=False), *heard)
    assert session.result(1.0).note == note


@pytest.mark.parametrize(
    ("heard", "step"),
    [
        (["DCS/9600"], "waiting for TCF"),
        (["DCS/9600", "TCF", "PAGE 100/0"], "waiting for the command after a page"),
        (["DCS/9600", "TCF", "PAGE 100/0", "EOM"], "waiting for what follows MCF"),
    ],
)
def test_the_receivers_note_says_its_step(heard: list[str], step: str) -> None:
    session = new_session([])
    play(ScriptedCarrier(receiving_terminal(session, lambda page: None), far_x=True), *heard, "dropped")
    assert session.result(1.0).note.startswith(f"the line dropped ({step};")


def test_a_page_is_named_while_it_runs() -> None:
    session = new_session([])
    carrier = ScriptedCarrier(transmitting_terminal(session, Supply(2)), far_x=False)
    play(carrier, "DIS")
    listen = carrier.run()
    assert listen
    carrier.said.clear()
    carrier.hear("CFR", listen)
    carrier.run(expected="PAGE1/9600")
    carrier.throw("dropped")
    assert session.result(1.0).note == "the line dropped (sending page 1; last heard: CFR)"


def test_frames_are_stamped_when_they_are_out() -> None:
    """CED, CSI and DIS: 0.2 + 3 + 0.075 s and the V.21 signal; line time is what the reports say."""
    events: list[Event] = []
    carrier = ScriptedCarrier(receiving_terminal(new_session(events), lambda page: None), far_x=True)
    carrier.run()
    assert [event.at for event in events] == [carrier.now]
    assert carrier.now > 3.275
    play(carrier, "DCS/9600")
    assert [type(event) for event in events[:3]] == [FramesSent, FramesReceived, Negotiated]
    assert events[1].at == carrier.now


def test_a_page_starts_when_its_carrier_was_recognised() -> None:
    events: list[Event] = []
    carrier = ScriptedCarrier(receiving_terminal(new_session(events), lambda page: None), far_x=True)
    play(carrier, "DCS/9600", "TCF")
    before = carrier.now
    play(carrier, "PAGE 100/0")
    assert [event.at for event in events if isinstance(event, PageStarted)] == [before + 0.2]


def test_failures_are_told_as_they_happen() -> None:
    events: list[Event] = []
    session = new_session(events)
    carrier = ScriptedCarrier(receiving_terminal(session, lambda page: None), far_x=True)
    play(carrier, "DCS/9600", "TCF/bad", "DCS/7200", "TCF", "PAGE 100/50", "MPS")
    play(carrier, "DCS/7200", "TCF", "PAGE 100/9", "MPS", "DCN")
    retrains = [event.modulation.bit_rate for event in events if isinstance(event, Retrain)]
    assert retrains == [9600, 7200, 7200]
    assert session.result(1.0).attempts == (
        "training failed at v29 9600", "page 1 refused (RTN) at v29 7200", "page 1 damaged (RTP) at v29 7200",
    )  # fmt: skip


def test_a_result_before_the_end_is_that_of_a_dropped_call() -> None:
    session = new_session([])
    result = session.result(0.0)
    assert (result.code, result.pages, result.bit_rate, result.modulation, result.coding) == (49, 0, 0, "", "")


def test_identity_that_cannot_be_sent_is_refused_at_the_door() -> None:
    with pytest.raises(ValueError, match="identity"):
        new_session([], identity="a name that is far too long")


def test_no_identity_sends_no_csi() -> None:
    session = new_session([], identity="")
    carrier = ScriptedCarrier(receiving_terminal(session, lambda page: None), far_x=True)
    carrier.run()
    assert carrier.said == ["CED", "DIS"]


def test_a_page_in_blocks_is_one_page() -> None:
    pages: list[Page] = []
    session = new_session([])
    carrier = ScriptedCarrier(receiving_terminal(session, pages.append), far_x=True)
    play(carrier, "DCS/9600", "TCF")
    listen = carrier.run()
    assert listen
    assert listen.fast
    for block, more in ((b"10", True), (b"0 1", True), (b" 1", False)):
        carrier._advance(DataHeard(carrier.now, carrier.now + 3, block, more=more))
        carrier.now += 3
        carrier.run()
    play(carrier, "EOP", "DCN")
    assert [page.height for page in pages] == [100]
    assert session.result(1.0).success
    assert session.result(1.0).bad_rows == 1


def test_a_carrier_without_end_does_not_fill_memory() -> None:
    session = new_session([])
    carrier = ScriptedCarrier(receiving_terminal(session, lambda page: None), far_x=True)
    play(carrier, "DCS/9600", "TCF")
    for _ in range(1000):
        if carrier.run() is None:
            break
        carrier._advance(DataHeard(carrier.now, carrier.now + 7, bytes(8192), more=True))
        carrier.now += 7
    assert carrier.finished
    assert session.result(1.0).code == 27


def garbage(octets: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).integers(1, 256, octets, np.uint8).tobytes()


@pytest.mark.parametrize(
    ("octets", "good"),
    [
        (bytes(SECOND * 3 // 2), True),
        (bytes(SECOND), True),
        (bytes(SECOND - 1), False),
        (b"", False),
        (garbage(200) + bytes(SECOND) + garbage(200), True),
        (garbage(1800), False),
        (b"\xff" * 1800, False),
        (bytes(900) + b"\x10" + bytes(900), True),
        (b"\xff" + (bytes(39) + b"\x08") * 45, True),
        (b"\xff" + (bytes(9) + b"\x08") * 180, False),
        (bytes(600), False),
    ],
)
def test_training_check(octets: bytes, good: bool) -> None:
    assert training_is_good(octets, RATE) is good


@pytest.mark.parametrize(
    ("rows", "bad", "response"),
    [
        (1000, 0, FCF.MCF), (1000, 49, FCF.MCF), (1000, 50, FCF.RTP), (1000, 149, FCF.RTP), (1000, 150, FCF.RTN),
        (1, 1, FCF.RTN), (1, 0, FCF.MCF), (0, 0, None),
    ],
)  # fmt: skip
def test_page_quality(rows: int, bad: int, response: FCF | None) -> None:
    assert page_response(rows, bad, cut=False) is response
    assert page_response(rows, bad, cut=True) is (FCF.RTN if response else None)


@pytest.mark.parametrize(
    ("rtp", "rtn", "bad", "response"),
    [
        (0.0, 0.0, 0, FCF.MCF), (0.0, 0.0, 1, FCF.RTN), (0.0, 0.5, 1, FCF.RTP), (1.0, 1.0, 99, FCF.MCF),
        (0.3, 1.0, 30, FCF.RTP), (0.3, 1.0, 29, FCF.MCF), (1.0, 1.0, 100, FCF.RTN),
    ],
)  # fmt: skip
def test_the_owner_sets_the_quality(rtp: float, rtn: float, bad: int, response: FCF) -> None:
    """Of 100 rows so many are bad: the answer of the receiving terminal."""
    session = new_session([], rtp_bad_rows=rtp, rtn_bad_rows=rtn)
    carrier = ScriptedCarrier(receiving_terminal(session, lambda page: None), far_x=True)
    play(carrier, "DCS/9600", "TCF", f"PAGE 100/{bad}", "EOP")
    assert carrier.run()
    assert carrier.said[-1] == response.name


def test_inch_pages_keep_their_true_length() -> None:
    """DCS bit 44: 200 x 200 has the pels of fine, but other lines [T.30 table 2]."""
    pages: list[Page] = []
    carrier = ScriptedCarrier(receiving_terminal(new_session([]), pages.append), far_x=True)
    play(carrier, "DCS=004680808008", "TCF", "PAGE 100/0", "EOP", "DCN")
    assert (pages[0].resolution, pages[0].width) == (Resolution("200x200", 200, 200), A4_WIDTH)
