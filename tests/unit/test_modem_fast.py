"""Every fast modem over bad lines: noise, offsets, levels, both laws, and V.17's short training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.signal import hilbert, resample_poly

from faxcore import modem
from faxcore.line import Line
from faxcore.signals import Modulation

IDEAL_DB = {
    ("v17", 14400): 20.4, ("v17", 12000): 17.6, ("v17", 9600): 13.8, ("v17", 7200): 10.3,
    ("v29", 9600): 17.7, ("v29", 7200): 14.2, ("v29", 4800): 10.4, ("v27ter", 4800): 13.3, ("v27ter", 2400): 6.9,
}  # fmt: skip
"""SNR over 0-4 kHz at which theory has 1e-4 bit errors."""

EVERY = pytest.mark.parametrize(("name", "rate"), list(IDEAL_DB), ids=lambda value: str(value))
V17 = pytest.mark.parametrize("rate", [14400, 12000, 9600, 7200])

Samples = npt.NDArray[np.int16]


def bits_of(seed: int, n: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 2, n).astype(np.uint8)


def on_the_line(signal: Samples, *, snr: float = 40.0, law: str | None = None, seed: int = 0, level: float = -13.0,
                lead: int = 2400) -> Samples:  # fmt: skip
    """The signal with noise from 300 ms before it on."""
    whole = np.concatenate([np.zeros(lead, np.int16), signal, np.zeros(1200, np.int16)])
    return Line(noise_dbm0=max(level - snr, -100.0), law=law, seed=seed).direction(0).carry(whole)


def wrong_bits(burst: modem.Burst, bits: npt.NDArray[np.uint8]) -> int:
    assert burst.trained
    assert len(burst.bits) >= len(bits)
    return int(np.sum(burst.bits[: len(bits)] != bits))


def moved(signal: Samples, hz: float, ppm: float) -> Samples:
    """A far end whose carrier is `hz` high and whose clock is `ppm` fast."""
    analytic = hilbert(signal.astype(float)) * np.exp(2j * np.pi * hz * np.arange(len(signal)) / 8000)
    shifted = np.real(analytic)
    if ppm:
        fine = resample_poly(shifted, 32, 1)
        at = np.arange(0, len(fine) - 2, 32 * (1 + ppm * 1e-6))
        whole = at.astype(int)
        shifted = fine[whole] + (at - whole) * (fine[whole + 1] - fine[whole])
    return np.clip(np.rint(shifted), -32768, 32767).astype(np.int16)


@EVERY
def test_noise(name: str, rate: int) -> None:
    """1.3 dB above what theory needs for 1e-4; 80 000 bits say 3e-4 and more for certain."""
    errors = 0
    for seed in range(5):
        bits = bits_of(seed, 16000)
        line = on_the_line(modem.modulate(bits, name, rate), snr=IDEAL_DB[name, rate] + 1.3, seed=seed)
        errors += wrong_bits(modem.demodulate(line, name, rate), bits)
    assert errors <= 24


@EVERY
@pytest.mark.parametrize("seed", range(12))
def test_training_where_data_is_hopeless(name: str, rate: int, seed: int) -> None:
    """3 dB below the SNR of 1e-4 every burst still trains."""
    signal = modem.modulate(bits_of(seed, 960), name, rate)
    line = on_the_line(signal, snr=IDEAL_DB[name, rate] - 3, seed=seed, lead=2400 + 37 * seed)
    assert modem.demodulate(line, name, rate).trained


@EVERY
@pytest.mark.parametrize(("hz", "ppm"), [(15, 0), (-15, 0), (0, 200), (0, -200), (15, 200), (-15, -200)])
def test_offsets(name: str, rate: int, hz: float, ppm: float) -> None:
    bits = bits_of(3, 4 * rate)
    line = on_the_line(moved(modem.modulate(bits, name, rate), hz, ppm), snr=IDEAL_DB[name, rate] + 6, seed=1)
    burst = modem.demodulate(line, name, rate)
    assert wrong_bits(burst, bits) == 0
    assert abs(burst.carrier_hz - hz) < 0.5
    assert abs(burst.clock_ppm - ppm) < 50  # 4 s at the lowest SNR still leave the loop a jitter of some 10 ppm


@EVERY
@pytest.mark.parametrize("level", [-3.0, -20.0, -43.0])
@pytest.mark.parametrize("law", ["mu", "a"])
def test_levels(name: str, rate: int, level: float, law: str) -> None:
    bits = bits_of(4, rate)
    line = on_the_line(modem.modulate(bits, name, rate, level_dbm0=level), law=law, level=level, snr=45)
    assert wrong_bits(modem.demodulate(line, name, rate), bits) == 0


@pytest.mark.parametrize(("name", "rate"), [("v29", 7200), ("v27ter", 4800), ("v17", 14400)])
@pytest.mark.parametrize("mains_hz", [50, 60])
def test_hum_of_any_phase_hides_no_alternations(name: str, rate: int, mains_hz: int) -> None:
    """At -30 dBm0 beside a burst at -43 dBm0: one of some thirty such bursts was not heard."""
    burst = modem.modulate(np.ones(80, np.uint8), name, rate, level_dbm0=-43.0)
    for step in range(48):
        late, phase = 11 * step % 80, 2 * np.pi * step / 48
        line = np.concatenate([np.zeros(500 + late), burst, np.zeros(600)])
        hum = 721 * np.sin(2 * np.pi * mains_hz / 8000 * np.arange(len(line)) + phase)
        assert modem.demodulate(np.rint(line + hum).astype(np.int16), name, rate).trained, (late, phase)


@EVERY
@pytest.mark.parametrize(("dc", "hum_counts", "mains_hz"), [(200, 0, 50), (0, 721, 50), (-200, 721, 60)])
def test_direct_current_and_hum(name: str, rate: int, dc: int, hum_counts: int, mains_hz: int) -> None:
    """Beside a burst at -43 dBm0, which has 114 counts: what gateways add, and hum at -30 dBm0."""
    bits = bits_of(6, rate)
    line = on_the_line(modem.modulate(bits, name, rate, level_dbm0=-43.0), level=-43.0, snr=30.0)
    hum = dc + hum_counts * np.sin(2 * np.pi * mains_hz / 8000 * np.arange(len(line)))
    burst = modem.demodulate(np.rint(line + hum).astype(np.int16), name, rate)
    assert wrong_bits(burst, bits) == 0
    assert burst.level_dbm0 == pytest.approx(-43.0, abs=0.3)


@EVERY
def test_echo_protection(name: str, rate: int) -> None:
    bits = bits_of(5, rate)
    line = on_the_line(modem.modulate(bits, name, rate, echo_protection=True), snr=35)
    assert wrong_bits(modem.demodulate(line, name, rate), bits) == 0


@V17
@pytest.mark.parametrize("level", [-5.0, -13.0, -23.0, -32.0, -40.0])
def test_short_training(rate: int, level: float) -> None:
    """Ten bursts a level, each after its own long training, at 3 dB above the SNR of 1e-4."""
    for seed in range(10):
        bits, snr = bits_of(seed, 2400), IDEAL_DB["v17", rate] + 3
        long = modem.modulate(bits, "v17", rate, level_dbm0=level)
        short = modem.modulate(bits, "v17", rate, training="short", level_dbm0=level)
        trained = modem.demodulate(on_the_line(long, snr=snr, seed=seed, level=level), "v17", rate)
        line = on_the_line(short, snr=snr, seed=seed + 100, level=level, lead=2400 + 13 * seed)
        assert wrong_bits(modem.demodulate(line, "v17", rate, trained=trained), bits) == 0


def test_a_short_training_needs_a_long_one() -> None:
    with pytest.raises(ValueError, match="trained"):
        modem.receiver(Modulation("v17", 14400, short=True))
    with pytest.raises(ValueError, match="short"):
        modem.scheme(Modulation("v29", 9600, short=True))
    with pytest.raises(ValueError, match="trained"):
        modem.demodulate(np.zeros(100, np.int16), "v17", 14400,
                         trained=modem.demodulate(np.zeros(100, np.int16), "v17", 14400))  # fmt: skip


@EVERY
def test_noise_alone_is_nothing(name: str, rate: int) -> None:
    burst = modem.demodulate(on_the_line(np.zeros(80000, np.int16), snr=10, seed=9), name, rate)
    assert not burst.trained
    assert len(burst.bits) == 0


@EVERY
@pytest.mark.parametrize("law", [None, "a", "mu"])
def test_no_bit_is_lost_where_the_scale_cuts_peaks(name: str, rate: int, law: str | None) -> None:
    """At 0 dBm0 the peaks of every burst are cut."""
    bits = bits_of(1, 16 * rate)
    line = on_the_line(modem.modulate(bits, name, rate, level_dbm0=0.0), snr=100.0, law=law)
    assert np.sum(np.abs(line.astype(int)) > 32000) > (40 if rate <= 4800 else 1000)  # those have one radius alone
    assert wrong_bits(modem.demodulate(line, name, rate), bits) == 0
