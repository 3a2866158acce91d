"""V.17 and V.27ter against the vectors: letters of the training, points of the data, and recorded bursts."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from faxcore import g711, modem
from faxcore.modem import v17, v27ter
from faxcore.modem.scheme import Encoder
from faxcore.signals import Modulation
from tests.support import vectors

V17_CASES = vectors("v17_data")["cases"]
V27_CASES = {name: case for name, case in vectors("v27ter")["cases"].items() if name.endswith("long")}


def packed(bits: str) -> bytes:
    return np.packbits(np.array([int(bit) for bit in bits], np.uint8), bitorder="little").tobytes()


def letters(training: str) -> str:
    return "".join("ABCD"[number - v17.A] for number in v17.conditioning(training)[0])


def test_v17_training() -> None:
    wanted, long = vectors("v17_training"), letters("long")
    assert long[:128] == wanted["seg2_first128"]
    assert hashlib.sha256(long[:2976].encode()).hexdigest() == wanted["seg2_all_letters_sha256"]
    assert long[2976:] == wanted["seg3_all64"]
    assert letters("short") == long[:38]
    assert {x: [z.real, z.imag] for x, z in zip("ABCD", v17.TRAINING_STATES, strict=True)} == wanted["ABCD"]


@pytest.mark.parametrize("training", ["long", "short"])
def test_v17_scrambler_after_training(training: str) -> None:
    name = {"long": "scrambler_after_long_seg3_newest_first", "short": "scrambler_after_short_seg2_newest_first"}
    register = v17.conditioning(training)[1].line
    assert "".join(str(register >> n & 1) for n in range(23)) == vectors("v17_training")[name[training]]


@pytest.mark.parametrize("name", V17_CASES)
def test_v17_data(name: str) -> None:
    case, (rate, training, variant) = V17_CASES[name], name.split("_", 2)
    scheme = v17.scheme(Modulation("v17", int(rate), short=training == "short"))
    y1, y2 = map(int, case["initial_y1y2"])
    if variant == "clause_5_1_4":
        assert scheme.start == y1 + 2 * y2
    encoder = Encoder(scheme)
    encoder._state["state"] = y1 + 2 * y2
    assert encoder.encode_ones(48).tolist() == case["seg4_index48"]
    data = list(encoder.encode(packed(case["data_bits"])))
    assert data == case["data_index"]
    assert [[z.real, z.imag] for z in scheme.points[data]] == case["data_points"]
    assert encoder.encode_ones(32).tolist() == case["turnoff_index32"]


def test_v17_maps_and_trellis() -> None:
    for rate, points in vectors("v17_maps")["maps"].items():
        scheme = v17.scheme(Modulation("v17", int(rate)))
        assert [[z.real, z.imag] for z in scheme.points[: scheme.data_points]] == points
    for cells, row in vectors("v17_trellis")["next_state_table"].items():
        state = sum(int(bit) << n for n, bit in enumerate(cells))
        for y1y2, after in row.items():
            y = int(y1y2[0]) + 2 * int(y1y2[1])
            assert v17.convolve(state, y) == sum(int(bit) << n for n, bit in enumerate(after))


@pytest.mark.parametrize("rate", v17.MAPS)
def test_v17_turned_by_a_quarter_is_v17(rate: int) -> None:
    """The same Q3 ..., Y1 Y2 three more, Y0 inverted: why no receiver needs the absolute phase [V.17 2.3]."""
    scheme = v17.scheme(Modulation("v17", rate))
    numbers = {complex(z): n for n, z in enumerate(scheme.points[: scheme.data_points])}
    for z, n in numbers.items():
        turned = numbers[z * 1j]
        assert (turned >> 3, turned & 1, (turned >> 1) % 4) == (n >> 3, 1 - (n & 1), ((n >> 1) + 3) % 4)


@pytest.mark.parametrize("name", V27_CASES)
def test_v27ter(name: str) -> None:
    case, scheme = V27_CASES[name], v27ter.scheme(Modulation("v27ter", int(name.split("_")[0])))
    eighths = 8 // scheme.data_points
    training = (np.concatenate([scheme.alternations, scheme.conditioning]) * eighths).astype(np.uint8)
    assert hashlib.sha256(training.tobytes()).hexdigest() == case["seg3_seg4_all_eighths_sha256"]
    encoder = Encoder(scheme)
    assert (encoder.encode_ones(8) * eighths).tolist() == case["seg5_eighths"]
    assert [eighths * number for number in encoder.encode(packed(case["data_bits"]))] == case["data_eighths"]
    assert (encoder.encode_ones(10) * eighths).tolist() == case["turnoff_ones_10_symbols_eighths"]


RECORDED = [
    "v27_4800_long", "v27_4800_long_impaired", "v27_2400_long", "v17_14400_long", "v17_14400_long_impaired",
    "v17_12000_long", "v17_9600_long", "v17_7200_long",
]  # fmt: skip
NAMES = {"V.17": "v17", "V.27ter": "v27ter"}


def recorded(name: str) -> tuple[dict[str, Any], npt.NDArray[np.int16]]:
    case = vectors(f"audio_{name}")
    law = np.frombuffer(base64.b64decode(case["audio_b64"]), np.uint8)
    return case, np.concatenate([g711.decode(law, "mu"), np.zeros(1600, np.int16)])


def errors(case: dict[str, Any], burst: modem.Burst) -> int:
    wanted = np.array([int(bit) for bit in case["data_bits"]])
    assert len(burst.bits) >= len(wanted)
    return int(np.sum(burst.bits[: len(wanted)] != wanted))


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_bursts(name: str) -> None:
    case, line = recorded(name)
    burst = modem.demodulate(line, NAMES[case["modem"]], case["bit_rate"])
    assert burst.trained
    assert errors(case, burst) == 0
    assert abs(burst.carrier_hz - case["carrier_offset_hz"]) < 0.1
    assert abs(burst.level_dbm0 - case["level_dbm0"]) < 0.3


def test_recorded_short_training() -> None:
    trained = modem.demodulate(recorded("v17_14400_long")[1], "v17", 14400)
    case, line = recorded("v17_14400_short")
    assert errors(case, modem.demodulate(line, "v17", 14400, trained=trained)) == 0
