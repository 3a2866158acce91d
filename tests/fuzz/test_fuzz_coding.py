"""Any octets give a page: exact row counts, bounded output, nothing raised, whatever is sent."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from faxcore.coding import decode, encode
from faxcore.page import FINE, Page
from tests.property.test_coding_twin import damaged, random_rows

CODINGS = st.sampled_from(["mh", "mr", "mmr"])
WIDTHS = st.one_of(st.sampled_from([1, 8, 1728, 2048, 2432, 16384]), st.integers(1, 16384))
ROWS = st.one_of(st.none(), st.integers(0, 300))


def check(octets: bytes, coding: str, width: int, rows: int | None, max_rows: int) -> None:
    result = decode(octets, coding, width, FINE, rows=rows, max_rows=max_rows)
    height = result.page.height
    assert result.page.width == width
    assert height == rows if rows is not None else height <= min(max_rows, 8 * len(octets))
    assert 0 <= result.longest_bad_run <= result.bad_rows <= height
    assert (result.longest_bad_run == 0) == (result.bad_rows == 0)
    if width % 8:
        assert not (result.page.rows[:, -1] & (0xFF >> width % 8)).any()
    again = decode(octets, coding, width, FINE, rows=rows, max_rows=max_rows)
    assert again == result


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.binary(max_size=2000), CODINGS, WIDTHS, ROWS, st.integers(0, 5000))
def test_any_octets(octets: bytes, coding: str, width: int, rows: int | None, max_rows: int) -> None:
    check(octets, coding, width, rows, max_rows)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), CODINGS, WIDTHS, st.integers(1, 30), ROWS)
def test_damaged_pages(seed: int, coding: str, width: int, height: int, rows: int | None) -> None:
    rng = random.Random(seed)
    octets = encode(Page(random_rows(rng, width, height), width, FINE), coding, k=rng.randrange(1, 6))
    check(damaged(rng, octets), coding, width, rows, 1 << 16)
    check(octets, coding, rng.choice([width, 1728, 2048]), rows, 1 << 16)


def test_one_bit_patterns() -> None:
    """Octets that repeat: all of one kind of code for a whole page."""
    for octet in range(256):
        for coding in ("mh", "mr", "mmr"):
            check(bytes([octet]) * 300, coding, 1728, None, 1 << 16)
            check(np.full(300, octet, np.uint8).tobytes() + b"\x00\x80", coding, 24, 50, 1 << 16)
