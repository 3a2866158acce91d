"""Any bits give frames of at most 512 octets, good ones only with their FCS, the same from kernel and twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from faxcore import hdlc
from faxcore.kernels import native
from faxcore.kernels.twins import fsk as twin

FLAG = "01111110"


def stuffed(frame: bytes) -> str:
    bits = np.unpackbits(np.frombuffer(hdlc.with_fcs(frame), np.uint8), bitorder="little")
    return "".join(map(str, bits)).replace("11111", "111110")


pieces = st.one_of(
    st.text("01", max_size=60), st.just(FLAG), st.just(FLAG * 3), st.just("1" * 9),
    st.binary(min_size=2, max_size=40).map(lambda o: FLAG + stuffed(o) + FLAG),
    st.integers(4000, 4300).map(lambda n: "10" * (n // 2)),
)


@seed(21)
@settings(max_examples=40, deadline=None, database=None)
@given(st.lists(pieces, max_size=12).map("".join))
def test_any_bits(line: str) -> None:
    bits = np.frombuffer(line.encode(), np.uint8) - 48
    found = []
    bits = bits[:len(bits) // 8 * 8]
    octets = np.packbits(bits, bitorder="little")
    for kernels, packed in ((native, False), (native, True), (twin, False)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hdlc, "native", kernels)
            deframer = hdlc.Deframer()
            frames = deframer.push_octets(octets) if packed else deframer.push(bits)
            found.append((frames, deframer.flags_seen, deframer._state.tobytes()))
    assert found[0] == found[1] == found[2]
    for frame in found[0][0]:
        assert 2 <= len(frame.octets) <= 512
        if frame.good:
            assert stuffed(frame.octets) in line


@pytest.mark.parametrize("seed_", range(3))
def test_random_bits_are_hardly_ever_a_frame(seed_: int) -> None:
    bits = np.random.default_rng(seed_).integers(0, 2, 400_000).astype(np.uint8)
    frames = hdlc.Deframer().push(bits)
    assert len(frames) > 100
    assert sum(f.good for f in frames) <= 1
