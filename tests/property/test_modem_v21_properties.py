"""V.21: any frames arrive, and chunking does not matter."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from faxcore.line import Line
from faxcore.modem import v21
from faxcore.signals import FrameEnds, Octets

frames = st.lists(st.binary(min_size=2, max_size=40), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(frames, st.integers(0, 2**64 - 1), st.data())
def test_frames_arrive_in_any_chunks(sent: list[bytes], seed: int, data: st.DataObject) -> None:
    signal = np.concatenate([np.zeros(500, np.int16), v21.Transmitter(sent).pull(10**6), np.zeros(900, np.int16)])
    heard = Line(noise_dbm0=-35.0, seed=seed).direction(0).carry(signal)
    whole = v21.Receiver().push(heard)
    assert [i.data for i in whole if isinstance(i, Octets)] == sent
    assert all(i.good for i in whole if isinstance(i, FrameEnds))
    receiver = v21.Receiver()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(heard)), max_size=8)))
    assert [item for piece in np.split(heard, cuts) for item in receiver.push(piece)] == whole


def test_sample_by_sample() -> None:
    signal = np.concatenate([v21.Transmitter([b"\xff\x13\x84\x00"]).pull(10**6), np.zeros(900, np.int16)])
    receiver = v21.Receiver()
    assert [i for k in range(len(signal)) for i in receiver.push(signal[k:k + 1])] == v21.Receiver().push(signal)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 4000), max_size=8))
def test_transmitter_chunks_do_not_matter(sizes: list[int]) -> None:
    transmitter = v21.Transmitter([b"\xff\x13\x84\x00"])
    pieces = [transmitter.pull(n) for n in [*sizes, 10**6]]
    assert np.array_equal(np.concatenate(pieces), v21.Transmitter([b"\xff\x13\x84\x00"]).pull(10**6))
