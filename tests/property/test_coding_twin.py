"""Kernels against their twins, on random and on damaged octets; what is encoded comes back."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faxcore.kernels import cpu_level, cpu_levels, native, select_cpu_level
from faxcore.kernels.twins import t4 as twin
from faxcore.kernels.twins.t4_codes import EOL, HORIZONTAL, PASS, RUN_CODES, VERTICAL, run_code
from tests.conformance.test_coding_vectors import decode, encode

SEEDS = st.integers(0, 2**32 - 1)
CODINGS = st.sampled_from([0, 1, 2])


def random_rows(rng: random.Random, width: int, height: int) -> np.ndarray:
    """Rows whose changes stay near those of the row above, or not: all modes come, and long runs too."""
    mean = rng.choice([1, 2, 5, 20, 100, 600])
    rows, edges = [], []
    for _ in range(height):
        if rng.random() < 0.4 or not rows:
            edges = []
            at = rng.choice([0, 1])
            while at < width:
                edges.append(at)
                at += 1 + int(rng.expovariate(1 / mean))
        else:
            edges = sorted({e + rng.choice([0, 0, 0, 1, -1, 2, -2, 3, -3, 4, -4]) for e in edges if rng.random() > 0.1})
        marks = np.zeros(width, np.uint8)
        marks[[e for e in edges if 0 <= e < width]] = 1
        rows.append(np.bitwise_xor.accumulate(marks))
    return np.packbits(np.array(rows, np.uint8).reshape(height, width), axis=1)


def damaged(rng: random.Random, octets: bytes) -> bytes:
    """Flipped bits, a burst, missing or added octets."""
    bits = np.unpackbits(np.frombuffer(octets, np.uint8))
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(max(len(bits), 1))
        kind = rng.randrange(4)
        if kind == 0:
            bits[at : at + 1] ^= 1
        elif kind == 1:
            bits[at : at + 40] = rng.randrange(2)
        elif kind == 2:
            bits = np.delete(bits, slice(at, at + rng.randrange(1, 60)))
        else:
            bits = np.insert(bits, min(at, len(bits)), [rng.randrange(2)] * rng.randrange(1, 40))
    return np.packbits(bits).tobytes()


def every_level() -> Iterator[str]:
    """Each CPU level of this machine in turn, and then the one that was."""
    before = cpu_level()
    for level in cpu_levels():
        select_cpu_level(level)
        yield level
    select_cpu_level(before)


def assert_same_decoded(octets: bytes, width: int, coding: int, capacity: int) -> None:
    twin_rows, twin_bad, twin_complete = decode(twin, octets, width, coding, capacity)
    for level in every_level():
        rows, bad, complete = decode(native, octets, width, coding, capacity)
        assert bad.tolist() == twin_bad.tolist(), level
        assert np.array_equal(rows, twin_rows), level
        assert complete == twin_complete, level


def assert_same_coded(rows: np.ndarray, width: int, coding: int, k: int, min_line_bits: int = 0) -> bytes:
    octets = encode(twin, rows, width, coding, k, min_line_bits)
    for level in every_level():
        assert encode(native, rows, width, coding, k, min_line_bits) == octets, level
    return octets


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.integers(1, 200), st.integers(0, 9), CODINGS, st.integers(1, 5), st.sampled_from([0, 1, 77, 300]))
def test_encoders_agree_and_round_trip(
    seed: int, width: int, height: int, coding: int, k: int, min_line_bits: int
) -> None:
    rows = random_rows(random.Random(seed), width, height)
    octets = assert_same_coded(rows, width, coding, k, min_line_bits)
    decoded, bad, complete = decode(native, octets, width, coding, height)
    assert np.array_equal(decoded, rows)
    assert not bad.any()
    assert complete


@pytest.mark.parametrize("width", [1, 63, 64, 65, 1728, 2048, 2561, 5184, 10368, 16384])
@pytest.mark.parametrize("coding", [0, 1, 2])
def test_wide_lines(width: int, coding: int) -> None:
    rows = random_rows(random.Random(width), width, 12)
    octets = assert_same_coded(rows, width, coding, 4)
    assert np.array_equal(decode(native, octets, width, coding, 99)[0], rows)


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.sampled_from([1, 24, 100, 864, 1728]), st.integers(1, 9), CODINGS)
def test_decoders_agree_on_damage(seed: int, width: int, height: int, coding: int) -> None:
    rng = random.Random(seed)
    octets = damaged(rng, encode(native, random_rows(rng, width, height), width, coding, 3))
    assert_same_decoded(octets, width, coding, rng.choice([height, 40]))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120), st.sampled_from([1, 7, 64, 1000, 1728]), CODINGS)
def test_decoders_agree_on_any_octets(octets: bytes, width: int, coding: int) -> None:
    assert_same_decoded(octets, width, coding, 50)


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.sampled_from([864, 1728]), st.sampled_from([1000, 1728, 2048]), CODINGS)
def test_decoders_agree_on_another_width(seed: int, sent: int, announced: int, coding: int) -> None:
    octets = encode(native, random_rows(random.Random(seed), sent, 5), sent, coding, 2)
    assert_same_decoded(octets, announced, coding, 20)


def random_codes(rng: random.Random, width: int, lines: int) -> bytes:
    """Lines of MMR that end where they must, coded in ways that no encoder would choose now and then."""
    bits, reference, odd = "", [width], rng.choice([0, 0.02, 0.5])
    for _ in range(lines):
        a0, changes = -1, list[int]()
        while a0 < width:
            colour = len(changes) & 1
            b1, b2 = twin._b1_b2(reference, a0, colour, width)
            near = [delta for delta in VERTICAL if a0 < b1 + delta <= (width if rng.random() < odd else b2)]
            if near and rng.random() < 0.6:
                delta = rng.choice(near)
                bits += VERTICAL[delta]
                a0 = b1 + delta
                changes.append(a0)
            elif b2 < width and rng.random() < 0.5:
                bits += PASS
                a0 = b2
            else:
                first = rng.randrange(width - max(a0, 0) + 1)
                second = rng.randrange(width - max(a0, 0) - first + 1)
                bits += HORIZONTAL + some_code(rng, first, colour, odd) + some_code(rng, second, 1 - colour, odd)
                for run in (first, second):
                    a0 = max(a0, 0) + run
                    twin._end_run(changes, run, a0)
        reference = [*(change for change in changes if change < width), width]
    bits += rng.choice(["", "", "", "0"]) + 2 * EOL + rng.choice(["", "", "", EOL, "0" * 40, "1"])
    return np.packbits([int(bit) for bit in bits]).tobytes()


def some_code(rng: random.Random, run: int, colour: int, odd: float) -> str:
    """The code of a run, at times with make-up codes that need not be."""
    parts = 64 * rng.randrange(run // 64 + 1) if rng.random() < odd else 0
    return (RUN_CODES[colour][64] * (parts // 64)) + run_code(run - parts, colour)


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.sampled_from([1, 5, 12, 70, 200, 2600, 5300]), st.integers(0, 4))
def test_decoders_tell_what_an_encoder_writes(seed: int, width: int, lines: int) -> None:
    assert_same_decoded(random_codes(random.Random(seed), width, lines), width, 2, lines + 1)


@pytest.mark.parametrize("seed", range(40))
def test_encoded_octets_are_known_as_such(seed: int) -> None:
    rng = random.Random(seed)
    width, height = rng.choice([1, 63, 64, 1728, 5300]), rng.randrange(8)
    octets = encode(native, random_rows(rng, width, height), width, 2)
    assert decode(native, octets, width, 2, height)[2] == decode(twin, octets, width, 2, height)[2] == 2
    assert decode(native, octets + b"\0\0", width, 2, 99)[2] == 2
    assert decode(native, octets + b"\0\1", width, 2, 99)[2] == 1


def horizontal(first: int, second: int, colour: int = 0) -> str:
    return HORIZONTAL + run_code(first, colour) + run_code(second, 1 - colour)


DOTS = horizontal(4, 1) + VERTICAL[0]  # a black pel at 4
OTHER_THAN_ENCODED = {
    "vertical mode where pass mode is due": DOTS + VERTICAL[3] + VERTICAL[0],
    "horizontal mode where pass mode is due": DOTS + horizontal(9, 2) + VERTICAL[0],
    "horizontal mode where vertical mode is due": DOTS + horizontal(4, 1) + VERTICAL[0],
    "make-up codes not joined": HORIZONTAL + run_code(9, 0) + 2 * RUN_CODES[1][64] + run_code(3, 1) + VERTICAL[0],
    "a black run of no pels": horizontal(9, 0) + horizontal(20, 1) + VERTICAL[0],
    "a white run of no pels": DOTS + PASS + horizontal(0, 9) + VERTICAL[0],
    "fill": DOTS + "0",
}


@pytest.mark.parametrize("bits", OTHER_THAN_ENCODED.values(), ids=OTHER_THAN_ENCODED)
def test_octets_that_no_encoder_writes(bits: str) -> None:
    width = 200
    octets = np.packbits([int(bit) for bit in bits + 2 * EOL]).tobytes()
    assert_same_decoded(octets, width, 2, 9)
    _, bad, complete = decode(native, octets, width, 2, 9)
    assert complete == 1
    assert not bad.any()
