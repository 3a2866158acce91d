"""V.29 against vectors made by an independent model and checked with another receiver."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from faxcore import g711, modem
from faxcore.modem import qam, v29
from faxcore.modem.scheme import Encoder, Scheme
from faxcore.signals import Modulation
from tests.support import vectors

RATES = ("9600", "7200", "4800")
BURSTS = ("audio_v29_9600", "audio_v29_7200", "audio_v29_9600_impaired")


def case(rate: str) -> tuple[Scheme, Any]:
    return v29.scheme(Modulation("v29", int(rate))), vectors("v29")["cases"][rate]


def points(pairs: list[list[float]]) -> npt.NDArray[np.complex128]:
    return np.array([complex(*pair) for pair in pairs])


def octets(bits: str) -> bytes:
    return np.packbits([int(bit) for bit in bits], bitorder="little").tobytes()


@pytest.mark.parametrize("rate", RATES)
def test_training_symbols(rate: str) -> None:
    scheme, wanted = case(rate)
    letters = dict(zip("ABCD", points([wanted[letter] for letter in "ABCD"]), strict=True))
    assert np.allclose(scheme.points[scheme.alternations], [letters["A"], letters["B"]] * 64)
    first = [letters[letter] for letter in wanted["seg3_first64_letters"]]
    assert np.allclose(scheme.points[scheme.conditioning[:64]], first)
    assert scheme.mean_power == pytest.approx(wanted["mean_power"])
    assert "".join(map(str, v29.conditioning_bits())) == vectors("scramblers")["v29_segment3_generator"]["output_384"]


@pytest.mark.parametrize("rate", RATES)
def test_check_and_data_points(rate: str, kernel_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qam, "native", kernel_of("qam"))
    scheme, wanted = case(rate)
    encoder = Encoder(scheme)
    assert np.allclose(scheme.points[encoder.encode_ones(48)], points(wanted["seg4_points"]))
    data = np.frombuffer(encoder.encode(octets(wanted["data_bits"])), np.uint8)
    assert np.allclose(scheme.points[data], points(wanted["data_points"]))


@pytest.mark.parametrize("name", BURSTS)
def test_audio(name: str, kernel_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qam, "native", kernel_of("qam"))
    wanted = vectors(name)
    samples = g711.decode(np.frombuffer(base64.b64decode(wanted["audio_b64"]), np.uint8), "mu")
    burst = modem.demodulate(samples, "v29", wanted["bit_rate"])
    assert burst.trained
    assert "".join(map(str, burst.bits)).startswith(wanted["data_bits"])
    assert burst.level_dbm0 == pytest.approx(wanted["level_dbm0"], abs=0.2)
    assert burst.carrier_hz == pytest.approx(wanted.get("carrier_offset_hz") or 0, abs=0.3)
    assert abs(burst.clock_ppm) == pytest.approx(wanted.get("clock_error_ppm") or 0, abs=15)
    assert burst.snr_db == pytest.approx(wanted.get("snr_db_0_4khz") or 36.5, abs=1.5)
