"""Whatever comes from the line, parsers give a value or FrameError and a terminal ends its call with a code."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faxcore import coding
from faxcore.errors import FrameError
from faxcore.events import Event, PageReceived, PageSent
from faxcore.page import Page
from faxcore.result import DETAIL_INTERNAL, ResultCode
from faxcore.t30.capabilities import Capabilities, Parameters, build_field, parse_field
from faxcore.t30.dis_bits import describe
from faxcore.t30.frames import FCF, Frame, parse_frame, parse_signal
from faxcore.t30.idents import REFUSALS, decode_identity, internet_address, maker, refused_field
from faxcore.t30.orders import DataHeard, FramesHeard, HangUp, LineDropped, Listen, Procedure, Report, Stuck, TimedOut
from faxcore.t30.quality import training_is_good
from faxcore.t30.receiver import receiving_terminal
from faxcore.t30.session import Session
from faxcore.t30.transmitter import transmitting_terminal
from tests.t30_support import ScriptedCarrier, Supply, fake_decode, fake_encode, frame_of, new_session

FUZZ = settings(
    max_examples=500,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
LONGEST_CALL_S = 3600
ENDLESS = 400  # orders: more than any finite script leads to


@FUZZ
@given(st.binary(max_size=80))
def test_parsers_are_total(octets: bytes) -> None:
    try:
        frame = parse_frame(octets)
    except FrameError:
        frame = None
    if frame and frame.fcf is not FCF.UNKNOWN:
        assert frame.octets() == octets
    assert parse_signal((octets,)) == ((frame,) if frame and frame.final else ())
    bits = parse_field(octets)
    extend = set(range(24, 129, 8))  # set as the length asks, which may be shorter than what came
    assert parse_field(build_field(bits)) - extend == bits - extend
    assert all(describe(bits, setting=setting) or not bits - {128} for setting in (False, True))
    far, parameters = Capabilities.parse(octets), Parameters.parse(octets)
    assert far.modulations
    assert far.widths_mm[0] == 215
    assert parameters.scan_ms in (0, 5, 10, 20, 40)
    assert decode_identity(octets).isprintable()
    assert internet_address(octets).isprintable()
    assert refused_field(octets) in (*REFUSALS.values(), ResultCode.UNEXPECTED)
    country, who = maker(octets)
    assert country or not who
    training_is_good(octets, 9600)


GOOD_START = {
    "sender": ["DIS", "CFR"], "receiver": ["DCS/9600"], "polled": ["DTC", "CFR"], "poller": ["DIS/poll", "DCS/9600"],
}  # fmt: skip
NAMES = [fcf.name for fcf in FCF] + ["DCS/9600", "DCS/7200", "DIS=000200", "DIS/poll+", "CRP", "MCF", "EOP", "MPS"]
frames = st.one_of(
    st.sampled_from(NAMES).map(lambda name: Frame(*frame_of(name), final=True).octets()),
    st.sampled_from(NAMES).map(lambda name: Frame(*frame_of(name), final=False).octets()),
    st.binary(max_size=8),
    st.binary(max_size=6).map(lambda fif: Frame(FCF.DCS, fif).octets()),
    st.binary(max_size=6).map(lambda fif: Frame(FCF.DIS, fif).octets()),
)
data = st.one_of(
    st.binary(max_size=20), st.just(bytes(2400)), st.just(b"1000 0 1"), st.just(b"1000 100 1"), st.just(b"0 0 0")
)
span = st.floats(0.1, 20)
Answer = Callable[[float, Listen], Report] | type[Exception]
answers: st.SearchStrategy[Answer] = st.one_of(
    st.builds(
        lambda heard, took, bad: lambda now, listen: FramesHeard(now + 0.2, now + 0.2 + took, tuple(heard), bad),
        st.lists(frames, max_size=4), span, st.integers(0, 3),
    ),
    st.builds(
        lambda octets, took, more, trained: lambda now, listen: DataHeard(now, now + took, octets, more, trained),
        data, span, st.booleans(), st.booleans(),
    ),
    st.booleans().map(lambda heard: lambda now, listen: TimedOut(now, now + listen.within, heard)),
    st.just(lambda now, listen: Stuck(now, now + 3)),
    st.sampled_from([HangUp, LineDropped]),
)  # fmt: skip


@pytest.fixture(autouse=True)
def page_codes_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "encode", fake_encode, raising=False)
    monkeypatch.setattr(coding, "decode", fake_decode, raising=False)


def begin(role: str, events: list[Event]) -> tuple[Session, Procedure]:
    session = new_session(events, password="1234", sub_address="77", accept=lambda far: "isp" if far.isp else None)
    if role in ("sender", "polled"):
        pages = Supply(3, papers=("a4", "a3", "a3"))
        return session, transmitting_terminal(session, pages, calls=role == "sender")
    return session, receiving_terminal(session, lambda page: None, calls=role == "poller")


def drive(procedure: Procedure, script: list[Answer], *, loop: bool = False) -> ScriptedCarrier:
    """Answers with the script and then with silence for ever (or the script again and again)."""
    carrier, index = ScriptedCarrier(procedure, far_x=False), 0
    while listen := carrier.run():
        assert carrier.orders < ENDLESS + 4 * len(script), "the call does not end"
        carrier.said.clear()
        silence: Answer = lambda now, listen: TimedOut(now, now + listen.within)  # noqa: E731
        answer = script[index % len(script)] if loop or index < len(script) else silence
        index += 1
        if isinstance(answer, type):
            carrier._advance(answer())
        else:
            report = answer(carrier.now, listen)
            carrier.now = report.end
            carrier._advance(report)
    return carrier


def check(session: Session, events: list[Event], carrier: ScriptedCarrier) -> None:
    assert carrier.finished
    result = session.result(carrier.now)
    assert 0 <= result.code <= 61
    assert result.detail != DETAIL_INTERNAL
    assert result.success == (result.code == 0)
    numbers = [event.number for event in events if isinstance(event, PageSent | PageReceived)]
    assert len(numbers) == result.pages
    assert numbers == sorted(set(numbers)) if session.gap else numbers == list(range(1, result.pages + 1))
    assert [event.at for event in events] == sorted(event.at for event in events)


@pytest.mark.parametrize("role", GOOD_START)
@FUZZ
@given(script=st.lists(answers, max_size=25))
def test_any_reports_end_with_a_code(role: str, script: list[Answer]) -> None:
    events: list[Event] = []
    session, procedure = begin(role, events)
    carrier = drive(procedure, script)
    check(session, events, carrier)
    assert carrier.now < LONGEST_CALL_S


REAL_DECODE = coding.decode


@pytest.mark.parametrize("role", GOOD_START)
@FUZZ
@given(script=st.lists(answers, max_size=20), trained=st.booleans())
def test_any_reports_in_the_middle_of_a_call(role: str, script: list[Answer], trained: bool) -> None:
    start: list[Answer] = [
        lambda now, listen, name=name: FramesHeard(now, now + 1, (Frame(*frame_of(name)).octets(),))  # type: ignore[misc]
        for name in GOOD_START[role]
    ]
    if trained and role in ("receiver", "poller"):
        start.append(lambda now, listen: DataHeard(now, now + 1.5, bytes(1800)))
    events: list[Event] = []
    session, procedure = begin(role, events)
    check(session, events, drive(procedure, start + script))


@pytest.mark.parametrize("role", GOOD_START)
@FUZZ
@given(script=st.lists(answers, min_size=1, max_size=3))
def test_a_far_end_that_says_the_same_for_ever(role: str, script: list[Answer]) -> None:
    """Unless pages come through, of which there may be any number."""
    events: list[Event] = []
    session, procedure = begin(role, events)
    try:
        carrier = drive(procedure, script, loop=True)
    except AssertionError:
        assert session.pages > 5
    else:
        check(session, events, carrier)


@FUZZ
@given(octets=st.binary(max_size=400), scale=st.sampled_from([1, 50]), name=st.sampled_from(["DCS/9600", "DCS=000600"]))
def test_any_octets_as_a_page(octets: bytes, scale: int, name: str) -> None:
    """With the real decoder: a page is stored only where it is confirmed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coding, "decode", REAL_DECODE)
        stored: list[Page] = []
        events: list[Event] = []
        session = new_session(events)
        script: list[Answer] = [
            lambda now, listen: FramesHeard(now, now + 1, (Frame(*frame_of(name)).octets(),)),
            lambda now, listen: DataHeard(now, now + 1.5, bytes(1800)),
            lambda now, listen: DataHeard(now, now + 9, octets * scale),
            lambda now, listen: FramesHeard(now + 0.1, now + 1, (Frame(FCF.EOP).octets(),)),
        ]
        check(session, events, drive(receiving_terminal(session, stored.append), script))
        assert len(stored) == session.pages
        assert session.result(0).success == bool(stored)
