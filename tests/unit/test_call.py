"""The facade: what a user may do with a call, and how it ends when something goes wrong."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import faxcore
from faxcore.events import BurstReceived, Finished, Negotiated, PageReceived, PageSent
from faxcore.result import ResultCode
from tests.support_calls import join, pair, small_document, small_page


def test_a_call_of_three_pages() -> None:
    sender, receiver = pair(3)
    outcome = faxcore.simulate(sender, receiver, line=faxcore.Line(noise_dbm0=-50, law="mu", seed=7))
    assert outcome.sender.success
    assert outcome.receiver.success
    assert outcome.sender.pages == outcome.receiver.pages == 3
    assert outcome.sender.remote_identity == "+15551230002"
    assert outcome.receiver.remote_identity == "+15551230001"
    assert list(receiver.document.pages) == [small_page(n) for n in range(3)]


def test_events_tell_the_call_in_order() -> None:
    sender, receiver = pair(2)
    faxcore.simulate(sender, receiver)
    for call, kind in ((sender, PageSent), (receiver, PageReceived)):
        events = list(call.events())
        assert [e.number for e in events if isinstance(e, kind)] == [1, 2]
        assert any(isinstance(e, Negotiated) for e in events)
        assert isinstance(events[-1], Finished)
        assert events[-1].result is call.result
        times = [e.at for e in events]
        assert times == sorted(times)
        assert list(call.events()) == []


def test_variables_have_the_names_of_the_contract() -> None:
    sender, receiver = pair(1)
    outcome = faxcore.simulate(sender, receiver)
    assert outcome.sender.variables("send_fax") == {
        "send_fax_document": "received",
        "send_fax_identity": "+15551230001",
        "send_fax_remote_identity": "+15551230002",
        "send_fax_pages": 1,
        "send_fax_result_code": 0,
        "send_fax_result_text": "Every page was confirmed",
        "send_fax_result": "success",
    }
    received = outcome.receiver.variables("receive_fax")
    assert received["receive_fax_remote_identity"] == "+15551230001"
    assert set(received) == {
        f"receive_fax_{name}"
        for name in ("document", "identity", "remote_identity", "pages", "result_code", "result_text", "result")
    }


def test_pull_gives_exactly_what_is_asked_for() -> None:
    sender, _ = pair()
    for n in (0, 1, 7, 160, 4000):
        frame = sender.pull_audio(n)
        assert frame.dtype == np.int16
        assert frame.shape == (n,)


def test_lookahead_is_kept() -> None:
    """Two copies of a call that hear different things say the same within their lookahead."""
    one, _ = pair()
    other, _ = pair()
    rng = np.random.default_rng(5)
    for _ in range(40):
        n = min(one.lookahead, 400)
        assert n == min(other.lookahead, 400)
        one.push_audio(np.zeros(n, np.int16))
        other.push_audio(rng.integers(-90, 90, n).astype(np.int16))
        assert np.array_equal(one.pull_audio(n), other.pull_audio(n))


@pytest.mark.parametrize("after", [0.5, 4.0, 7.0, 9.5, 12.0, 14.0, 16.0])
@pytest.mark.parametrize("who", ["sender", "receiver"])
def test_hang_up_ends_within_three_seconds(who: str, after: float) -> None:
    sender, receiver = pair(2)
    call = {"sender": sender, "receiver": receiver}[who]
    asked: list[float] = []

    def each(at: float) -> None:
        if at >= after and not asked:
            asked.append(at)
            call.hang_up()
        elif asked and at >= asked[0] + 3.0:
            assert call.finished
            for end in (sender, receiver):
                if not end.finished:
                    end.line_dropped()

    join(sender, receiver, ticks=itertools.repeat(160), each=each)
    assert asked
    assert call.result is not None
    assert call.result.code == ResultCode.RETRYDCN
    assert call.result.detail == 103
    assert not call.result.success


@pytest.mark.parametrize("after", [0.0, 2.0, 6.0, 9.0, 11.0, 13.0, 15.0])
def test_a_dropped_line_ends_the_call_at_once(after: float) -> None:
    sender, receiver = pair(2)
    dropped = False

    def each(at: float) -> None:
        nonlocal dropped
        if at >= after and not dropped:
            dropped = True
            for end in (sender, receiver):
                end.line_dropped()
                assert end.finished
                assert end.result is not None
                assert end.result.code == ResultCode.CALLDROPPED

    join(sender, receiver, ticks=itertools.repeat(160), each=each)
    assert sender.pull_audio(160).tolist() == [0] * 160
    sender.push_audio(np.ones(160, np.int16))


def test_a_line_dropped_after_the_last_confirmation_is_success() -> None:
    sender, receiver = pair(1)

    def each(_: float) -> None:
        if sender.progress.confirmed == 1:
            for end in (sender, receiver):
                end.line_dropped()

    join(sender, receiver, ticks=itertools.repeat(160), each=each)
    assert sender.result is not None
    assert sender.result.success
    assert sender.result.pages == 1
    assert receiver.result is not None
    assert receiver.result.success


def test_nobody_answers() -> None:
    """T0: 60 s of silence, then code 2."""
    sender, _ = pair()
    while not sender.finished:
        sender.push_audio(np.zeros(8000, np.int16))
        sender.pull_audio(8000)
    assert sender.result is not None
    assert sender.result.code == ResultCode.T0_EXPIRED
    assert 55 <= sender.result.duration <= 70


def test_missing_frames_let_time_pass() -> None:
    sender, _ = pair()
    while not sender.finished:
        sender.push_missing(8000)
        sender.pull_audio(8000)
    assert sender.result is not None
    assert sender.result.code == ResultCode.T0_EXPIRED


@pytest.mark.parametrize(
    ("samples", "error"),
    [(np.zeros(4, np.float32), TypeError), (np.zeros((2, 2), np.int16), ValueError), ("abc", TypeError)],
)
def test_wrong_samples(samples: object, error: type[Exception]) -> None:
    sender, _ = pair()
    with pytest.raises(error):
        sender.push_audio(samples)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"codings": ("jbig",)}, "jbig"),
        ({"modulations": ("v34",)}, "v34"),
        ({"password": "1" * 21}, "password"),
        ({"sub_address": ""}, "sub_address"),
        ({"polling_address": "ü"}, "polling_address"),
        ({"width": "a2"}, "width"),
        ({"tries_per_rate": 0}, "tries_per_rate"),
        ({"resolution": "ultra"}, "resolution"),
        ({"max_rate": 2400, "modulations": ("v29",)}, "max_rate"),
    ],
)
def test_options_are_checked_by_name(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        faxcore.Options(**options)  # type: ignore[arg-type]


def test_roles_and_identities_are_checked() -> None:
    with pytest.raises(ValueError, match="role"):
        faxcore.FaxCall.send(small_document(), role="sender")
    with pytest.raises(ValueError, match="role"):
        faxcore.FaxCall.receive(role="")
    with pytest.raises(TypeError, match="accept"):
        faxcore.Options(accept="everybody")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="identity"):
        faxcore.FaxCall.receive(identity="x" * 21)


@pytest.mark.parametrize(("cause", "code"), [("busy", 49), ("no_answer", 2), (17, 49), (19, 2), ("rejected", 49)])
def test_a_call_that_never_reached_us(cause: str | int, code: int) -> None:
    result = faxcore.FaxResult.not_answered(cause)
    assert result.code == code
    assert not result.success
    assert set(result.variables("send_fax").values()) >= {"failed", code}


def test_a_receiver_tells_what_it_saw_of_each_burst() -> None:
    """TCF and the page: the noise is 26 dB below the signal, the level that of the line."""
    sender, receiver = pair(1)
    faxcore.simulate(sender, receiver, line=faxcore.Line(noise_dbm0=-49, gain_db=-10, law=None, seed=3))
    bursts = [event for event in receiver.events() if isinstance(event, BurstReceived)]
    assert [burst.trained for burst in bursts] == [True, True]
    for burst in bursts:
        assert abs(burst.quality.snr_db - 26) < 1.5
        assert abs(burst.quality.level_dbm0 + 23) < 0.5
        assert abs(burst.quality.carrier_hz) < 0.5
        assert len(burst.points) == len(burst.quality.points) > 100
        assert np.argmax(np.abs(burst.quality.taps)) in (15, 16)
    assert receiver.result is not None
    assert receiver.result.quality == bursts[-1].quality
    assert receiver.result.bursts == tuple(burst.quality for burst in bursts)
    training, page = bursts
    assert abs(training.quality.bits / training.modulation.bit_rate - 1.5) < 0.05  # TCF: 1.5 s of zeros [T.30 5.3.2]
    assert page.quality.bits > 8 * sum(event.octets for event in sender.events() if isinstance(event, PageSent)) > 0
    assert sender.result is not None
    assert sender.result.quality is None
