"""The deframer: kernel and twin alike on everything a line may bring."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from faxcore import hdlc
from faxcore.kernels.twins import fsk as layout

FRAME = bytes.fromhex("ff1380004678")
FLAG = [0, 1, 1, 1, 1, 1, 1, 0]


def bits_of(*frames: bytes, **flags: int) -> np.ndarray:
    return hdlc.frame_bits(frames, **({"preamble_flags": 3} | flags))


@pytest.fixture
def deframer(kernel_of: Any, monkeypatch: pytest.MonkeyPatch) -> hdlc.Deframer:
    monkeypatch.setattr(hdlc, "native", kernel_of("fsk"))
    return hdlc.Deframer()


def test_frames_and_their_positions(deframer: hdlc.Deframer) -> None:
    bits = bits_of(FRAME, b"\xff\xff\xff", flags_after=1)
    frames = deframer.push(bits)
    assert [f.octets for f in frames] == [FRAME, b"\xff\xff\xff"]
    assert all(f.good for f in frames)
    assert frames[-1].at == len(bits) == deframer.position
    assert deframer.flags_seen == 5


def test_octets_packed_lsb_first(deframer: hdlc.Deframer) -> None:
    bits = bits_of(FRAME)
    assert [f.octets for f in deframer.push_octets(np.packbits(bits, bitorder="little").tobytes())] == [FRAME]


@pytest.mark.parametrize("at", range(26, 80, 5))
def test_a_false_bit_makes_a_frame_bad(deframer: hdlc.Deframer, at: int) -> None:
    bits = bits_of(FRAME, FRAME)
    bits[at] ^= 1
    frames = deframer.push(bits)
    assert not frames[0].good
    assert frames[-1] == hdlc.Frame(FRAME, True, frames[-1].at)


def test_flags_that_share_a_zero(deframer: hdlc.Deframer) -> None:
    shared = [0, *[1, 1, 1, 1, 1, 1, 0] * 6]
    bits = bits_of(FRAME, preamble_flags=1)[1:]
    assert [f.octets for f in deframer.push(np.array([*shared, *bits[7:]], np.uint8))] == [FRAME]
    assert deframer.flags_seen == 8


def test_an_abort_ends_a_frame_and_silences_until_a_flag(deframer: hdlc.Deframer) -> None:
    whole = bits_of(FRAME, preamble_flags=1, flags_after=1)
    cut = [*whole[:50], *[1] * 40]
    frames = deframer.push(np.array([*cut, *whole[8:], *whole], np.uint8))
    assert [f.good for f in frames] == [False, True]


def test_an_overlong_frame_is_bad_once(deframer: hdlc.Deframer) -> None:
    frames = deframer.push(bits_of(bytes(5000), FRAME))
    assert [(len(f.octets), f.good) for f in frames] == [(512, False), (6, True)]


def test_the_longest_frame_is_good(deframer: hdlc.Deframer) -> None:
    longest = bytes(range(256)) * 2
    assert [(f.octets, f.good) for f in deframer.push(bits_of(longest))] == [(longest, True)]


def test_less_than_32_bits_is_no_frame(deframer: hdlc.Deframer) -> None:
    for n in range(32):
        assert deframer.push(np.array([*FLAG, *[0, 1] * (n // 2), *[0] * (n % 2), *FLAG], np.uint8)) == []


def test_nothing_before_the_first_flag(deframer: hdlc.Deframer) -> None:
    assert deframer.push(bits_of(FRAME, preamble_flags=1)[5:]) == []


def test_more_frames_than_the_buffers_hold(deframer: hdlc.Deframer) -> None:
    frames = [bytes([k, 3, k]) for k in range(200)]
    assert [f.octets for f in deframer.push(bits_of(*frames))] == frames


@pytest.mark.parametrize("arguments", [
    {"frames": []}, {"frames": [b""]}, {"preamble_flags": 0}, {"flags_between": 0}, {"flags_after": 0}], ids=str)
def test_signals_that_cannot_be(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"needs at least|stands between"):
        hdlc.frame_bits(**({"frames": [FRAME], "preamble_flags": 1} | arguments))


@pytest.mark.parametrize("garbage", [None, b"abc", [1, 2], np.zeros(4, np.int32), np.zeros((2, 2), np.uint8),
                                     np.zeros(8, np.uint8)[::2], np.array(["a"])], ids=repr)
def test_garbage_at_the_door(garbage: object) -> None:
    if isinstance(garbage, bytes):
        assert hdlc.Deframer().push(garbage) == []  # type: ignore[arg-type]
        return
    with pytest.raises((TypeError, ValueError)):
        hdlc.Deframer().push(garbage)  # type: ignore[arg-type]


def test_the_kernel_refuses_states_and_buffers_that_are_not_its_own() -> None:
    from faxcore.kernels import native

    out = hdlc.EventBuffer()
    bits = np.zeros(8, np.uint8)
    for field, value in (("bits", 10**6), ("bits", -5), ("ones", 9), ("position", -1)):
        state = layout.hdlc_state()
        state[field] = value
        with pytest.raises(ValueError, match="state"):
            native.hdlc_deframe(state, bits, 0, 0, out.events, out.octets)
    state = layout.hdlc_state()
    for events, octets, start in ((out.events[:1], out.octets, 0), (out.events, out.octets[:100], 0),
                                  (out.events, out.octets, 9), (out.events, out.octets, -1)):
        with pytest.raises(ValueError, match=r"room|start"):
            native.hdlc_deframe(state, bits, 0, start, events, octets)
    with pytest.raises(TypeError):
        native.hdlc_deframe(np.zeros(1, layout.EVENT), bits, 0, 0, out.events, out.octets)


@pytest.mark.parametrize("kind", ["random", "ones", "zeros", "runs"])
def test_framing(kernel_of: Any, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Frames of every length, each after frames that end anywhere within an octet; zeros after five ones."""
    monkeypatch.setattr(hdlc, "native", kernel_of("fsk"))
    rng = np.random.default_rng(7)
    pool = {"random": np.arange(256), "ones": [255], "zeros": [0], "runs": [0x1F, 0xF8, 0x0F, 0xF0, 0x3E, 0xFF, 0x80]}
    frames = [rng.choice(pool[kind], n).astype(np.uint8).tobytes() for n in (*range(1, 40), 260)]
    bits = "".join(map(str, hdlc.frame_bits(frames, preamble_flags=3, flags_between=2, flags_after=1)))
    expected = []
    for frame in frames:
        sent = np.unpackbits(np.frombuffer(hdlc.with_fcs(frame), np.uint8), bitorder="little")
        expected.append("".join(map(str, sent)).replace("11111", "111110"))
    flag = "01111110"
    assert bits == flag * 3 + (flag * 2).join(expected) + flag
    octets, count = hdlc.frame_octets(frames, preamble_flags=3, flags_between=2, flags_after=1)
    assert count == len(bits)
    assert [f.octets for f in hdlc.Deframer().push_octets(octets) if f.good] == [f for f in frames if len(f) > 1]
