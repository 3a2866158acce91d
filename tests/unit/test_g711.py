"""G.711 against an independent reading of its tables: segments, steps, published codes."""

from __future__ import annotations

import numpy as np
import pytest

from faxcore import g711

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)


def reference(sample: int, law: str) -> int:
    """The octet of one sample, by walking the decision values of G.711 tables 1 and 2."""
    magnitude = abs(sample)
    if law == "mu":
        decision, code = 4, 0
        for segment in range(8):
            for step in range(16):
                if (segment, step) != (0, 0):
                    if magnitude < decision:
                        return code ^ 0xFF ^ (0x80 if sample < 0 else 0)
                    code = segment << 4 | step
                    decision += 8 << segment
        return code ^ 0xFF ^ (0x80 if sample < 0 else 0)
    decision, code = 0, 0
    for segment in range(8):
        for step in range(16):
            if magnitude < decision:
                break
            code = segment << 4 | step
            decision += 16 << max(segment - 1, 0)
    return (code | (0x80 if sample >= 0 else 0)) ^ 0x55


@pytest.mark.parametrize("law", g711.LAWS)
def test_every_sample(law: str) -> None:
    some = EVERY_SAMPLE[::7].tolist() + list(range(-600, 600)) + [-32768, 32767, -32636, 32635, 32636]
    codes = g711.encode(np.array(some, np.int16), law)
    assert codes.tolist() == [reference(s, law) & 0xFF for s in some]


@pytest.mark.parametrize(("law", "octet", "value"), [
    ("mu", 0xFF, 0), ("mu", 0x80, 32124), ("mu", 0x00, -32124), ("mu", 0xFE, 8), ("mu", 0xEF, 132), ("mu", 0x90, 15996),
    ("a", 0xD5, 8), ("a", 0x55, -8), ("a", 0xAA, 32256), ("a", 0x2A, -32256), ("a", 0x00, -5504), ("a", 0x01, -5248)])
def test_published_values(law: str, octet: int, value: int) -> None:
    assert g711.decode(np.array([octet], np.uint8), law).tolist() == [value]


@pytest.mark.parametrize("law", g711.LAWS)
def test_the_digital_milliwatt_is_0_dbm0(law: str) -> None:
    """The octets of G.711 tables 5 and 6: a 1 kHz sine of 0 dBm0, against full scale at 3.14 or 3.17 dBm0."""
    octets = {"mu": "1e0b0b1e9e8b8b9e", "a": "34212134b4a1a1b4"}[law]
    samples = g711.decode(np.frombuffer(bytes.fromhex(octets), np.uint8), law).astype(float)
    peak = {"mu": 8159 * 4, "a": 4096 * 8}[law]
    level = {"mu": 3.17, "a": 3.14}[law] + 20 * np.log10(np.sqrt(2 * np.mean(samples**2)) / peak)
    assert level == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("law", g711.LAWS)
def test_every_octet_comes_back(law: str) -> None:
    octets = np.arange(256, dtype=np.uint8)
    back = g711.encode(g711.decode(octets, law), law)
    wrong = octets[back != octets]
    assert wrong.tolist() == ([0x7F] if law == "mu" else [])  # mu-law has two zeros


@pytest.mark.parametrize("law", g711.LAWS)
def test_shape_and_error(law: str) -> None:
    samples = EVERY_SAMPLE.reshape(256, 256)
    back = g711.through(samples, law)
    assert back.shape == samples.shape
    error = np.abs(back.astype(int) - samples.astype(int))
    assert (error <= (np.abs(samples.astype(int)) + 132) / 32 + 4).all()


@pytest.mark.parametrize("law", ["u", "", None, "A"])
def test_unknown_laws(law: str) -> None:
    with pytest.raises(ValueError, match="law is"):
        g711.encode(EVERY_SAMPLE, law)
    with pytest.raises(ValueError, match="law is"):
        g711.decode(np.zeros(1, np.uint8), law)
