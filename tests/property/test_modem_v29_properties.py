"""V.29: neither end depends on how its samples or octets are cut."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faxcore import modem
from faxcore.line import Line
from faxcore.signals import V29_4800, V29_7200, V29_9600, Modulation, Octets, SignalItem

EVERY = st.sampled_from([V29_9600, V29_7200, V29_4800])
CUTS = st.lists(st.integers(0, 5000), max_size=10)


@cache
def line_signal(modulation: Modulation) -> Any:
    transmitter = modem.transmitter(modulation, echo_protection=True)
    transmitter.feed(bytes(range(256)))
    transmitter.finish()
    burst = np.concatenate([np.zeros(300, np.int16), transmitter.pull(10**6), np.zeros(900, np.int16)])
    return Line(noise_dbm0=-40.0, seed=9).direction(0).carry(burst)


def joined(items: list[SignalItem]) -> tuple[list[SignalItem], bytes]:
    return [i for i in items if not isinstance(i, Octets)], b"".join(i.data for i in items if isinstance(i, Octets))


@settings(max_examples=40, deadline=None)
@given(EVERY, CUTS)
def test_receiver(modulation: Modulation, cuts: list[int]) -> None:
    signal = line_signal(modulation)
    whole = joined(modem.receiver(modulation).push(signal))
    assert len(whole[0]) == 2
    assert whole[1].startswith(bytes(range(256)))
    receiver = modem.receiver(modulation)
    assert joined([item for piece in np.split(signal, sorted(cuts)) for item in receiver.push(piece)]) == whole


@pytest.mark.parametrize("modulation", [V29_9600, V29_7200, V29_4800], ids=str)
def test_receiver_sample_by_sample(modulation: Modulation) -> None:
    signal, receiver = line_signal(modulation), modem.receiver(modulation)
    items = [item for k in range(len(signal)) for item in receiver.push(signal[k : k + 1])]
    assert joined(items) == joined(modem.receiver(modulation).push(signal))


@settings(max_examples=40, deadline=None)
@given(EVERY, st.lists(st.tuples(st.integers(0, 700), st.binary(max_size=40)), max_size=12))
def test_transmitter(modulation: Modulation, steps: list[tuple[int, bytes]]) -> None:
    cut, whole, pieces = modem.transmitter(modulation), modem.transmitter(modulation), []
    for n, octets in steps:
        pieces.append(cut.pull(n))
        cut.feed(octets)
    cut.finish()
    pieces.append(cut.pull(10**6))
    whole.feed(b"".join(octets for _, octets in steps))
    whole.finish()
    assert cut.done
    assert np.array_equal(np.concatenate(pieces), whole.pull(10**6))


@settings(max_examples=25, deadline=None)
@given(EVERY, st.binary(max_size=300), st.integers(0, 2000))
def test_a_burst_arrives_wherever_it_begins(modulation: Modulation, octets: bytes, start: int) -> None:
    transmitter = modem.transmitter(modulation)
    transmitter.feed(octets)
    transmitter.finish()
    signal = np.concatenate([np.zeros(start, np.int16), transmitter.pull(10**6), np.zeros(900, np.int16)])
    items, heard = joined(modem.receiver(modulation).push(signal))
    assert len(items) == 2
    assert heard.startswith(octets)
