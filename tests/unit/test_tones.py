"""CNG and CED: made within the limits of T.30 4, heard within them and a margin; nothing else is taken for them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from faxcore.line import Line
from faxcore.modem import tones, v21
from tests.support import vectors

SECOND = 8000
LIMITS = vectors("tones")


def tone(
    hz: float, seconds: float, level_dbm0: float = -13.0, *, reversals: bool = False, am: float = 0.0
) -> np.ndarray:
    t = np.arange(round(seconds * SECOND)) / SECOND
    wave = np.sin(2 * math.pi * hz * t) * (1 + am * np.sin(2 * math.pi * 15 * t))
    if reversals:
        wave *= 1 - 2 * ((t / 0.45).astype(int) % 2)
    return np.rint(32768 * 10 ** ((level_dbm0 - 3.14) / 20) * wave).astype(np.int16)


@pytest.fixture
def detector(kernel_of: Any, monkeypatch: pytest.MonkeyPatch) -> tones.ToneDetector:
    monkeypatch.setattr(tones, "native", kernel_of("fsk"))
    return tones.ToneDetector()


def peak_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    return float(np.argmax(spectrum)) / (8 * len(samples)) * SECOND


def test_calling_tone() -> None:
    generator = tones.CallingTone(level_dbm0=-11.0)
    samples = np.concatenate([generator.pull(n) for n in (1, 0, 30_000, 7, 60_000)])
    on = samples.reshape(-1)[:4000]
    assert peak_hz(on) == pytest.approx(LIMITS["CNG"]["hz"], abs=0.5)
    rms = np.sqrt(np.mean(on.astype(float) ** 2))
    assert 3.14 + 20 * math.log10(rms * math.sqrt(2) / 32768) == pytest.approx(-11, abs=0.02)
    loud = np.convolve(np.abs(samples.astype(float)), np.ones(40), "same") > 2000
    edges = np.flatnonzero(np.diff(loud.astype(int)))
    assert np.allclose(edges, [4000, 28_000, 32_000, 56_000, 60_000, 84_000, 88_000], atol=25)


def test_answer_tone() -> None:
    generator = tones.AnswerTone()
    samples = np.concatenate([generator.pull(n) for n in (160, 10**6)])
    assert generator.done
    assert generator.total == len(samples)
    assert LIMITS["CED"]["min_s"] <= len(samples) / SECOND <= LIMITS["CED"]["max_s"]
    assert peak_hz(samples) == pytest.approx(LIMITS["CED"]["hz"], abs=0.1)


@pytest.mark.parametrize("make", [tones.CallingTone, tones.AnswerTone])
def test_level_and_count_are_checked(make: Any) -> None:
    with pytest.raises(ValueError, match="level_dbm0"):
        make(level_dbm0=3.0)
    with pytest.raises(ValueError, match="number of samples"):
        make().pull(-1)
    with pytest.raises(ValueError, match="read-only"):
        make().pull(100)[0] = 1


@pytest.mark.parametrize(("sound", "wanted"), [
    ((1100, 0.5), "cng"), ((1062, 0.5), "cng"), ((1138, 0.5), "cng"), ((1100, 0.43, -43.0), "cng"),
    ((2100, 2.6), "ced"), ((2085, 2.6), "ced"), ((2115, 2.6, 0.0), "ced"), ((2100, 3.0, -43.0), "ced"),
    ((1300, 0.7), None), ((1000, 1.0), None), ((1850, 3.0), None), ((2225, 3.0), None), ((1100, 0.2), None),
    ((2100, 0.25), None), ((1100, 0.5, -52.0), None)], ids=str)
def test_what_is_heard(detector: tones.ToneDetector, sound: tuple[float, ...], wanted: str | None) -> None:
    assert [name for _, name in detector.push(tone(*sound))] == [wanted] * (wanted is not None)


@pytest.mark.parametrize("kind", [{"reversals": True}, {"am": 0.2}, {"am": 0.2, "reversals": True}], ids=str)
def test_the_answer_tones_of_v25_and_v8_are_one_ced(detector: tones.ToneDetector, kind: dict[str, Any]) -> None:
    assert [name for _, name in detector.push(tone(2100, 3.3, **kind))] == ["ced"]


@pytest.mark.parametrize("law", ["mu", "a"])
@pytest.mark.parametrize("seed", [1, 2])
def test_heard_through_noise(law: str, seed: int) -> None:
    line = Line(noise_dbm0=-23.0, law=law, seed=seed).direction(0)
    calling = tones.CallingTone()
    sent = np.concatenate([calling.pull(3 * 28_000), tones.AnswerTone().pull(10**6)])
    heard = tones.ToneDetector(at=1000).push(line.carry(sent))
    assert [name for _, name in heard] == ["cng", "cng", "cng", "ced"]
    starts = [1000, 29_000, 57_000, 85_000]
    assert all(2560 <= at - start <= 4000 for (at, _), start in zip(heard, starts, strict=True))


@pytest.mark.parametrize(("hz", "name"), [(1100.0, "cng"), (2100.0, "ced")])
@pytest.mark.parametrize("mains_hz", [50, 60])
def test_heard_through_dc_and_hum(detector: tones.ToneDetector, hz: float, name: str, mains_hz: int) -> None:
    """200 counts and hum of -30 dBm0 beside a tone of -42."""
    sound = tone(hz, 1.0, -42.0)
    hum = 200 + 721 * np.sin(2 * math.pi * mains_hz * np.arange(len(sound)) / SECOND)
    assert [kind for _, kind in detector.push(np.rint(sound + hum).astype(np.int16))] == [name]


def test_a_tone_is_heard_once_and_again_after_a_pause(detector: tones.ToneDetector) -> None:
    pause = np.zeros(2400, np.int16)
    samples = np.concatenate([tone(2100, 1.0), pause, tone(2100, 0.6), pause, tone(1100, 0.5)])
    assert [name for _, name in detector.push(samples)] == ["ced", "ced", "cng"]


def test_other_sounds() -> None:
    rng = np.random.default_rng(11)
    noise = rng.normal(0, 3000, 80_000).astype(np.int16)
    control = v21.Transmitter([bytes(range(60))]).pull(10**6)
    assert tones.ToneDetector().push(np.concatenate([noise, control])) == []


@pytest.mark.parametrize("cuts", [[1], [39, 40, 41], [160, 161, 3000, 9999], list(range(0, 3000, 7))],
                         ids=lambda c: str(c[:4]))
def test_chunks_do_not_matter(cuts: list[int]) -> None:
    samples = Line(noise_dbm0=-30.0, seed=3).direction(0).carry(np.concatenate([tone(1100, 0.5), tone(2100, 1.0)]))
    detector = tones.ToneDetector()
    assert [h for piece in np.split(samples, cuts) for h in detector.push(piece)] == tones.ToneDetector().push(samples)


@pytest.mark.parametrize("garbage", [None, b"ab", [1], np.zeros(4), np.zeros((2, 2), np.int16)], ids=repr)
def test_garbage_at_the_door(garbage: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        tones.ToneDetector().push(garbage)
    with pytest.raises(ValueError, match="line time"):
        tones.ToneDetector(at=-1)
