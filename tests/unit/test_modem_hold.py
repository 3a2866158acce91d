"""A fast carrier that falls silent and goes on: octets of the silence do not come, those after it do."""

from __future__ import annotations

import numpy as np
import pytest

from faxcore import modem
from faxcore.modem.bank import ReceiverBank
from faxcore.signals import Modulation, Octets, SignalBegins, SignalEnds, SignalFades, SignalItem, SignalReturns
from faxcore.units import rms_of_dbm0

RATES = [("v27ter", 2400), ("v27ter", 4800), ("v29", 7200), ("v29", 9600), ("v17", 7200), ("v17", 14400)]
KINDS = (SignalBegins, SignalFades, SignalReturns, SignalEnds)


def burst(name: str, rate: int, gap: float, seconds: float = 4.0) -> tuple[np.ndarray, bytes]:
    """A burst with noise 30 dB below it that falls out 2.5 s after its training began; its octets."""
    random = np.random.default_rng(rate)
    octets = random.bytes(round((seconds + gap) * rate / 8))
    bits = np.unpackbits(np.frombuffer(octets, np.uint8), bitorder="little")
    samples = np.concatenate([np.zeros(800), modem.modulate(bits, name, rate), np.zeros(40000)])
    begin = 800 + round(8000 * 2.5)
    samples[begin : begin + round(8000 * gap)] = 0
    samples += random.standard_normal(len(samples)) * rms_of_dbm0(-43)
    return np.rint(samples).astype(np.int16), octets


def told(items: list[SignalItem]) -> tuple[list[SignalItem], bytes]:
    """What is not octets, and the octets."""
    return [i for i in items if isinstance(i, KINDS)], b"".join(i.data for i in items if isinstance(i, Octets))


@pytest.mark.parametrize("gap", [0.06, 0.3, 1.0])
@pytest.mark.parametrize(("name", "rate"), RATES)
def test_the_burst_goes_on_after_a_gap(name: str, rate: int, gap: float) -> None:
    samples, sent = burst(name, rate, gap)
    receiver = modem.receiver(Modulation(name, rate), hold=3.0)
    events, octets = told(receiver.push(samples))
    assert [type(event) for event in events] == [SignalBegins, SignalFades, SignalReturns, SignalFades, SignalEnds]
    fades, returns = events[1], events[2]
    assert abs(fades.at - 800 - 20000 - 300) < 400
    assert abs(returns.at - fades.at - 8000 * (gap + 0.2)) < 800
    bits, heard = (np.unpackbits(np.frombuffer(o, np.uint8), bitorder="little").tobytes() for o in (sent, octets))
    assert heard.startswith(bits[: rate // 4])
    tail = bits[-rate // 4 :]
    assert tail in heard
    # 33 ms at each edge that is found late, and in part of the second one noise.
    assert 0 <= len(heard) - len(bits) + gap * rate < 0.12 * rate


def test_without_hold_the_silence_is_the_end() -> None:
    samples, _ = burst("v29", 9600, 0.3)
    events, _ = told(modem.receiver(Modulation("v29", 9600)).push(samples))
    assert [type(event) for event in events] == [SignalBegins, SignalEnds]


def test_a_gap_longer_than_the_hold_is_the_end() -> None:
    samples, _ = burst("v29", 9600, 0.6)
    events, _ = told(modem.receiver(Modulation("v29", 9600), hold=0.4).push(samples))
    assert [type(event) for event in events] == [SignalBegins, SignalFades, SignalEnds]
    assert abs(events[2].at - events[1].at - 3200) < 300


@pytest.mark.parametrize("step", [160, 1237])
def test_chunks_and_banks_change_nothing(step: int) -> None:
    samples, _ = burst("v29", 9600, 0.3)
    whole = told(modem.receiver(Modulation("v29", 9600), hold=1.0).push(samples))
    lone = modem.receiver(Modulation("v29", 9600), hold=1.0)
    bank = ReceiverBank(modem.scheme(Modulation("v29", 9600)), lanes=4)
    for lane in range(4):
        bank.start(lane, modem.receiver(Modulation("v29", 9600), hold=1.0))
    one: list[SignalItem] = []
    banked: list[SignalItem] = []
    for begin in range(0, len(samples), step):
        chunk = samples[begin : begin + step]
        one += lone.push(chunk)
        banked += bank.push(np.tile(chunk, (4, 1)))[2]
    assert told(one) == whole
    assert told(banked) == whole
