"""A burst of error correction and the command behind it, whatever the gap between them: both are reported."""

from __future__ import annotations

import numpy as np
import pytest

from faxcore import modem, units
from faxcore.carrier import AudioCarrier
from faxcore.carrier.plan import framed
from faxcore.carrier.work import alone
from faxcore.modem import v21
from faxcore.signals import V29_9600
from faxcore.t30.ecm import burst
from faxcore.t30.frames import FCF, build_signal
from faxcore.t30.orders import BurstHeard, FramesHeard, Listen, Order, Procedure, Report

FRAMES = [bytes([number] * 256) for number in range(12)]
COMMAND = build_signal((FCF.PPS, bytes((0x2F, 0, 0, 11))), x=True)


def line(gap: float, silence: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """A burst, so much silence (seconds), and PPS; the burst falls silent at a time of its own for so long."""
    sender = modem.transmitter(V29_9600)
    sender.feed(framed(V29_9600, burst(FRAMES, list(range(12)))))
    sender.finish()
    page, command = sender.pull(sender.samples_ready), v21.Transmitter(COMMAND)
    begin, length = (units.samples(seconds) for seconds in silence)
    page[begin : begin + length] = 0
    parts = [np.zeros(800), page, np.zeros(units.samples(gap)), command.pull(command.total), np.zeros(8000)]
    noise = np.random.default_rng(1).normal(0, 20, sum(map(len, parts)))
    return np.rint(np.concatenate(parts) + noise).astype(np.int16)


def reports(samples: np.ndarray, step: int) -> list[Report]:
    """What a terminal hears that listens for a burst, and then for what follows."""
    heard: list[Report] = []

    def procedure() -> Procedure:
        listen = Listen(7.0, V29_9600, framed=True, hold=3.5)
        while len(heard) < 2:
            heard.append((yield Order(listen=listen)))

    carrier = AudioCarrier(procedure(), level_dbm0=-13.0, emit=lambda event: None)
    for begin in range(0, len(samples), step):
        alone(carrier.pushing(samples[begin : begin + step]))
    return heard


@pytest.mark.parametrize("step", [160, 100000])
@pytest.mark.parametrize("gap", [0.0, 0.01, 0.03, 0.04, 0.055, 0.075, 0.095, 0.5, 2.0, 3.6])
def test_a_burst_and_its_command(gap: float, step: int) -> None:
    first, second = reports(line(gap), step)
    assert isinstance(first, BurstHeard)
    assert isinstance(second, FramesHeard)
    assert len(first.frames) == 12 + 3
    assert second.frames == COMMAND
    assert first.end < second.begin + 0.1


@pytest.mark.parametrize("step", [160, 100000])
@pytest.mark.parametrize("length", [0.05, 0.3, 1.0])
def test_a_burst_that_falls_silent_loses_what_fell_out(length: float, step: int) -> None:
    first, second = reports(line(0.075, (1.0, length)), step)
    assert isinstance(first, BurstHeard)
    assert 15 - 2 - 1.3 * length * 9600 / 8 / 260 <= len(first.frames) < 15
    assert isinstance(second, FramesHeard)
