"""Whatever bursts and frames come in error correction mode, a terminal ends its call with a code."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faxcore import coding
from faxcore.events import Event
from faxcore.page import Page
from faxcore.t30 import ecm
from faxcore.t30.frames import FCF, Frame, build_signal
from faxcore.t30.orders import BurstHeard, DataHeard, FramesHeard, Procedure, Stuck, TimedOut
from faxcore.t30.receiver import receiving_terminal
from faxcore.t30.session import Session
from faxcore.t30.transmitter import transmitting_terminal
from tests.fuzz.test_fuzz_t30 import LONGEST_CALL_S, REAL_DECODE, Answer, check, drive
from tests.t30_support import PAGE_IN_WORDS, Supply, fake_decode, fake_encode, frame_of, new_session

FUZZ = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CODINGS = ["mmr", "mr", "mh"]

number = st.one_of(st.integers(0, 3), st.integers(0, 255))
blocks = st.builds(
    lambda command, page, block, frames, x: ecm.Block(command, page, block, frames).field(x),
    st.sampled_from([None, FCF.MPS, FCF.EOM, FCF.EOP, FCF.PRI_EOP]), st.integers(0, 2), st.integers(0, 2),
    st.integers(1, 4) | st.integers(1, 256), st.booleans(),
)  # fmt: skip
field = st.one_of(st.just(b""), st.binary(max_size=40), blocks, blocks.map(lambda fif: fif[:1]),
                  st.sets(number).map(ecm.request), st.sampled_from([b"\0\x04", b"\0\x0c", b"\0\x10"]))  # fmt: skip
NAMES = [fcf.name for fcf in (FCF.PPS, FCF.EOR, FCF.PPR, FCF.CTC, FCF.CTR, FCF.ERR, FCF.RR, FCF.RNR, FCF.MCF, FCF.CFR,
                              FCF.RTN, FCF.DCN, FCF.CRP, FCF.EOP, FCF.DCS)]  # fmt: skip
signals = st.one_of(
    st.builds(lambda fif: build_signal((FCF.PPS, fif), x=True), blocks),
    st.builds(lambda name, fif: build_signal((FCF[name], fif), x=True), st.sampled_from(NAMES), field),
    st.sampled_from(["DCS-mr/9600", "DIS/mr", "DCS/9600"]).map(lambda name: build_signal(frame_of(name), x=True)),
)
octets = st.one_of(
    st.just(PAGE_IN_WORDS.ljust(256)), st.just(b" " * 256), st.just(b" " * 64), st.binary(max_size=300)
)
frames = st.one_of(
    st.builds(lambda n, data: Frame(FCF.FCD, bytes((n,)) + data, final=False).octets(), number, octets),
    st.just(Frame(FCF.RCP, final=False).octets()),
    st.binary(max_size=8),
)
span = st.floats(0.1, 20)
answers: st.SearchStrategy[Answer] = st.one_of(
    st.builds(
        lambda heard, took: lambda now, listen: FramesHeard(now + 0.2, now + 0.2 + took, heard), signals, span
    ),
    st.builds(
        lambda heard, took, bad: lambda now, listen: BurstHeard(now + 0.1, now + 0.1 + took, tuple(heard), bad)
        if listen.framed
        else DataHeard(now, now + took, bytes(2400)),
        st.lists(frames, max_size=6), span, st.integers(0, 3),
    ),
    st.builds(lambda took: lambda now, listen: DataHeard(now, now + took, b"", trained=False), span),
    st.just(lambda now, listen: TimedOut(now, now + listen.within)),
    st.just(lambda now, listen: Stuck(now, now + 3)),
)  # fmt: skip


@pytest.fixture(autouse=True)
def page_codes_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "encode", lambda *args, **how: fake_encode(*args, **how).ljust(700), raising=False)
    monkeypatch.setattr(coding, "decode", fake_decode, raising=False)


def hears(name: str) -> Answer:
    return lambda now, listen: FramesHeard(now, now + 1, build_signal(frame_of(name), x=False))


def begin(role: str, name: str, stored: list[Page], busy: int = 0) -> tuple[Session, list[Event], Procedure]:
    """A terminal, and a script up to its first block."""
    events: list[Event] = []
    session = new_session(events, ecm=True, codings=(name,))
    if role == "sender":
        return session, events, transmitting_terminal(session, Supply(3))
    turns = iter([False] * busy)
    return session, events, receiving_terminal(session, stored.append, lambda: next(turns, True))


def start(role: str, name: str) -> list[Answer]:
    if role == "sender":
        return [hears(f"DIS/{'mmr' if name == 'mmr' else 'mr'}"), hears("CFR")]
    return [hears(f"DCS-{name}/9600"), lambda now, listen: DataHeard(now, now + 1.5, bytes(1800))]


@pytest.mark.parametrize("role", ["sender", "receiver"])
@FUZZ
@given(script=st.lists(answers, max_size=25), name=st.sampled_from(CODINGS), busy=st.integers(0, 20))
def test_any_reports_end_with_a_code(role: str, script: list[Answer], name: str, busy: int) -> None:
    stored: list[Page] = []
    session, events, procedure = begin(role, name, stored, busy)
    carrier = drive(procedure, start(role, name) + script)
    check(session, events, carrier)
    assert carrier.now < LONGEST_CALL_S
    assert len(stored) <= session.pages + 1  # the last one may have had no chance of being confirmed
    assert not (session.gap and session.result(0).success)


@pytest.mark.parametrize("role", ["sender", "receiver"])
@FUZZ
@given(script=st.lists(answers, min_size=1, max_size=3), name=st.sampled_from(CODINGS))
def test_a_far_end_that_says_the_same_for_ever(role: str, script: list[Answer], name: str) -> None:
    """Unless pages come through, of which there may be any number."""
    session, events, procedure = begin(role, name, [])
    try:
        carrier = drive(procedure, start(role, name) + script * 200)
    except AssertionError:
        assert session.pages > 5
    else:
        check(session, events, carrier)


@FUZZ
@given(data=st.lists(st.binary(min_size=1, max_size=256), min_size=1, max_size=4), name=st.sampled_from(CODINGS))
def test_any_octets_as_a_page(data: list[bytes], name: str) -> None:
    """With the real decoder: a page is stored only where it is confirmed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coding, "decode", REAL_DECODE)
        stored: list[Page] = []
        session, events, procedure = begin("receiver", name, stored)
        size = max(map(len, data))
        burst = tuple(ecm.burst([item.ljust(size, b"\0") for item in data], list(range(len(data)))))
        pps = build_signal((FCF.PPS, ecm.Block(FCF.EOP, 0, 0, len(data)).field(True)), x=True)
        script: list[Answer] = [
            lambda now, listen: BurstHeard(now, now + 1, burst),
            lambda now, listen: FramesHeard(now + 0.1, now + 1, pps),
        ]
        check(session, events, drive(procedure, start("receiver", name) + script))
        assert len(stored) == session.pages
        assert session.result(0).success == bool(stored)
