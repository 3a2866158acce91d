"""Samples inserted or dropped within a burst, as jitter buffers and clocks that differ do: the data goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from faxcore import modem
from faxcore.kernels.twins import qam as twin
from faxcore.line import Line
from faxcore.modem import qam
from faxcore.signals import Modulation, Octets

MODES = [("v17", 14400), ("v17", 9600), ("v17", 7200), ("v29", 9600), ("v29", 7200), ("v29", 4800),
         ("v27ter", 4800), ("v27ter", 2400)]  # fmt: skip
EVERY = pytest.mark.parametrize(("name", "rate"), MODES)
AT = 14000
"""Where the slip is: well within the data of every modulation."""


def slipped(burst: Any, samples: int) -> Any:
    """Dropped, or doubled where less than none."""
    return np.concatenate([burst[:AT], burst[AT + samples :]])


def bits_of(seed: int, n: int) -> Any:
    return np.random.default_rng(seed).integers(0, 2, n).astype(np.uint8)


def noisy(samples: Any, noise_dbm0: float, seed: int = 1) -> Any:
    return Line(law=None, noise_dbm0=noise_dbm0, seed=seed).direction(0).carry(samples)


def bits_right_at_the_end(heard: Any, sent: Any) -> int:
    """How many last bits of what was sent came as they were, one after the other."""
    begin = heard.tobytes().rfind(sent[-64:].tobytes())
    if begin < 0:
        return 0
    ours, theirs = heard[: begin + 64][::-1], sent[::-1]
    n = min(len(ours), len(theirs))
    wrong = np.flatnonzero(ours[:n] != theirs[:n])
    return int(wrong[0]) if len(wrong) else n


@EVERY
@pytest.mark.parametrize("samples", [-80, -7, -2, -1, 1, 2, 3, 5, 13, 80])
def test_data_goes_on_after_a_slip(name: str, rate: int, samples: int) -> None:
    """Within 0.1 s; what the slip took is lost, and nothing behind that."""
    bits = bits_of(5, rate * 2)
    burst = modem.modulate(bits, name, rate)
    line = noisy(np.concatenate([slipped(burst, samples), np.zeros(600, np.int16)]), -40.0)
    data_begins = len(burst) - rate * 2 * 8000 // rate
    before = (AT - data_begins) * rate // 8000
    right = bits_right_at_the_end(modem.demodulate(line, name, rate).bits, bits)
    assert right >= len(bits) - before - 0.1 * rate


def heard_in_pieces(modulation: Modulation, line: Any, pieces: int) -> Any:
    receiver = modem.receiver(modulation)
    items = [item for piece in np.array_split(line, pieces) for item in receiver.push(piece)]
    octets = b"".join(item.data for item in items if isinstance(item, Octets))
    return octets, [item for item in items if not isinstance(item, Octets)]


@EVERY
def test_any_chunks_give_the_same(name: str, rate: int) -> None:
    line = noisy(slipped(modem.modulate(bits_of(3, rate), name, rate), 2), -38.0)
    whole = heard_in_pieces(Modulation(name, rate), line, 1)
    assert len(whole[0]) > 0.9 * rate / 8
    for pieces in (7, 83, len(line)):
        assert heard_in_pieces(Modulation(name, rate), line, pieces) == whole


@pytest.mark.parametrize(("name", "rate"), [("v17", 14400), ("v29", 9600), ("v27ter", 4800)])
def test_lanes_of_a_bank_are_what_lone_receivers_are(name: str, rate: int) -> None:
    """Some lanes slip, at times of their own, beside others that do not."""
    burst = modem.modulate(bits_of(4, rate // 2), name, rate)
    lines = np.zeros((12, len(burst) + 2000), np.int16)
    for lane, line in enumerate(lines):
        own = np.concatenate([np.zeros(97 * lane, np.int16), slipped(burst, lane % 4)])
        line[:] = noisy(np.concatenate([own, np.zeros(2000, np.int16)])[: len(line)], -38.0, lane)
    bank, octets = modem.ReceiverBank(name, rate, lanes=12), [b""] * 12
    for piece in np.array_split(lines, 40, axis=1):
        reports = bank.push(piece)
        for lane in range(12):
            octets[lane] += b"".join(item.data for item in reports[lane] if isinstance(item, Octets))
    for lane, line in enumerate(lines):
        assert octets[lane] == heard_in_pieces(Modulation(name, rate), line, 40)[0]


@pytest.mark.parametrize(("name", "rate"), [("v17", 14400), ("v29", 9600), ("v27ter", 2400)])
def test_kernel_and_twin(name: str, rate: int, kernel_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole state, after a slip that is soon behind the training."""
    burst = modem.modulate(bits_of(6, rate // 3), name, rate)
    at = len(burst) - rate // 3 * 8000 // rate + 100
    line, states = noisy(np.concatenate([burst[:at], burst[at + 2 :]]), -40.0)[: at + 1200], []
    monkeypatch.setattr(modem.qam, "go_on", lambda *given, went=qam.go_on: (states.append(b"found"), went(*given)))
    for functions in (kernel_of("qam"), twin):
        monkeypatch.setattr(qam, "native", functions)
        receiver = modem.receiver(Modulation(name, rate))
        receiver.push(line)
        states.append(receiver._state.tobytes())
    assert states == [b"found", states[1]] * 2


@pytest.mark.parametrize(("name", "rate", "snr"), [("v17", 14400, 17.0), ("v29", 9600, 12.0), ("v27ter", 4800, 7.0)])
def test_noise_is_no_slip(name: str, rate: int, snr: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every hundredth bit is wrong and more, a lock may be looked for; none is found that is better."""
    monkeypatch.setattr(modem.qam, "go_on", pytest.fail)
    for seed in range(4):
        burst = modem.modulate(bits_of(seed, rate * 4), name, rate)
        assert modem.demodulate(noisy(burst, -13.0 - snr, seed), name, rate).trained
