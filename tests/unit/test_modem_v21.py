"""V.21 channel 2 both ways: what a signal brings, where in time, under which conditions; kernel and twin alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from faxcore.hdlc import frame_bits
from faxcore.kernels.twins import fsk as layout
from faxcore.line import Line
from faxcore.modem import v21
from faxcore.signals import V21, FrameEnds, Octets, SignalBegins, SignalEnds, SignalItem

CSI = bytes.fromhex("ff0340313233302035352b202020202020202020202020")
DIS = bytes.fromhex("ff1380004678")
FRAMES = [CSI, DIS]
SILENCE = np.zeros(1600, np.int16)


def frames_of(items: list[SignalItem]) -> list[tuple[bytes, bool]]:
    return [(octets.data, end.good) for octets, end in zip(
        [i for i in items if isinstance(i, Octets)], [i for i in items if isinstance(i, FrameEnds)], strict=True)]


def on_the_line(signal: np.ndarray, **line: Any) -> np.ndarray:
    """The signal between two stretches of silence, through a line."""
    return Line(**({"law": None} | line)).direction(0).carry(np.concatenate([SILENCE, signal, SILENCE]))


def resampled(bits: np.ndarray, *, offset_hz: float = 0.0, ppm: float = 0.0, level_dbm0: float = -13.0) -> np.ndarray:
    """A transmitter of another make: FSK by formula, with its carrier and its clock off."""
    clock = 8000 / (1 + ppm * 1e-6)
    bit = np.minimum((np.arange(int(len(bits) * clock / 300)) * 300 / clock).astype(int), len(bits) - 1)
    hz = np.where(bits[bit], 1650.0, 1850.0) * (1 + ppm * 1e-6) + offset_hz
    amplitude = 32768 * 10 ** ((level_dbm0 - 3.14) / 20)
    return np.rint(amplitude * np.sin(2 * math.pi * np.cumsum(hz) / 8000)).astype(np.int16)


@pytest.fixture
def receiver(kernel_of: Any, monkeypatch: pytest.MonkeyPatch) -> v21.Receiver:
    monkeypatch.setattr(v21, "native", kernel_of("fsk"))
    return v21.Receiver()


def test_transmitter_length_level_and_end() -> None:
    transmitter = v21.Transmitter([DIS], level_dbm0=-10.0)
    bits = len(frame_bits([DIS], preamble_flags=38))
    assert transmitter.total == transmitter.samples_ready == math.ceil(bits * 80 / 3)
    parts = [transmitter.pull(n) for n in (0, 1, 159, 10**6)]
    assert [len(p) for p in parts] == [0, 1, 159, transmitter.total - 160]
    assert transmitter.done
    assert len(transmitter.pull(5)) == 0
    rms = np.sqrt(np.mean(np.concatenate(parts).astype(float) ** 2))
    assert 3.14 + 20 * np.log10(rms * math.sqrt(2) / 32768) == pytest.approx(-10.0, abs=0.02)


def test_preamble_lasts_a_second() -> None:
    assert 255 <= v21.PREAMBLE_FLAGS * 8 <= 345


def test_phase_is_continuous_and_frequencies_are_exact() -> None:
    """The analytic signal's phase moves by 1650 or 1850 Hz and never jumps."""
    from scipy.signal import hilbert

    bits = np.random.default_rng(3).integers(0, 2, 300).astype(np.uint8)
    samples = v21.modulate(bits, level_dbm0=-3.0)
    hz = np.diff(np.unwrap(np.angle(hilbert(samples.astype(float))))) * 8000 / (2 * math.pi)
    assert hz[50:-50].min() > 1550
    assert hz[50:-50].max() < 1950
    for bit, wanted in ((1, 1650.0), (0, 1850.0)):
        steady = v21.modulate(np.full(300, bit, np.uint8))
        peak = np.argmax(np.abs(np.fft.rfft(steady[:8000].astype(float))))
        assert peak == wanted


@pytest.mark.parametrize("arguments", [{"frames": []}, {"frames": [b""]}, {"frames": [DIS], "level_dbm0": 1.0},
                                       {"frames": [DIS], "level_dbm0": float("nan")}], ids=repr)
def test_transmitter_arguments(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"level_dbm0|at least one"):
        v21.Transmitter(**arguments)


def test_a_signal_from_begin_to_end(receiver: v21.Receiver) -> None:
    signal = v21.Transmitter(FRAMES).pull(10**6)
    items = receiver.push(np.concatenate([SILENCE, signal]))
    assert receiver.carrier
    items += receiver.push(SILENCE)
    assert not receiver.carrier
    assert frames_of(items) == [(CSI, True), (DIS, True)]
    begins, ends = items[0], items[-1]
    assert isinstance(begins, SignalBegins)
    assert begins.modulation == V21
    assert len(SILENCE) + 3 * 214 <= begins.at <= len(SILENCE) + 5 * 214
    assert isinstance(ends, SignalEnds)
    assert 0 <= ends.at - len(SILENCE) - len(signal) < 320


def test_a_frame_is_complete_at_its_closing_flag(receiver: v21.Receiver) -> None:
    bits = frame_bits([DIS], preamble_flags=10, flags_after=1)
    items = receiver.push(v21.modulate(np.concatenate([bits, [0] * 1]).astype(np.uint8)))
    closing = [i for i in items if isinstance(i, FrameEnds)]
    assert len(closing) == 1
    assert abs(closing[0].at - len(bits) * 80 / 3) < 14


@pytest.mark.parametrize("after", ["silence", "noise"])
@pytest.mark.parametrize("late", range(0, 27, 4))
def test_a_carrier_that_drops_with_its_last_bit(late: int, after: str) -> None:
    """One closing flag and nothing more, wherever the bits fall among the samples."""
    signal = v21.modulate(frame_bits([CSI, DIS], preamble_flags=37, flags_after=1))
    rest = SILENCE if after == "silence" else np.random.default_rng(late).normal(0, 100, 1600).astype(np.int16)
    items = v21.Receiver().push(np.concatenate([np.zeros(late, np.int16), signal, rest]))
    assert frames_of(items) == [(CSI, True), (DIS, True)]


@pytest.mark.parametrize("db", [-8.0, 8.0])
def test_twist(db: float) -> None:
    """A line that attenuates one of the two tones more; 8 dB between 1650 Hz and 1850 Hz is beyond any."""
    bits = frame_bits(FRAMES, preamble_flags=37)
    signal = v21.modulate(bits).astype(float)
    spectrum, hz = np.fft.rfft(signal), np.fft.rfftfreq(len(signal), 1 / 8000)
    tilted = np.fft.irfft(spectrum * 10 ** (np.clip((hz - 1750) / 200, -2, 2) * db / 20), len(signal))
    items = v21.Receiver().push(on_the_line(np.rint(tilted).astype(np.int16), noise_dbm0=-40.0))
    assert frames_of(items) == [(CSI, True), (DIS, True)]


def test_the_end_is_noticed_within_40_ms(receiver: v21.Receiver) -> None:
    receiver.push(v21.Transmitter([DIS]).pull(10**6))
    assert receiver.push(SILENCE[:160]) == []
    assert [type(i) for i in receiver.push(SILENCE[:160])] == [SignalEnds]


def test_two_flags_are_no_signal_and_four_are(receiver: v21.Receiver) -> None:
    flag = [0, 1, 1, 1, 1, 1, 1, 0]
    ones = [1] * 12
    for flags, wanted in ((2, []), (4, [SignalBegins, SignalEnds])):
        bits = np.array([*ones, *flag * flags, *ones], np.uint8)
        items = receiver.push(np.concatenate([v21.modulate(bits), SILENCE]))
        assert [type(i) for i in items] == wanted


def test_a_frame_cut_by_the_loss_of_the_carrier_is_bad(receiver: v21.Receiver) -> None:
    signal = v21.Transmitter([CSI]).pull(10**6)
    items = receiver.push(np.concatenate([signal[:-2500], SILENCE]))
    assert [good for _, good in frames_of(items)] == [False]
    assert isinstance(items[-1], SignalEnds)


@pytest.mark.parametrize("kind", ["muted", "dropped", "doubled"])
def test_a_packet_of_20_ms_lost_or_doubled_costs_one_frame(receiver: v21.Receiver, kind: str) -> None:
    signal = v21.Transmitter([CSI, CSI, DIS]).pull(10**6)
    at = len(v21.modulate(frame_bits([CSI], preamble_flags=v21.PREAMBLE_FLAGS))) - 3000
    before, packet, after = np.split(signal, [at, at + 160])
    instead = {"muted": [np.zeros_like(packet)], "dropped": [], "doubled": [packet, packet]}[kind]
    found = frames_of(receiver.push(np.concatenate([before, *instead, after, SILENCE])))
    assert [octets for octets, good in found if good] == [CSI, DIS]


CONDITIONS = [
    *({"level_dbm0": level, "law": law} for level in (0.0, -13.0, -30.0, -43.0) for law in ("mu", "a")),
    *({"offset_hz": hz, "ppm": ppm} for hz in (-12.0, 12.0) for ppm in (-200.0, 200.0)),
    *({"level_dbm0": level, "noise_dbm0": level - snr, "seed": seed}
      for level in (-3.0, -13.0, -30.0) for snr in (8.0, 20.0) for seed in (1, 2)),
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=repr)
def test_conditions(condition: dict[str, Any]) -> None:
    far = {k: condition[k] for k in ("level_dbm0", "offset_hz", "ppm") if k in condition}
    line = {k: condition[k] for k in ("law", "noise_dbm0", "seed") if k in condition}
    bits = frame_bits(FRAMES, preamble_flags=37)
    items = v21.Receiver().push(on_the_line(resampled(bits, **far), **line))
    assert frames_of(items) == [(CSI, True), (DIS, True)]
    assert isinstance(items[0], SignalBegins)
    assert isinstance(items[-1], SignalEnds)
    assert 0 <= items[-1].at - len(SILENCE) - len(bits) * 80 / 3 < 320


def disturbances() -> dict[str, np.ndarray]:
    """What gateways and mains add; a signal at -43 dBm0 has 114 counts, hum at -30 dBm0 has 510."""
    n = np.arange(20_000)
    hum = 510 * math.sqrt(2)
    return {"dc": n * 0 + 200.0, "dc of the other sign": n * 0 - 200.0,
            **{f"hum {hz} Hz": hum * np.sin(2 * math.pi * hz / 8000 * n + 1) for hz in (16, 50, 60)},
            "both": 200 + hum * np.sin(2 * math.pi * 50 / 8000 * n)}  # fmt: skip


@pytest.mark.parametrize("disturbance", disturbances())
@pytest.mark.parametrize("level", [-43.0, -13.0])
def test_direct_current_and_hum(receiver: v21.Receiver, disturbance: str, level: float) -> None:
    line = on_the_line(v21.modulate(frame_bits([DIS], preamble_flags=6), level_dbm0=level), noise_dbm0=level - 20)
    more = np.clip(line + disturbances()[disturbance][: len(line)], -32768, 32767)
    items = receiver.push(np.rint(more).astype(np.int16))
    assert frames_of(items) == [(DIS, True)]
    assert [type(item) for item in items] == [SignalBegins, Octets, FrameEnds, SignalEnds]


@pytest.mark.parametrize("seed", range(4))
def test_error_rate_is_near_the_ideal_correlator(seed: int) -> None:
    """The ideal has 1e-4 at 3.7 dB in 300-3400 Hz; at 5.0 dB nearly every frame of 22 octets must be good."""
    rng = np.random.default_rng(seed)
    frames = [bytes([255, 3, *rng.integers(0, 256, 20).tolist()]) for _ in range(60)]
    signal = v21.modulate(frame_bits(frames, preamble_flags=37), level_dbm0=-20.0)
    noise_dbm0 = -20.0 - 5.0 + 10 * math.log10(4000 / 3100)
    items = v21.Receiver().push(on_the_line(signal, noise_dbm0=noise_dbm0, seed=seed))
    good = [octets for octets, good in frames_of(items) if good]
    assert len(good) >= 56
    assert set(good) <= set(frames)


def impostors() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    n = np.arange(40_000)
    turn = 2 * math.pi * n / 8000
    tone = {f"tone {hz}": 8000 * np.sin(hz * turn) for hz in (462, 1100, 1300, 1650, 1750, 1850, 2100)}
    speech = sum(np.sin(f * turn + 9 * np.sin(3 * turn)) for f in (180, 360, 1700, 2500))
    symbols = np.exp(1j * math.pi / 4 * rng.integers(0, 8, 12_000)).repeat(10)[: 3 * len(n)]
    page = np.real(symbols[::3] * np.exp(2j * math.pi * 1700 * n / 8000)) * 6000
    turns = np.real(np.exp(1j * math.pi * (n * 300 // 8000 % 2)) * np.exp(2j * math.pi * 1750 * n / 8000)) * 6000
    return tone | {"noise": rng.normal(0, 3000, len(n)), "speech": speech * 2500 * (n // 1500 % 3 > 0), "page": page,
                   "turns": turns, "silence": n * 0.0, "quiet noise": rng.normal(0, 40, len(n))}


@pytest.mark.parametrize("name", impostors())
def test_other_sounds_are_no_signal(name: str) -> None:
    assert v21.Receiver().push(np.rint(impostors()[name]).astype(np.int16)) == []


def test_line_time_starts_where_it_is_told(receiver: v21.Receiver) -> None:
    signal = np.concatenate([v21.modulate(frame_bits([DIS], preamble_flags=6)), SILENCE])
    plain = receiver.push(signal)
    late = v21.Receiver(at=123_457).push(signal)
    assert [i.at - 123_457 for i in late] == [i.at for i in plain]
    with pytest.raises(ValueError, match="line time"):
        v21.Receiver(at=-1)


def wild_samples(name: str) -> np.ndarray:
    if name == "line":
        bits = frame_bits([DIS], preamble_flags=6)
        parts = [SILENCE, v21.modulate(bits, level_dbm0=0.0), SILENCE, v21.modulate(bits, level_dbm0=-44.0)]
        return Line(noise_dbm0=-52.0, law="a", seed=5).direction(1).carry(np.concatenate(parts))
    if name == "all values":
        return np.random.default_rng(8).integers(-32768, 32768, 5000).astype(np.int16)
    square = np.where(np.sin(2 * math.pi * 1650 / 8000 * np.arange(5000)) < 0, -32768, 32767)
    return square.astype(np.int16) if name == "overload" else np.full(5000, -32768, np.int16)


@pytest.mark.parametrize("name", ["line", "all values", "overload", "stuck"])
def test_twin_and_kernels_keep_the_same_state(kernel_of: Any, name: str) -> None:
    """Every field after every chunk, on a noisy line with loud, soft and silent parts and on what no line brings."""
    from faxcore.kernels import native

    samples = wild_samples(name)
    states = [layout.fsk_state(0), layout.fsk_state(0)]
    for kernels, state in zip((kernel_of("fsk"), native), states, strict=True):
        events, octets = np.zeros(8, layout.EVENT), np.zeros(2000, np.uint8)
        for piece in np.split(samples, [1, 700, 701, 5000, 9000]):
            taken, _ = kernels.fsk_receive(state, piece, 0, events, octets)
            assert taken == len(piece)
    for field in layout.FSK.names or ():
        assert states[0][field].tobytes() == states[1][field].tobytes(), field


@pytest.mark.parametrize("garbage", [None, b"ab", [1], np.zeros(4), np.zeros((2, 2), np.int16),
                                     np.zeros(8, np.int16)[::2]],
                         ids=repr)
def test_garbage_at_the_door(garbage: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        v21.Receiver().push(garbage)
