"""An audio call that becomes packets on the way, at any moment where it may, and one that does not."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

import faxcore
from faxcore.events import FramesReceived, T38Wanted
from tests.support_calls import join, pair, small_page

TICK = 160


class Path:
    """Two ends tick by tick: audio, then datagrams between those that have switched."""

    def __init__(self, sender: faxcore.FaxCall, receiver: faxcore.FaxCall) -> None:
        self.ends = (sender, receiver)
        self.now = 1000.0
        for end in self.ends:
            end.wait_for_pages()

    def ticks(self, limit: float = 120.0) -> Iterator[float]:
        """Line time of each tick, until both have finished."""
        begun = self.now
        while not all(end.finished for end in self.ends):
            assert self.now - begun < limit, "the call does not end"
            said: list[list[bytes]] = []
            heard: list[np.ndarray | None] = []
            for end in self.ends:
                said.append(end.pull_datagrams(self.now) if end.packets else [])
                heard.append(None if end.packets else end.pull_audio(TICK))
            for here, there in ((0, 1), (1, 0)):
                end, audio = self.ends[there], heard[here]
                if end.packets:
                    for datagram in said[here]:
                        end.push_datagram(datagram, self.now)
                else:
                    end.push_audio(np.zeros(TICK, np.int16) if audio is None else audio)
            self.now += TICK / 8000
            yield self.now - begun


@pytest.mark.parametrize("after", [0.0, 0.4, 1.5, 3.0, 3.4, 4.0, 4.6, 5.2])
@pytest.mark.parametrize("late", [0.0, 0.3], ids=["both", "receiver-later"])
def test_a_call_switches(after: float, late: float) -> None:
    """Silence, CED, the preamble, the middle of DIS: the pages come in whole."""
    sender, receiver = pair(2)
    path = Path(sender, receiver)
    for passed in path.ticks():
        if passed > after and not sender.packets:
            assert sender.switch_allowed
            sender.switch(faxcore.T38(), path.now)
        if passed > after + late and not receiver.packets:
            receiver.switch(faxcore.T38(), path.now)
    for end in (sender, receiver):
        assert end.result is not None
        assert end.result.success, end.result.note
        times = [event.at for event in end.events()]
        assert times == sorted(times)
    assert list(receiver.document.pages) == [small_page(0), small_page(1)]


@pytest.mark.parametrize("who", [0, 1], ids=["sender", "receiver"])
def test_too_late_changes_nothing(who: int) -> None:
    """From the far end's first frames on every attempt is refused, and the call is to the bit what it is without."""
    plain = join(*pair(1), ticks=itertools.repeat(TICK))
    calls = pair(1)
    refused = 0

    def each(_: float) -> None:
        nonlocal refused
        call = calls[who]
        assert call.switch_allowed == (not any(isinstance(event, FramesReceived) for event in seen(call)))
        if not call.switch_allowed:
            with pytest.raises(faxcore.CallError, match="too late"):
                call.switch(faxcore.T38(), 1.0)
            refused += 1

    heard: list[object] = []

    def seen(call: faxcore.FaxCall) -> list[object]:
        heard.extend(call.events())
        return heard

    tried = join(*calls, ticks=itertools.repeat(TICK), each=each)
    assert refused > 100
    assert np.array_equal(plain[0], tried[0])
    assert np.array_equal(plain[1], tried[1])


def test_t38_is_wanted_once_and_in_time() -> None:
    """The sender hears CED; a receiver that nobody told of packets has heard no CED, but the far end's V.21."""
    sender, receiver = pair(1)
    faxcore.simulate(sender, receiver)
    for call in (sender, receiver):
        events = list(call.events())
        wanted = [n for n, event in enumerate(events) if isinstance(event, T38Wanted)]
        assert len(wanted) == 1
        assert wanted[0] < next(n for n, event in enumerate(events) if isinstance(event, FramesReceived))


def test_what_switch_refuses() -> None:
    sender, _ = pair(1)
    with pytest.raises(ValueError, match="T38"):
        sender.switch(faxcore.Audio(), 0.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="now"):
        sender.switch(faxcore.T38(), float("inf"))
    assert not sender.packets
    sender.switch(faxcore.T38(), 5.0)
    assert not sender.switch_allowed
    with pytest.raises(faxcore.CallError):
        sender.switch(faxcore.T38(), 6.0)
    with pytest.raises(faxcore.CallError):
        sender.pull_audio(160)
