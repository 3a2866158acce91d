"""Every call ends in bounded line time, on its own clock: far ends that go silent, idle or on for ever."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import faxcore
from faxcore import coding
from faxcore.carrier import plan
from faxcore.events import PageReceived, PageSent
from faxcore.hdlc import frame_bits
from faxcore.result import ResultCode
from faxcore.signals import Modulation
from tests.bad_lines import Muted
from tests.support_calls import join, pair

QUICK = {"modulations": ("v29",), "t0": 20.0}
MOMENTS = [round(0.4 + 1.3 * i, 1) for i in range(14)]


@pytest.mark.parametrize("after", MOMENTS)
@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
def test_a_line_that_dies(ecm: bool, after: float) -> None:
    """Both directions are silent from here on: both ends finish, with a failure unless the page was confirmed."""
    sender, receiver = pair(1, ecm=ecm, **QUICK)
    line = Muted(faxcore.Line(law=None), ((after, 1e5),), ways=(0, 1))
    outcome = faxcore.simulate(sender, receiver, line=line)  # type: ignore[arg-type]
    assert outcome.line_time - after < 60
    sent = any(isinstance(event, PageSent) for event in sender.events())
    received = any(isinstance(event, PageReceived) for event in receiver.events())
    assert outcome.sender.success == sent
    assert outcome.receiver.success == received
    assert received or not sent


@pytest.mark.parametrize("who", [0, 1], ids=["caller", "answerer"])
@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
def test_hang_up_in_every_phase(ecm: bool, who: int) -> None:
    for after in MOMENTS:
        result = hung_up(pair(1, ecm=ecm, **QUICK), who, after)
        assert result is not None
        assert result.success or (result.code, result.detail) == (ResultCode.RETRYDCN, 103)


def hung_up(ends: tuple[faxcore.FaxCall, faxcore.FaxCall], who: int, after: float) -> faxcore.FaxResult | None:
    """How a call ends whose owner hangs up: within 3 s."""
    done: list[float] = []

    def each(at: float) -> None:
        if at >= after and not done:
            done.append(at)
            ends[who].hang_up()
        if done and at >= done[0] + 3.0:
            assert ends[who].finished
            ends[1 - who].line_dropped()

    join(*ends, ticks=itertools.repeat(400), each=each)
    return ends[who].result


def test_a_page_without_an_end_of_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """FILL and nothing else: after 13 s the receiver has had enough."""
    monkeypatch.setattr(coding, "encode", lambda *args, **how: bytes(40000))
    sender, receiver = pair(1, ecm=False, **QUICK)
    outcome = faxcore.simulate(sender, receiver)
    assert outcome.receiver.code == ResultCode.RX_NOEOL
    assert outcome.line_time < 60


def flags_only(modulation: Modulation, frames: tuple[bytes, ...]) -> bytes:
    """A burst that idles for 100 s before its frames."""
    bits = frame_bits(frames, preamble_flags=100 * modulation.bit_rate // 8)
    return np.packbits(np.concatenate([bits, np.ones(-len(bits) % 8, np.uint8)]), bitorder="little").tobytes()


@pytest.mark.parametrize("t1", [15.0, 35.0])
def test_flags_where_the_first_frame_was_due(monkeypatch: pytest.MonkeyPatch, t1: float) -> None:
    monkeypatch.setattr(plan, "framed", flags_only)
    sender, receiver = pair(1, t1=t1, **QUICK)
    outcome = faxcore.simulate(sender, receiver)
    assert outcome.receiver.code == ResultCode.HDLC_CARRIER
    assert t1 < outcome.receiver.duration < t1 + 20


def test_flags_for_less_than_t1_are_borne(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some machines idle for minutes while they scan."""
    monkeypatch.setattr(plan, "framed", flags_only)
    sender, receiver = pair(1, t1=120.0, **QUICK)
    outcome = faxcore.simulate(sender, receiver)
    assert outcome.receiver.success
    assert list(receiver.document.pages) == list(sender.document.pages)
