"""V.29: what a burst is, and what a receiver makes of lines that are not ideal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from faxcore import modem
from faxcore.line import Line
from faxcore.modem import tones, v21
from faxcore.signals import V29_4800, V29_7200, V29_9600, Modulation, Octets, SignalBegins, SignalEnds, SignalItem
from faxcore.units import dbm0_of_rms

Samples = npt.NDArray[np.int16]
RATES = (9600, 7200, 4800)


def random_bits(n: int, seed: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 2, n).astype(np.uint8)


def silence(n: int) -> Samples:
    return np.zeros(n, np.int16)


def moved(samples: Samples, hz: float = 0.0, ppm: float = 0.0) -> Samples:
    """Samples through a line that shifts frequencies and a far clock that is off: band-limited, in one FFT each."""
    n = len(samples)
    spectrum = np.fft.fft(samples.astype(float), 2 * n)
    spectrum[n:] = 0
    analytic = 2 * np.fft.ifft(spectrum)[:n]
    at = np.arange(n) * (1 + ppm * 1e-6)
    padded = np.pad(analytic, 40)
    whole = np.floor(at).astype(int)
    out = np.zeros(n, complex)
    for k in range(-15, 17):
        away = k - (at - whole)
        out += padded[whole + 40 + k] * np.sinc(away) * np.cos(np.pi * away / 34) ** 2
    return np.round((out * np.exp(2j * np.pi * hz * np.arange(n) / 8000)).real).astype(np.int16)


def errors(burst: modem.Burst, bits: npt.NDArray[np.uint8]) -> int:
    assert burst.trained
    assert len(burst.bits) >= len(bits)
    return int(np.sum(burst.bits[: len(bits)] != bits))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("level", [-3.0, -13.0, -40.0])
def test_mean_level(rate: int, level: float) -> None:
    samples = modem.modulate(random_bits(48000, 1), "v29", rate, level_dbm0=level)[600:-200].astype(float)
    assert dbm0_of_rms(np.sqrt(np.mean(samples**2))) == pytest.approx(level, abs=0.1)


@pytest.mark.parametrize("rate", RATES)
def test_spectrum(rate: int) -> None:
    samples = modem.modulate(np.ones(96000, np.uint8), "v29", rate)[2500:-200].astype(float)
    blocks = np.lib.stride_tricks.sliding_window_view(samples, 1600)[::800] * np.hanning(1600)
    power = 10 * np.log10(np.mean(np.abs(np.fft.rfft(blocks)) ** 2, axis=0) + 1)  # bins of 5 Hz
    top = power[120:560].max()
    for edge in (500, 2900):  # [V.29 11]
        assert 2 <= top - power[edge // 5 - 4 : edge // 5 + 5].mean() <= 7
    assert power[:30].max() < top - 40
    assert power[650:].max() < top - 40


@pytest.mark.parametrize("rate", RATES)
def test_segment_one_and_echo_protection(rate: int) -> None:
    plain = modem.modulate([], "v29", rate)
    assert not plain[:120].any()  # segment 1; pulses of segment 2 begin before its first symbol peaks
    assert np.abs(plain[200:]).max() > 1000
    protected = modem.modulate([], "v29", rate, echo_protection=True)
    assert np.array_equal(protected[1640:], plain[80:])  # the tail before the echo protection is not sent
    tone = protected[160:1440].astype(float)
    lines = np.abs(np.fft.rfft(tone)) ** 2
    assert lines[272] > 0.999 * lines.sum()  # 1700 Hz in bins of 6.25


@pytest.mark.parametrize("modulation", [V29_9600, V29_7200, V29_4800], ids=str)
@pytest.mark.parametrize("n", [0, 1, 2, 100])
def test_length_is_known_ahead(modulation: Modulation, n: int) -> None:
    transmitter = modem.transmitter(modulation)
    transmitter.feed(bytes(n))
    transmitter.finish()
    assert transmitter.samples_ready == modem.samples_for(modulation, n)
    assert len(transmitter.pull(10**9)) == modem.samples_for(modulation, n)
    assert transmitter.done


def test_training_is_ready_before_any_octet() -> None:
    transmitter = modem.transmitter(V29_9600)
    ready = transmitter.samples_ready
    assert ready > 0.25 * 8000
    assert len(transmitter.pull(10**6)) == ready
    assert not transmitter.done
    transmitter.feed(b"\x00" * 12)
    assert transmitter.samples_ready == 80  # 24 symbols
    transmitter.finish()
    with pytest.raises(ValueError, match="finished"):
        transmitter.feed(b"\x00")


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="training"):
        modem.modulate([0, 1], "v29", 9600, training="short")
    for rate in (2400, 14400, 0):
        with pytest.raises(ValueError, match="9600, 7200 or 4800"):
            modem.modulate([0, 1], "v29", rate)
    with pytest.raises(ValueError, match="short"):
        modem.modulate([0, 1], "v29", 9600, training="short")
    with pytest.raises(ValueError, match="level_dbm0"):
        modem.modulate([0, 1], "v29", 9600, level_dbm0=3.0)
    with pytest.raises(ValueError, match="0 or 1"):
        modem.modulate([0, 2], "v29", 9600)
    with pytest.raises(TypeError):
        modem.receiver(V29_9600).push(np.zeros(10))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        modem.receiver(V29_9600).push(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("hz", "ppm"), [(7, 100), (-7, -100), (15, 200), (-15, -200), (0, 200), (15, -200)])
def test_offsets(rate: int, hz: float, ppm: float) -> None:
    bits = random_bits(3 * rate, 2)
    samples = np.concatenate([modem.modulate(bits, "v29", rate), silence(400)])
    burst = modem.demodulate(moved(samples, hz, ppm), "v29", rate)
    assert errors(burst, bits) == 0
    assert burst.clock_ppm == pytest.approx(ppm, abs=12)
    assert burst.carrier_hz == pytest.approx(hz + 1700e-6 * ppm, abs=0.2)
    assert burst.evm < 0.02


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("law", ["mu", "a", None])
@pytest.mark.parametrize("level", [-3.0, -13.0, -26.0, -43.0])
@pytest.mark.parametrize("echo", [False, True])
def test_levels_and_laws(rate: int, law: str, level: float, echo: bool) -> None:
    bits = random_bits(rate // 2, 3)
    samples = modem.modulate(bits, "v29", rate, level_dbm0=level, echo_protection=echo)
    burst = modem.demodulate(Line(law=law).direction(0).carry(samples), "v29", rate)
    assert errors(burst, bits) == 0
    assert burst.level_dbm0 == pytest.approx(level, abs=0.3)


def noisy(samples: Samples, snr_db: float, seed: int) -> Samples:
    """Noise over 0-4 kHz, steady from 300 ms before the burst; each burst begins elsewhere."""
    line = Line(noise_dbm0=-13 - snr_db, law=None, seed=seed)
    return line.direction(0).carry(np.concatenate([silence(2400 + 7 * seed), samples, silence(800)]))


@pytest.mark.parametrize(("rate", "snr_db"), [(9600, 18.7), (7200, 15.2)])
def test_bit_errors_in_noise(rate: int, snr_db: float) -> None:
    """1e-4 within 1 dB of ideal synchronisation and equalisation (17.7 and 14.2 dB)."""
    wrong = 0
    for seed in range(60):
        bits = random_bits(2 * rate, seed)
        wrong += errors(modem.demodulate(noisy(modem.modulate(bits, "v29", rate), snr_db, seed), "v29", rate), bits)
    assert wrong < 1e-4 * 60 * 2 * rate


@pytest.mark.parametrize(("rate", "snr_db"), [(9600, 16.5), (7200, 13.0)])
def test_trains_wherever_data_could_be_read(rate: int, snr_db: float) -> None:
    """At a bit error ratio of 1e-3 training is not what fails."""
    samples = modem.modulate(random_bits(200, 1), "v29", rate)
    assert all(modem.demodulate(noisy(samples, snr_db, seed), "v29", rate).trained for seed in range(100))


@pytest.mark.parametrize(("rate", "snr_db"), [(9600, 12.0), (7200, 9.0), (7200, 20.0)])
@pytest.mark.parametrize("seed", range(8))
def test_the_end_is_heard_above_noise(rate: int, snr_db: float, seed: int) -> None:
    """Also where the data is lost: the far end waits for our answer to its training check."""
    line = noisy(modem.modulate(random_bits(2 * rate, seed), "v29", rate), snr_db, seed)
    items = modem.receiver(Modulation("v29", rate)).push(np.append(line, noisy(silence(4000), snr_db, 99)))
    assert kinds(items) == [SignalBegins, SignalEnds]
    energy_ends = len(line) - 840
    assert energy_ends + 100 < items[-1].at < energy_ends + 560


LINES = {
    "echo of 1 ms": np.eye(1, 9)[0] + 0.3 * np.eye(1, 9, 8)[0],
    "echo of 3 ms": np.eye(1, 25)[0] + 0.2 * np.eye(1, 25, 24)[0],
    "slope to the upper edge": np.array([0.12, -0.22, 0.18, 1.0, 0.55, 0.12, -0.05]),
    "late lower edge": np.array([0.4, 0.2, 1.0, -0.2, 0.1]),
}


@pytest.mark.parametrize("name", list(LINES))
@pytest.mark.parametrize(("rate", "snr_db"), [(9600, 24.0), (7200, 20.0)])
def test_lines_with_a_frequency_response(name: str, rate: int, snr_db: float) -> None:
    for seed in range(5):
        bits = random_bits(rate, seed)
        bent = np.round(np.convolve(modem.modulate(bits, "v29", rate, level_dbm0=-16), LINES[name])).astype(np.int16)
        assert errors(modem.demodulate(noisy(bent, snr_db + 3, seed), "v29", rate), bits) == 0


def kinds(items: list[SignalItem]) -> list[type]:
    return [type(item) for item in items if not isinstance(item, Octets)]


@pytest.mark.parametrize("modulation", [V29_9600, V29_7200, V29_4800], ids=str)
def test_times_of_items(modulation: Modulation) -> None:
    transmitter = modem.transmitter(modulation)
    transmitter.feed(bytes(1200))
    transmitter.finish()
    burst = np.concatenate([silence(1000), transmitter.pull(10**6), silence(800)])
    receiver, items = modem.receiver(modulation, at=5000), []
    for k in range(0, len(burst), 10):
        for item in receiver.push(burst[k : k + 10]):
            if not isinstance(item, Octets):
                assert 5000 + k < item.at <= 5000 + k + 10
            items.append(item)
    assert kinds(items) == [SignalBegins, SignalEnds]
    first = next(item for item in items if isinstance(item, Octets))
    assert first.at == pytest.approx(5000 + 1000 + 620 * 10 / 3, abs=2)  # 12 + 608 symbols
    assert items[0].at < first.at + 200
    energy_ends = 5000 + len(burst) - 800 - 40
    assert energy_ends + 160 < items[-1].at < energy_ends + 480  # 20 to 60 ms


def speech(seed: int, n: int = 80000) -> Samples:
    """Something like speech: pulses of a wandering pitch through wandering resonances, in syllables."""
    random = np.random.default_rng(seed)
    pitch = 120 + 40 * np.cumsum(random.normal(0, 0.005, n))
    voice = sum(np.cos(2 * np.pi * np.cumsum(pitch * h / 8000)) * random.uniform(0.2, 1) / h for h in range(1, 25))
    syllables = np.clip(np.sin(2 * np.pi * np.arange(n) / 2500 + seed), 0, 1)
    return np.round(3000 * voice * syllables + random.normal(0, 30, n)).astype(np.int16)


def not_ours() -> dict[str, Samples]:
    frame = bytes(random_bits(300, 5))
    answer = tones.AnswerTone()
    return {
        "silence": silence(8000),
        "noise": Line(noise_dbm0=-20, law=None, seed=1).direction(0).carry(silence(80000)),
        "v21": v21.Transmitter([frame, frame]).pull(10**6),
        "ced": answer.pull(24000),
        "carrier": np.round(8000 * np.cos(2 * np.pi * 1700 / 8000 * np.arange(16000))).astype(np.int16),
        "speech": np.concatenate([speech(seed) for seed in range(5)]),
        "full scale": np.tile(np.array([32767, -32768], np.int16), 20000),
        "random": np.random.default_rng(2).integers(-32768, 32768, 80000).astype(np.int16),
    }


@pytest.mark.parametrize("name", list(not_ours()))
@pytest.mark.parametrize("modulation", [V29_9600, V29_7200, V29_4800], ids=str)
def test_what_is_not_v29_never_begins(name: str, modulation: Modulation) -> None:
    receiver = modem.receiver(modulation)
    items = receiver.push(not_ours()[name]) + receiver.push(silence(8000))
    assert SignalBegins not in kinds(items)
    assert all(isinstance(item, SignalEnds) and not item.trained for item in items)
    bits = random_bits(4800, 6)
    samples = modem.modulate(bits, "v29", modulation.bit_rate)
    assert kinds(receiver.push(np.concatenate([samples, silence(800)]))) == [SignalBegins, SignalEnds]


@pytest.mark.parametrize(("sent", "heard"), [(9600, V29_7200), (7200, V29_9600)])
def test_another_rate_ends_untrained(sent: int, heard: Modulation) -> None:
    samples = modem.modulate(random_bits(4800, 7), "v29", sent)
    receiver = modem.receiver(heard)
    items = receiver.push(np.concatenate([samples, silence(2000)]))
    assert kinds(items) == [SignalEnds]
    assert not items[0].trained


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("pause", [40, 80, 160])
def test_a_short_pause_does_not_end_a_burst(rate: int, pause: int) -> None:
    bits = random_bits(2 * rate, 8)
    samples = modem.modulate(bits, "v29", rate)
    samples[8000 : 8000 + pause] = 0
    burst = modem.demodulate(samples, "v29", rate)
    wrong = np.flatnonzero(burst.bits[: len(bits)] != bits)
    assert burst.trained
    assert len(burst.bits) >= len(bits)
    assert 0 < len(wrong) < pause * rate / 8000 + 200
    assert wrong[-1] - wrong[0] < pause * rate / 8000 + 200


@pytest.mark.parametrize("seed", range(10))
def test_a_burst_of_noise_does_not_break_the_loops(seed: int) -> None:
    bits = random_bits(19200, seed)
    samples = modem.modulate(bits, "v29", 9600, level_dbm0=-30)
    samples[6000:6400] = np.random.default_rng(seed).integers(-32768, 32768, 400)
    burst = modem.demodulate(samples, "v29", 9600)
    assert not np.any(burst.bits[9600:19200] != bits[9600:])


def test_bursts_follow_each_other() -> None:
    receiver, pieces, sent = modem.receiver(V29_9600), [], []
    for seed in range(3):
        sent.append(random_bits(9600, seed))
        pieces += [modem.modulate(sent[-1], "v29", 9600, echo_protection=True), silence(600)]
    items = receiver.push(np.concatenate(pieces))
    assert kinds(items) == [SignalBegins, SignalEnds] * 3
    blocks = [item.data for item in items if isinstance(item, Octets)]
    heard = np.unpackbits(np.frombuffer(b"".join(blocks), np.uint8), bitorder="little")
    assert all("".join(map(str, bits)) in "".join(map(str, heard)) for bits in sent)
    assert receiver.quality.evm < 0.02
    assert len(receiver.symbols) == 1024
