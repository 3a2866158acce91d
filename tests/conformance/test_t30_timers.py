"""T0 to T5 are what the options say, each in a conversation where it runs out [T.30 5.4.3]."""

from __future__ import annotations

from itertools import chain, repeat
from typing import Any

import pytest

from faxcore import coding
from faxcore.t30.receiver import receiving_terminal
from faxcore.t30.transmitter import transmitting_terminal
from tests.t30_support import ScriptedCarrier, Supply, fake_decode, fake_encode, new_session

PIN = ["DIS/mr", *["CFR", "PIN", "-"] * 3]
"""What a far end says whose operator never comes; then all is silent."""


def play(role: str, script: list[str], **options: float) -> tuple[int, list[float], list[float]]:
    """A conversation whose last word goes on for ever; its code, the waits that ran out, and when each word came."""
    session = new_session([], ecm=True, **options)
    procedure: Any = (
        transmitting_terminal(session, Supply(1))
        if role == "sender"
        else receiving_terminal(session, lambda page: None)
    )
    carrier = ScriptedCarrier(procedure, far_x=role == "receiver")
    waits, times = [], []
    for word in chain(script, repeat(script[-1])):
        listen = carrier.run()
        if listen is None:
            break
        if word == "-":
            waits.append(listen.within)
        carrier.hear(word, listen)
        times.append(carrier.now)
    assert carrier.finished
    return int(session.result(0.0).code), waits, [*times, carrier.now]


@pytest.fixture(autouse=True)
def page_codes_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "encode", fake_encode)
    monkeypatch.setattr(coding, "decode", fake_decode)


@pytest.mark.parametrize("seconds", [3.0, 20.0])
@pytest.mark.parametrize(
    ("timer", "role", "script", "times", "code"),
    [
        ("t0", "sender", ["-"], 1, 2),
        ("t1", "sender", ["~", "-"], 1, 3),
        ("t2", "receiver", ["DCS-mr/9600", "TCF", "-"], 1, 31),
        ("t2", "receiver", ["DCS-mr/9600", "TCF", "BURST0-255", "-"], 1, 32),
        ("t2", "receiver", ["DCS-mr/9600", "TCF/bad", "-"], 1, 34),
        ("t3", "sender", PIN, 3, 4),
        ("t4", "sender", ["DIS/mr", "-"], 3, 20),
        ("t4", "sender", ["DIS/mr", "CFR", "-"], 3, 21),
    ],
)
def test_waits(timer: str, role: str, script: list[str], times: int, code: int, seconds: float) -> None:
    found, waits, _ = play(role, script, **{timer: seconds})
    assert found == code
    if "~" in script:
        assert seconds - 2.1 <= waits[-1] <= seconds  # from the flags on, not from the end of what brought nothing
    else:
        assert waits == [seconds] * times


@pytest.mark.parametrize("seconds", [8.0, 60.0])
def test_t1_of_the_answering_terminal(seconds: float) -> None:
    """DIS again and again, no new one after T1."""
    code, waits, times = play("receiver", ["-"], t1=seconds, t4=3.0)
    assert code == 3
    assert set(waits) == {3.0}
    begin = times[0] - 3.0  # the end of the first DIS
    assert seconds <= times[-2] - begin < seconds + 6


@pytest.mark.parametrize("seconds", [10.0, 65.0])
def test_t5_runs_from_the_first_rnr(seconds: float) -> None:
    code, waits, times = play("sender", ["DIS/mr", "CFR", "RNR"], t5=seconds)
    assert code == 22
    assert not waits
    assert seconds <= times[-2] - times[2] < seconds + 4


@pytest.mark.parametrize(("t5", "ends"), [(30.0, 0), (8.0, 22)])
def test_a_receiver_that_is_ready_before_t5(t5: float, ends: int) -> None:
    code, *_ = play("sender", ["DIS/mr", "CFR", *["RNR"] * 6, "MCF", "-"], t5=t5)
    assert code == ends
