"""Frames that did not arrive are not silence: the signal they were part of goes on, and time with it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import faxcore
from faxcore.events import Event
from faxcore.modem import v21
from faxcore.signals import FrameEnds, Octets, SignalBegins, SignalEnds, SignalItem
from tests.support_calls import Samples, pair

NSF, CSI, DIS = bytes.fromhex("ffc020") + bytes(9), bytes.fromhex("ffc040") + b"0" * 20, bytes.fromhex("ffc8807700")
SIGNAL = np.append(v21.Transmitter([NSF, CSI, DIS]).pull(10**6), np.zeros(2000, np.int16))
IN_NSF = 9000


def heard(signal: Samples, gaps: list[tuple[int, int]], *, missing: bool) -> list[SignalItem]:
    """What a receiver hears where samples [begin, end) did not arrive, told so or given zeros."""
    receiver, items, at = v21.Receiver(), list[SignalItem](), 0
    for begin, end in gaps:
        items += receiver.push(signal[at:begin])
        items += receiver.missing(end - begin) if missing else receiver.push(np.zeros(end - begin, np.int16))
        at = end
    return items + receiver.push(signal[at:])


def frames(items: list[SignalItem]) -> list[bytes]:
    return [octets.data for octets, end in itertools.pairwise(items)
            if isinstance(octets, Octets) and isinstance(end, FrameEnds) and end.good]  # fmt: skip


@pytest.mark.parametrize("begin", range(IN_NSF, IN_NSF + 1600, 321))
def test_frames_after_a_gap_are_heard(begin: int) -> None:
    """Given zeros, the receiver takes the signal for over, and waits for flags that do not come any more."""
    gap = [(begin, begin + 160)]
    items = heard(SIGNAL, gap, missing=True)
    assert frames(items) == [CSI, DIS]
    assert [item.good for item in items if isinstance(item, FrameEnds)] == [False, True, True]
    assert [type(i) for i in items if isinstance(i, SignalBegins | SignalEnds)] == [SignalBegins, SignalEnds]
    assert frames(heard(SIGNAL, gap, missing=False)) != [CSI, DIS]


def test_a_gap_in_the_preamble_or_between_signals_changes_nothing() -> None:
    whole = heard(SIGNAL, [], missing=True)
    for begin in (0, 4000, len(SIGNAL) - 1500):
        items = heard(SIGNAL, [(begin, begin + 160)], missing=True)
        assert frames(items) == frames(whole)
        assert items[-1] == whole[-1]


def test_pieces_of_a_gap_are_one_gap() -> None:
    pieces = [(IN_NSF + at, IN_NSF + at + 40) for at in range(0, 160, 40)]
    assert heard(SIGNAL, pieces, missing=True) == heard(SIGNAL, [(IN_NSF, IN_NSF + 160)], missing=True)


def run(chunk: int, lost: set[int], *, group: bool = False) -> tuple[list[list[Event]], list[faxcore.FaxResult | None]]:
    """A call whose ends lose ticks of 160 samples, in chunks of a part of them."""
    ends = pair(1, modulations=("v29",))
    hub, silence = faxcore.CallGroup(ends), np.zeros((2, chunk), np.int16)
    coming = [silence] * (160 // chunk)
    for tick in range(20 * 50):
        gone = [tick in lost, tick + 7 in lost]
        for heard_now in coming[: 160 // chunk]:
            if group:
                coming.append(hub.exchange(heard_now, missing=gone)[::-1])
                continue
            for call, samples, missing in zip(ends, heard_now, gone, strict=True):
                call.push_missing(chunk) if missing else call.push_audio(samples)
            coming.append(np.stack([call.pull_audio(chunk) for call in ends])[::-1])
        del coming[: 160 // chunk]
    return [list(call.events()) for call in ends], [call.result for call in ends]


LOST = set(np.random.default_rng(3).integers(0, 1000, 8).tolist())


def test_a_call_that_loses_frames_is_the_same_in_any_chunks_and_in_a_group() -> None:
    events, results = run(160, LOST)
    assert all(result is not None and result.success for result in results)
    assert run(160, LOST, group=True) == (events, results)
    smaller, _ = run(40, LOST)
    assert [own[:-1] for own in smaller] == [own[:-1] for own in events]


def test_doors() -> None:
    sender, _ = pair(1)
    with pytest.raises(ValueError, match="number of samples"):
        sender.push_missing(-1)
    group = faxcore.CallGroup(pair(1))
    with pytest.raises(ValueError, match="missing"):
        group.exchange(np.zeros((2, 160), np.int16), missing=[True])
