"""Banks: every lane is to the bit what a lone modem is, whatever its neighbours do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from faxcore import modem
from faxcore.kernels.twins import bank as layout
from faxcore.line import Line
from faxcore.modem import bank as banks
from faxcore.modem import qam
from faxcore.signals import (
    V17_14400,
    V27TER_2400,
    V27TER_4800,
    V29_4800,
    V29_9600,
    Modulation,
    Octets,
    SignalBegins,
    SignalEnds,
)

EVERY = pytest.mark.parametrize("modulation", [V29_9600, V29_4800, V17_14400, V27TER_4800, V27TER_2400], ids=str)
CHECKED = ("taps_re", "taps_im", "phase_re", "phase_im", "drift", "power", "error", "symbols", "recent_re", "state",
           "stage", "metric", "scrambler", "pending", "pending_bits")  # fmt: skip


def burst(modulation: Modulation, seed: int, octets: int = 160) -> tuple[bytes, Any]:
    data = np.random.default_rng(seed).integers(0, 256, octets).astype(np.uint8).tobytes()
    sent = modem.transmitter(modulation)
    sent.feed(data)
    sent.finish()
    return data, sent.pull(10**6)


def noisy_lines(modulation: Modulation, lanes: int, n: int) -> Any:
    """Lines on which bursts begin at all times; every fifth has none, every seventh is lost in noise."""
    lines = np.zeros((lanes, n), np.int16)
    for lane, line in enumerate(lines):
        at = 40 + 331 * lane % 3500
        samples = burst(modulation, lane)[1] if lane % 5 else np.zeros(10, np.int16)
        room = min(len(samples), n - at)
        line[at : at + room] = samples[:room]
        noise = -14.0 if lane % 7 == 3 else -38.0
        line[:] = Line(noise_dbm0=noise, seed=lane).direction(0).carry(line)
    return lines


def heard(items: Any) -> Any:
    """What was heard, whatever pieces the octets came in."""
    return b"".join(i.data for i in items if isinstance(i, Octets)), [i for i in items if not isinstance(i, Octets)]


def state_of(receiver: qam.Receiver) -> dict[str, bytes]:
    return {name: receiver._state[name].tobytes() for name in CHECKED}


@EVERY
def test_a_lane_is_a_lone_receiver(modulation: Modulation, compute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting, training, data, lost and over, all at once: the same items and the same state."""
    few = compute == "twin"
    if few:
        monkeypatch.setattr(banks, "native", layout)
    lanes, n = (3 if few else 37), modem.samples_for(modulation, 160) + (800 if few else 4000)
    lines = noisy_lines(modulation, lanes, n)
    bank, items = banks.ReceiverBank(modem.scheme(modulation), lanes), [[] for _ in range(lanes)]
    for part in np.array_split(lines, 9, axis=1):
        for lane, item in bank.push(part):
            items[lane].append(item)
    for lane, line in enumerate(lines):
        lone = modem.receiver(modulation)
        wanted = [item for part in np.array_split(line, 9) for item in lone.push(part)]
        assert items[lane] == wanted, lane
        assert state_of(bank.receiver(lane)) == state_of(lone), lane
        assert bank.receiver(lane).quality == lone.quality
    assert sum(isinstance(item, SignalBegins) for own in items for item in own) >= (1 if few else 20)
    assert few or sum(isinstance(item, SignalEnds) for own in items for item in own) >= 20


@pytest.mark.parametrize("octets", [1500, 3 * banks.ROW_SYMBOLS], ids=["rows forget", "rows grow"])
def test_a_lane_sends_more_than_its_row_holds(octets: int) -> None:
    """Symbols that were sent make room for others; where that is not enough, rows grow under the lanes beside."""
    bank, lone = banks.TransmitterBank(modem.scheme(V17_14400), 3), modem.transmitter(V17_14400)
    for lane in (0, 2):
        bank.start(lane)
    bank.feed(2, b"beside")
    for turn in range(14):
        data = np.random.default_rng(turn).bytes(octets)
        bank.feed(0, data)
        lone.feed(data)
        n = lone.samples_ready - 5
        out = bank.pull(n)
        assert np.array_equal(out[0], lone.pull(n)), turn
    assert int(bank._first[0]) > 0
    assert (bank._symbols.shape[1] > banks.ROW_SYMBOLS) == (octets > banks.ROW_SYMBOLS)


@pytest.mark.parametrize("pieces", [1, 3, 60, 701])
def test_receiver_chunks(pieces: int, compute: str) -> None:
    if compute == "twin":
        pytest.skip("the twin is a loop over lone receivers, which have this test themselves")
    lines = noisy_lines(V29_9600, 17, 9000)
    got = []
    for count in (1, pieces):
        bank, items = modem.ReceiverBank("v29", 9600, 17), [[] for _ in range(17)]
        for part in np.array_split(lines, count, axis=1):
            for lane, item in bank.push(part):
                items[lane].append(item)
        got.append([heard(own) for own in items])
    assert got[0] == got[1]
    assert sum(len(octets) for octets, _ in got[0]) > 1500


def test_octets_are_what_was_sent() -> None:
    lanes = 20
    sent = [burst(V17_14400, seed) for seed in range(lanes)]
    line = np.stack([np.append(samples, np.zeros(500, np.int16)) for _, samples in sent])
    bank = modem.ReceiverBank("v17", 14400, lanes)
    reports = bank.push(line)
    assert reports.lanes == list(range(lanes))
    for lane, (data, _) in enumerate(sent):
        octets, signals = heard(reports[lane])
        assert octets.startswith(data)
        assert [type(signal) for signal in signals] == [SignalBegins, SignalEnds]
    assert len(reports) == len(list(reports)) == sum(len(reports[lane]) for lane in range(lanes))


def test_receivers_come_and_go() -> None:
    """A lone receiver enters in the midst of its data, goes on among others, and leaves again."""
    data, samples = burst(V29_9600, 5, 600)
    third = len(samples) // 3
    lone, bank = modem.receiver(V29_9600), modem.ReceiverBank("v29", 9600, 5)
    items = lone.push(samples[:third])
    bank.start(3, lone)
    items += bank.push(np.tile(samples[third : 2 * third], (5, 1)))[3]
    last = bank.export(3)
    others = bank.push(np.zeros((5, 700), np.int16))[3]
    items += last.push(np.append(samples[2 * third :], np.zeros(500, np.int16)))
    assert heard(items)[0].startswith(data)
    assert not isinstance(others, list) or all(isinstance(item, SignalEnds | Octets) for item in others)
    once = modem.receiver(V29_9600).push(np.append(samples, np.zeros(500, np.int16)))
    assert heard(items) == heard(once)


def test_a_fresh_receiver_counts_from_the_banks_time() -> None:
    _, samples = burst(V29_9600, 1)
    bank = modem.ReceiverBank("v29", 9600, 2)
    bank.push(np.zeros((2, 5000), np.int16))
    bank.start(1)
    reports = bank.push(np.tile(samples, (2, 1)))
    assert 5000 < reports[0][0].at < reports[1][0].at + 80 < reports[0][0].at + 160  # the hunt goes by blocks of 80


def test_short_training_in_a_bank_of_both() -> None:
    long, short = modem.transmitter(V17_14400), modem.transmitter(V17_14400._replace(short=True))
    data = bytes(range(200))
    for sent in (long, short):
        sent.feed(data)
        sent.finish()
    quiet = np.zeros(600, np.int16)
    first, second = np.append(long.pull(10**6), quiet), np.append(short.pull(10**6), quiet)
    bank = modem.ReceiverBank("v17", 14400, 4)
    bank.push(np.tile(first, (4, 1)))
    for lane in (0, 2):
        bank.start(lane, modem.receiver(V17_14400._replace(short=True), trained=bank.receiver(lane).lock))
    reports = bank.push(np.tile(second, (4, 1)))
    assert [heard(reports[lane])[0].startswith(data) for lane in range(4)] == [True, False, True, False]


@EVERY
def test_a_lane_is_a_lone_transmitter(modulation: Modulation, compute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if compute == "twin":
        monkeypatch.setattr(banks, "native", layout)
    lanes, bank = 19, banks.TransmitterBank(modem.scheme(modulation), 19)
    wanted = []
    for lane in range(lanes):
        level, skew = -6.0 - lane, 37 * lane % 301
        pair = [modem.transmitter(modulation, level_dbm0=level) for _ in range(2)]
        for sent in pair:
            sent.feed(bytes(range(50 + lane)))
            sent.finish()
            sent.pull(skew)
        wanted.append(pair[0].pull(10**6))
        if lane != 4:
            bank.start(lane, pair[1])
    n = max(len(samples) for samples in wanted) + 100
    pieces = [bank.pull(piece) for piece in (0, 1, 159, 160, 7, 2000, n - 2327)]
    got = np.concatenate(pieces, axis=1)
    for lane, samples in enumerate(wanted):
        if lane != 4:
            assert np.array_equal(got[lane, : len(samples)], samples), lane
            assert not got[lane, len(samples) :].any()
        assert bank.done(lane)
    assert not got[4].any()


def test_octets_may_come_late() -> None:
    """A lane that runs dry gives silence; what it gives is what a lone transmitter gives."""
    bank, lone = modem.TransmitterBank("v17", 14400, 2), modem.transmitter(V17_14400)
    for lane in (0, 1):
        bank.start(lane, modem.transmitter(V17_14400))
    data, got = bytes(range(256)) * 40, []
    lone.feed(data)
    lone.finish()
    for i in range(0, len(data), 77):
        bank.feed(1, data[i : i + 77])
        ready = int(bank.samples_ready[1])
        got.append(bank.pull(ready + 5)[1])
        assert not got[-1][ready:].any()
        got[-1] = got[-1][:ready]
    bank.finish(1)
    last = bank.export(1)
    got.append(last.pull(10**6))
    assert np.array_equal(np.concatenate(got), lone.pull(10**6))
    assert bank.done(1)
    assert not bank.done(0)


def test_checks_at_the_door() -> None:
    receivers, transmitters = modem.ReceiverBank("v29", 9600, 2), modem.TransmitterBank("v29", 9600, 2)
    for wrong in (np.zeros((3, 5), np.int16), np.zeros(5, np.int16), np.zeros((2, 2, 2), np.int16)):
        with pytest.raises(ValueError, match="shape"):
            receivers.push(wrong)
    for garbage in (np.zeros((2, 5)), np.zeros((2, 5), object)):
        with pytest.raises(TypeError):
            receivers.push(garbage)
    for lane in (-1, 2):
        for call in (receivers.start, receivers.export, transmitters.start, transmitters.export, transmitters.finish):
            with pytest.raises(ValueError, match="lane"):
                call(lane)
    with pytest.raises(ValueError, match="v17"):
        receivers.start(0, modem.receiver(V17_14400))
    with pytest.raises(ValueError, match="v17"):
        transmitters.start(0, modem.transmitter(V17_14400))
    with pytest.raises(ValueError, match="no transmitter"):
        transmitters.feed(0, b"1")
    with pytest.raises(ValueError, match="outside"):
        transmitters.pull(-1)
    for lanes in (0, 5000):
        with pytest.raises(ValueError, match="lanes"):
            modem.ReceiverBank("v29", 9600, lanes)
    with pytest.raises(ValueError, match="modulation"):
        modem.ReceiverBank("v21", 300)
    assert not len(receivers.push(np.zeros((2, 0), np.int16)))


def test_memory_of_a_lane() -> None:
    bank = modem.ReceiverBank("v17", 14400, 4)
    assert bank._records.nbytes / 4 + layout.PROGRESS.itemsize <= 64 << 10
