"""HDLC: round trips, and chunking that does not matter."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from faxcore import hdlc

frames = st.lists(st.binary(min_size=2, max_size=300), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(frames, st.integers(1, 5), st.integers(1, 3))
def test_round_trip(sent: list[bytes], before: int, between: int) -> None:
    bits = hdlc.frame_bits(sent, preamble_flags=before, flags_between=between, flags_after=1)
    assert [(f.octets, f.good) for f in hdlc.Deframer().push(bits)] == [(f, True) for f in sent]


@settings(max_examples=60, deadline=None)
@given(st.data(), frames)
def test_chunks_do_not_matter(data: st.DataObject, sent: list[bytes]) -> None:
    bits = hdlc.frame_bits(sent, preamble_flags=2)
    bits[data.draw(st.lists(st.integers(0, len(bits) - 1), max_size=3))] ^= 1
    cuts = sorted(data.draw(st.lists(st.integers(0, len(bits)), max_size=5)))
    whole, deframer = hdlc.Deframer(), hdlc.Deframer()
    pieces = [frame for piece in np.split(bits, cuts) for frame in deframer.push(piece)]
    assert pieces == whole.push(bits)
    padded = np.resize(bits, (len(bits) + 7) // 8 * 8)
    octets = np.packbits(padded, bitorder="little")
    in_octets = hdlc.Deframer()
    assert [f for o in np.split(octets, sorted(c // 8 for c in cuts)) for f in in_octets.push_octets(o)] == (
        hdlc.Deframer().push(padded))
    assert deframer.flags_seen == whole.flags_seen
