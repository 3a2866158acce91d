"""Each kernel of native/qam*.c against its twin, to the bit, and the checks at its door."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from faxcore import modem
from faxcore.kernels import native
from faxcore.kernels.twins import qam as twin
from faxcore.line import Line
from faxcore.modem import qam, v29
from faxcore.modem.scheme import POINT_PEAK, Encoder
from faxcore.signals import V17_7200, V17_14400, V27TER_2400, V27TER_4800, V29_4800, V29_7200, V29_9600, Modulation

BOTH = pytest.mark.parametrize("modulation", [V29_9600, V29_7200], ids=str)
EVERY = pytest.mark.parametrize(
    "modulation", [V29_9600, V29_7200, V29_4800, V27TER_4800, V27TER_2400, V17_14400, V17_7200], ids=str
)


def coder(modulation: Modulation) -> Any:
    return Encoder(modem.scheme(modulation))._octets


@EVERY
def test_encode(modulation: Modulation, kernel_of: Any) -> None:
    scheme = modem.scheme(modulation)
    octets = np.random.default_rng(1).integers(0, 256, 500).astype(np.uint8)
    states, made = (coder(modulation), coder(modulation)), (bytearray(2100), bytearray(2100))
    functions = (kernel_of("qam").qam_encode, twin.qam_encode)
    for piece in np.split(octets, [0, 1, 2, 77]):
        counts = [function(state, scheme.table, scheme.next, scheme.leaps, piece, symbols)
                  for function, state, symbols in zip(functions, states, made, strict=True)]  # fmt: skip
        assert counts[0] == counts[1]
        assert made[0] == made[1]
        assert states[0].tobytes() == states[1].tobytes()


@BOTH
@pytest.mark.parametrize(("first_symbol", "first_sample", "n"),
                         [(0, 0, 1), (0, 0, 1500), (7, 3, 400), (100, 1999, 3000)])  # fmt: skip
def test_shape(modulation: Modulation, kernel_of: Any, first_symbol: int, first_sample: int, n: int) -> None:
    scheme, random = v29.scheme(modulation), np.random.default_rng(2)
    symbols = random.integers(0, 256, 600).astype(np.uint8)
    points = random.integers(-16383, 16384, (256, 2)).astype(np.int16)
    out = np.full((2, n + 2), 77, np.int16)
    for row, function in zip(out, (kernel_of("qam").qam_shape, twin.qam_shape), strict=True):
        function(scheme.pulses, points, symbols, row[1:-1], 3, 10, first_symbol, first_sample, 1e-3)
    assert np.array_equal(out[0], out[1])
    assert n < 100 or (np.abs(out.astype(int)) > 32766).any()  # also what is clipped
    assert (out[0, [0, -1]] == 77).all()
    assert out[0, 1:-1].any()


def line_signal(modulation: Modulation) -> Any:
    """A burst in noise, then one of another rate, then noise and full scale: every stage and event."""
    pieces = [np.zeros(500, np.int16)]
    for sent in (modulation, V29_7200 if modulation == V29_9600 else V29_9600):
        transmitter = modem.transmitter(sent)
        transmitter.feed(bytes(range(200)))
        transmitter.finish()
        pieces += [transmitter.pull(10**6), np.zeros(700, np.int16)]
    pieces.append(np.array([32767, -32768] * 5, np.int16))
    return Line(noise_dbm0=-32.0, seed=3).direction(0).carry(np.concatenate(pieces))


@EVERY
def test_receive(modulation: Modulation, kernel_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole state, equaliser and history included, is the twin's to the bit."""
    signal, got = line_signal(modulation), []
    for functions in (kernel_of("qam"), twin):
        monkeypatch.setattr(qam, "native", functions)
        receiver = modem.receiver(modulation)
        got.append([(receiver.push(piece), fields(receiver)) for piece in np.array_split(signal, 9)])
    assert got[0] == got[1]
    assert len([item for items, _ in got[0] for item in items]) >= 3


def fields(receiver: qam.Receiver) -> dict[str, bytes]:
    return {name: receiver._state[name].tobytes() for name in twin.RECEIVER.names or ()}


def test_structures_have_the_size_of_the_c_ones() -> None:
    given = arguments()
    native.qam_receive(*given)
    for octets in (bytearray(len(given[0]) - 8), bytearray(len(given[0]) + 8), given[0][8:], given[0][1:]):
        with pytest.raises(ValueError, match="receiver"):
            native.qam_receive(octets, *given[1:])
    sound, scheme = coder(V29_9600), v29.scheme(V29_9600)
    for octets in (sound[:-1], sound[1:], bytearray(64)):
        with pytest.raises(ValueError, match="coder"):
            native.qam_encode(octets, scheme.table, scheme.next, scheme.leaps, b"", bytearray(9))


def arguments() -> list[Any]:
    receiver = modem.receiver(V29_9600)
    return [receiver._record, *receiver._tables, np.zeros(500, np.int16), bytearray(100)]


GARBAGE = [
    ("bits", 0), ("bits", 9), ("states", 3), ("states", -1), ("states", 4), ("state", 8),
    ("state_shift", 8), ("column", 32), ("training_left", 1), ("survivors", 16),
    ("points", 32), ("points", 0), ("kept", -1), ("collected", 4096), ("symbols_a_block", 0), ("half_step", 0),
    ("half_step", 2**62), ("drift", np.nan), ("drift", 1.0), ("drift_limit", np.inf), ("timing_gain", np.nan),
    ("filled", 4097), ("filled", -1), ("stage", 4), ("scan", -1), ("delay_head", 31), ("delay_head", 513),
    ("pending_bits", 8), ("mean_power", np.nan), ("carrier_step", np.inf), ("mean_power", 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), GARBAGE)
def test_receiver_with_garbage(field: str, value: float) -> None:
    given = arguments()
    given[0].view(twin.RECEIVER)[field] = value
    with pytest.raises(ValueError, match=r"receiver|points|groups|training|branches"):
        native.qam_receive(*given)


@pytest.mark.parametrize("seed", range(200))
def test_receiver_of_random_octets_never_harms(seed: int) -> None:
    """Any octets for a state are refused or survived; sound fields with wild floats among them."""
    random, given = np.random.default_rng(seed), arguments()
    record = given[0].view(twin.RECEIVER)
    if seed % 2:
        given[0][:] = random.integers(0, 256, given[0].nbytes)
    else:
        names = [name for name in twin.RECEIVER.names or () if twin.RECEIVER[name].base.kind == "f"]
        for name in random.choice(names, 4):
            record[name] = random.choice([-1.0, 0.0, 1e-30, 1e30, np.nan, np.inf, -np.inf, 3.0])
        record["stage"] = random.integers(0, 4)
    given[8] = random.integers(-32768, 32768, 9000).astype(np.int16)
    try:
        used, made, event = native.qam_receive(*given)
    except ValueError:
        return
    assert 0 <= used <= 9000
    assert 0 <= made <= 100
    assert 0 <= event <= 3


@pytest.mark.parametrize("position", range(10))
@pytest.mark.parametrize("value", [None, 3, "text", np.zeros(3, np.float64), np.zeros((2, 2, 2, 2), np.float32)])
def test_receive_refuses_wrong_arguments(position: int, value: Any) -> None:
    given = arguments()
    given[position] = value
    with pytest.raises((TypeError, ValueError)):
        native.qam_receive(*given)


def test_shape_and_encode_refuse_wrong_arguments() -> None:
    scheme, out = v29.scheme(V29_9600), np.zeros(9, np.int16)
    points, symbols = np.zeros((256, 2), np.int16), bytearray(5)
    with pytest.raises(ValueError, match="points"):
        native.qam_shape(scheme.pulses, points[:16], symbols, out, 3, 10, 0, 0, 1.0)
    with pytest.raises(ValueError, match="taps"):
        native.qam_shape(np.zeros((80, 50), np.int16), points, symbols, out, 3, 10, 0, 0, 1.0)
    with pytest.raises(ValueError, match="up"):
        native.qam_shape(scheme.pulses, points, symbols, out, 11, 10, 0, 0, 1.0)
    with pytest.raises(ValueError, match="first_sample"):
        native.qam_shape(scheme.pulses, points, symbols, out, 3, 10, 0, -1, 1.0)
    for gain in (-1.0, 2.0, np.nan):
        with pytest.raises(ValueError, match="gain"):
            native.qam_shape(scheme.pulses, points, symbols, out, 3, 10, 0, 0, gain)
    with pytest.raises(TypeError, match="arguments"):
        native.qam_shape(scheme.pulses)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="symbols"):
        native.qam_encode(coder(V29_9600), scheme.table, scheme.next, scheme.leaps, b"abc", bytearray(5))
    with pytest.raises(ValueError, match="table"):
        native.qam_encode(coder(V29_9600), v29.scheme(V29_7200).table, scheme.next, scheme.leaps, b"abc", bytearray(50))
    with pytest.raises(ValueError, match="next"):
        native.qam_encode(coder(V29_9600), scheme.table, scheme.next + 8, scheme.leaps, b"abc", bytearray(50))
    for wrong in (scheme.leaps + 8, scheme.leaps[:128], scheme.leaps[:, :4].copy(), np.zeros((1024, 8), np.uint8)):
        with pytest.raises(ValueError, match="leaps"):
            native.qam_encode(coder(V29_9600), scheme.table, scheme.next, wrong, b"abc", bytearray(50))
    wild = coder(V29_9600)
    wild.view(twin.CODER)["scrambler"]["tap_far"] = 31
    with pytest.raises(ValueError, match="coder"):
        native.qam_encode(wild, scheme.table, scheme.next, scheme.leaps, b"abc", bytearray(50))


@EVERY
def test_no_filter_leaves_31_bits(modulation: Modulation) -> None:
    """Also where all samples and points are of the sign of their weights, and cut samples made up for."""
    assert np.abs(modem.scheme(modulation).pulses.astype(int)).sum(axis=1).max() * POINT_PEAK < 2**31
    largest = (twin.SCALE_END + 700) // 2 + twin.CUT // 2
    weights = np.abs(modem.scheme(modulation).bank.astype(int)).reshape(twin.PHASES, 2, 2, -1)
    assert weights.sum(axis=(1, 3)).max() * largest < 2**31
