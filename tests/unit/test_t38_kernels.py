"""The kernels of T.38 in bulk, in every compute mode, beside the packets and datagrams made one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from faxcore.hdlc import frame_bits
from faxcore.t38 import ifp, udptl
from faxcore.t38.ifp import Data, DataKind, Field, FieldType, Form

FORMS = (Form.V1998, Form.V2002)
HEAD = 0xC0 | DataKind.V17_14400 << 1


def made_frames(seed: int, sizes: list[int]) -> list[bytes]:
    rng = np.random.default_rng(seed)
    return [bytes(rng.choice([0xFF, 0x7F, 0, int(rng.integers(256))], size).astype(np.uint8)) for size in sizes]


def pack(kernel: Any, frames: list[bytes], chunk: int, form: int, raw: bool) -> tuple[list[bytes], list[int]]:
    octets = np.frombuffer(b"".join(frames), np.uint8)
    lengths = np.array([len(frame) for frame in frames], np.int32)
    most = sum(-(-len(frame) // chunk) for frame in frames)
    out, sizes = np.zeros(len(octets) + 6 * most, np.uint8), np.zeros(most, np.int32)
    bits = np.zeros(most + 1, np.int64)
    count = kernel.t38_pack(octets, lengths, chunk, HEAD, form, int(raw), out, sizes, bits)
    assert count == most
    ends = np.cumsum(sizes)
    return [bytes(out[end - size : end]) for end, size in zip(ends, sizes, strict=True)], bits.tolist()


@pytest.mark.parametrize("form", [0, 1])
@pytest.mark.parametrize("chunk", [1, 54, 300])
def test_packets_of_frames(kernel_of: Any, form: int, chunk: int) -> None:
    frames = made_frames(1, [260, 3, 1, 54, 108, 260])
    packets, bits = pack(kernel_of("t38"), frames, chunk, form, False)
    expected, at, due = [], 0, []
    for number, frame in enumerate(frames):
        # As many zeros as HDLC inserts, but for those within the FCS.
        line = len(stuffed(frame)) + 24
        assert 0 <= len(frame_bits([frame], preamble_flags=1, flags_after=1)) - 8 - line <= 4
        wire = ifp.line_order(frame)
        for begin in range(0, len(wire), chunk):
            fields = [Field(FieldType.HDLC_DATA, wire[begin : begin + chunk])]
            if begin + chunk >= len(wire) and number + 1 < len(frames):
                fields.append(Field(FieldType.HDLC_FCS_OK))
            expected.append(ifp.encode(Data(DataKind.V17_14400, tuple(fields)), FORMS[form]))
            due.append(at + line * begin // len(wire))
        at += line
    assert packets == expected
    assert bits == [*due, at]


def stuffed(octets: bytes) -> str:
    bits = "".join(f"{octet:08b}"[::-1] for octet in octets)
    return bits.replace("11111", "111110")


@pytest.mark.parametrize("form", [0, 1])
def test_packets_of_page_data(kernel_of: Any, form: int) -> None:
    (page,) = made_frames(2, [1000])
    packets, bits = pack(kernel_of("t38"), [page], 54, form, True)
    wire = ifp.line_order(page)
    assert packets == [
        ifp.encode(Data(DataKind.V17_14400, (Field(FieldType.T4_NON_ECM_DATA, wire[n : n + 54]),)), FORMS[form])
        for n in range(0, 1000, 54)
    ]
    assert bits == [*range(0, 8000, 432), 8000]


def wrap(kernel: Any, packets: list[bytes], sent: int, depth: int, limit: int, sequence: int) -> list[bytes]:
    sizes = np.array([len(packet) for packet in packets], np.int32)
    out = np.zeros((int(sizes.sum()) + 2 * len(packets)) * (depth + 1) + 4 * len(packets), np.uint8)
    out_sizes = np.zeros(len(packets) - sent, np.int32)
    octets = np.frombuffer(b"".join(packets), np.uint8)
    total = kernel.t38_wrap(octets, sizes, sent, depth, limit, sequence, out, out_sizes)
    ends = np.cumsum(out_sizes)
    assert total == out_sizes.sum()
    return [bytes(out[end - size : end]) for end, size in zip(ends, out_sizes, strict=True)]


@pytest.mark.parametrize("depth", [0, 1, 3, 15])
@pytest.mark.parametrize("limit", [230, 400, 1 << 20])
@pytest.mark.parametrize("sent", [0, 2, 15])
def test_datagrams(kernel_of: Any, depth: int, limit: int, sent: int) -> None:
    packets = made_frames(3, [*range(1, 60, 4), 200, 130, 127, 128, 5])
    sender = udptl.Sender(redundancy=depth, max_datagram=limit, first=0xFFF0)
    expected = [sender.datagram(packet) for packet in packets]
    assert wrap(kernel_of("t38"), packets, sent, depth, limit, 0xFFF0 + sent & 0xFFFF) == expected[sent:]


def unwrap(
    kernel: Any, datagrams: list[bytes], sequence: int, form: int, raw: bool
) -> tuple[int, bytes, list[int], list[int]]:
    octets = np.frombuffer(b"".join(datagrams), np.uint8)
    sizes = np.array([len(datagram) for datagram in datagrams], np.int32)
    out = np.zeros(len(octets), np.uint8)
    ends, within = np.zeros(len(datagrams), np.int32), np.zeros(len(datagrams), np.int32)
    taken, length, frames = kernel.t38_unwrap(octets, sizes, sequence, HEAD, form, int(raw), out, ends, within)
    return taken, bytes(out[:length]), ends[:frames].tolist(), within[:frames].tolist()


@pytest.mark.parametrize("form", [0, 1])
@pytest.mark.parametrize("raw", [False, True])
def test_what_was_packed_is_unpacked(kernel_of: Any, form: int, raw: bool) -> None:
    frames = made_frames(4, [260, 30, 260, 54])
    kernel = kernel_of("t38")
    packets, _ = pack(kernel, frames, 54, form, raw)
    datagrams = wrap(kernel, packets, 0, 3, 400, 0xFFFE)
    taken, octets, ends, within = unwrap(kernel, datagrams, 0xFFFE, form, raw)
    assert (taken, octets) == (len(datagrams), b"".join(frames))
    assert ends == ([] if raw else [260, 290, 550])
    assert within == ([] if raw else [4, 5, 10])
    assert unwrap(kernel, datagrams, 0xFFFD, form, raw)[0] == 0
    assert unwrap(kernel, datagrams, 0xFFFE, form, not raw)[0] == 0
    assert unwrap(kernel, [*datagrams[:7], *datagrams[8:]], 0xFFFE, form, raw)[0] == 7


@pytest.mark.parametrize("seed", range(40))
def test_hostile_datagrams_agree_with_the_twin(kernel_of: Any, seed: int) -> None:
    """What the kernels take of damaged datagrams is a prefix that the parsers read alike."""
    rng = np.random.default_rng(seed)
    kernel = kernel_of("t38")
    packets, _ = pack(kernel, made_frames(seed, [100, 40, 60]), 30, seed % 2, False)
    datagrams = [bytearray(datagram) for datagram in wrap(kernel, packets, 0, 2, 400, 7)]
    for _ in range(3):
        damaged = datagrams[int(rng.integers(len(datagrams)))]
        damaged[int(rng.integers(len(damaged)))] = int(rng.choice([0, 1, 2, 0x7F, 0x80, 0xFF, rng.integers(256)]))
    taken, octets, ends, _ = unwrap(kernel, [bytes(d) for d in datagrams], 7, seed % 2, False)
    got, closed = b"", 0
    for number, datagram in enumerate(datagrams[:taken]):
        apart = udptl.decode(bytes(datagram))
        packet = ifp.decode(apart.primary, FORMS[seed % 2])
        assert isinstance(packet, Data)
        assert apart.sequence == 7 + number
        got += ifp.line_order(packet.fields[0].octets)
        closed += len(packet.fields) == 2
    assert octets == got
    assert len(ends) == closed
