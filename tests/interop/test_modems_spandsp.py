"""Every fast modem with SpanDSP, both ways: each rate, both trainings, levels, laws, offsets.

Where a line is too much for SpanDSP's own receiver, also with its own transmitter, a test says so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.impairments import Channel, carry
from faxcore import g711, modem
from tests.interop import spandsp

pytestmark = pytest.mark.peer("spandsp")

RATES = [("v17", 14400), ("v17", 12000), ("v17", 9600), ("v17", 7200), ("v29", 9600), ("v29", 7200), ("v29", 4800),
         ("v27ter", 4800), ("v27ter", 2400)]  # fmt: skip
EVERY = pytest.mark.parametrize(("name", "rate"), RATES, ids=str)
V17 = pytest.mark.parametrize("rate", [14400, 12000, 9600, 7200])
ECHO = pytest.mark.parametrize("echo", [False, True], ids=["", "echo protection"])

EASY = {
    **{f"{level} dBm0": Channel(level_dbm0=level) for level in (-3, -13, -23, -30, -40)},
    **{f"{law} law, {level} dBm0": Channel(law=law, level_dbm0=level) for law in ("a", "mu") for level in (-13, -30)},
    **{f"{hz:+} Hz": Channel(carrier_hz=hz) for hz in (-7, 7)},
    **{f"{ppm:+} ppm": Channel(clock_ppm=ppm) for ppm in (-50, 50)},
    "noise": Channel(snr_db=35, noise_before=False),
}
"""What SpanDSP bears."""

HARD = {
    **{f"{hz:+} Hz": Channel(carrier_hz=hz) for hz in (-15, 15)},
    **{f"{ppm:+} ppm": Channel(clock_ppm=ppm) for ppm in (-200, 200)},
    "-43 dBm0": Channel(level_dbm0=-43, law="a"),
    "noise before": Channel(snr_db=30),
    "all at once": Channel(snr_db=35, carrier_hz=-15, clock_ppm=200, law="mu", level_dbm0=-30, line="end of band"),
}

FAULTS = [
    ("v17", 14400, "+15 Hz"), ("v17", 14400, "-200 ppm"), ("v17", 9600, "-15 Hz"), ("v27ter", 4800, "+200 ppm"),
    ("v27ter", 2400, "-200 ppm"), ("v29", 9600, "-43 dBm0"), ("v29", 9600, "noise before"),
    ("v17", 14400, "noise before"),
]  # fmt: skip

Bits = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.int16]


def bits_of(seed: int, n: int) -> Bits:
    return np.random.default_rng(seed).integers(0, 2, n).astype(np.uint8)


def assert_ours(line: Samples, name: str, rate: int, bits: Bits, trained: modem.Burst | None = None) -> modem.Burst:
    burst = modem.demodulate(line, name, rate, trained=trained)
    assert burst.trained
    assert np.array_equal(burst.bits[: len(bits)], bits)
    return burst


def is_heard(heard: spandsp.Heard, bits: Bits) -> bool:
    return heard.trained and np.array_equal(heard.bits[: len(bits)], bits)


@EVERY
@ECHO
@pytest.mark.parametrize("channel", EASY | HARD)
def test_we_hear_spandsp(name: str, rate: int, echo: bool, channel: str) -> None:
    bits, where = bits_of(1, rate), (EASY | HARD)[channel]
    line = carry(spandsp.modulate(bits, name, rate, tep=echo), where, 1)
    burst = assert_ours(line, name, rate, bits)
    assert burst.level_dbm0 == pytest.approx(where.level_dbm0, abs=1.0)  # that of all of the burst
    assert burst.carrier_hz == pytest.approx(where.carrier_hz, abs=0.5)
    assert burst.clock_ppm == pytest.approx(where.clock_ppm, abs=40)
    assert burst.evm < (0.03 if where.snr_db is None and where.level_dbm0 > -40 else 0.06)


@EVERY
@ECHO
@pytest.mark.parametrize("channel", EASY)
def test_spandsp_hears_us(name: str, rate: int, echo: bool, channel: str) -> None:
    bits = bits_of(2, rate)
    line = carry(modem.modulate(bits, name, rate, echo_protection=echo), EASY[channel], 2)
    assert is_heard(spandsp.demodulate(line, name, rate), bits)


@V17
@pytest.mark.parametrize("channel", EASY | HARD)
def test_we_hear_its_short_training(rate: int, channel: str) -> None:
    where = (EASY | HARD)[channel]
    for seed in range(2):
        bits = bits_of(seed, rate // 2)
        long = carry(spandsp.modulate(bits, "v17", rate), where, 100 + seed)
        short = carry(spandsp.modulate(bits, "v17", rate, short_train=True), where, seed)
        assert_ours(short, "v17", rate, bits, trained=assert_ours(long, "v17", rate, bits))


@V17
def test_it_hears_our_short_training_as_well_as_its_own(rate: int) -> None:
    """At fault: it takes 70-95 % of clean short trainings, whoever sends them."""
    taken = {"ours": 0, "its": 0}
    for seed in range(30):
        bits, level = bits_of(seed, 2400), Channel(level_dbm0=-8.0 - seed)
        for who in taken:
            long, short = (burst(who, bits, rate, short=short) for short in (False, True))
            heard = spandsp.v17_demodulate_short(carry(long, level, 100 + seed), carry(short, level, seed), rate)
            taken[who] += is_heard(heard, bits)
    assert taken["ours"] >= taken["its"] - 4
    assert taken["ours"] >= 15


@pytest.mark.parametrize("law", [None, "mu", "a"])
@V17
def test_it_hears_every_short_training_of_ours(rate: int, law: str | None) -> None:
    """On a line that keeps samples as they are, from -6 to -34 dBm0; its own it loses from -27 dBm0 down."""
    bits = bits_of(rate, 2400)
    for level in range(-6, -35, -1):
        long, short = (
            modem.modulate(bits, "v17", rate, training=kind, level_dbm0=level) for kind in ("long", "short")
        )
        line = [samples if law is None else g711.through(samples, law) for samples in (long, short)]
        assert is_heard(spandsp.v17_demodulate_short(*line, rate), bits), f"{level} dBm0"


def burst(who: str, bits: Bits, rate: int, *, short: bool) -> Samples:
    if who == "its":
        return spandsp.modulate(bits, "v17", rate, short_train=short)
    return modem.modulate(bits, "v17", rate, training="short" if short else "long")


@pytest.mark.parametrize(("name", "rate", "channel"), FAULTS, ids=str)
def test_spandsp_at_fault(name: str, rate: int, channel: str) -> None:
    """It loses its own bursts there, and ours; on the same samples our receiver has every bit."""
    failed = {"ours": 0, "its": 0}
    for seed in range(5):
        bits = bits_of(seed, 4 * rate)
        for who, sent in (("ours", modem.modulate(bits, name, rate)), ("its", spandsp.modulate(bits, name, rate))):
            line = carry(sent, HARD[channel], seed)
            assert_ours(line, name, rate, bits)
            failed[who] += not is_heard(spandsp.demodulate(line, name, rate), bits)
    assert failed["ours"] > 0
    assert failed["its"] > 0
