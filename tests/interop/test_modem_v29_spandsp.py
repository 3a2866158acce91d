"""V.29 with SpanDSP, both ways."""

from __future__ import annotations

import numpy as np
import pytest

from faxcore import modem
from tests.interop import spandsp

pytestmark = pytest.mark.peer("spandsp")
RATES = pytest.mark.parametrize("rate", [9600, 7200, 4800])


@RATES
@pytest.mark.parametrize("tep", [False, True])
@pytest.mark.parametrize("level", [-3.0, -13.0, -30.0])
def test_we_hear_spandsp(rate: int, tep: bool, level: float) -> None:
    bits = np.random.default_rng(1).integers(0, 2, 2 * rate).astype(np.uint8)
    burst = modem.demodulate(spandsp.v29_modulate(bits, rate, tep=tep, level_dbm0=level), "v29", rate)
    assert burst.trained
    assert np.array_equal(burst.bits[: len(bits)], bits)
    assert burst.level_dbm0 == pytest.approx(level, abs=0.5)
    assert burst.evm < 0.03


@RATES
@pytest.mark.parametrize("echo", [False, True])
@pytest.mark.parametrize("level", [-6.0, -13.0, -30.0])
def test_spandsp_hears_us(rate: int, echo: bool, level: float) -> None:
    bits = np.random.default_rng(2).integers(0, 2, 2 * rate).astype(np.uint8)
    samples = modem.modulate(bits, "v29", rate, echo_protection=echo, level_dbm0=level)
    heard = spandsp.v29_demodulate(np.concatenate([np.zeros(800, np.int16), samples, np.zeros(1600, np.int16)]), rate)
    assert heard.trained
    assert np.array_equal(heard.bits[: len(bits)], bits)
