"""V.21 channel 2, HDLC and the tones of T.30, one bit and one sample at a time: the definition of native/fsk.c."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

LONGEST = 514
"""Octets of the longest frame, FCS included."""

HDLC = np.dtype(
    [("position", "i8"), ("flags_seen", "i8"), ("ones", "i4"), ("bits", "i4"), ("flags", "i4"), ("octet", "u4"),
     ("frame", "u1", LONGEST + 2), ("pad", "u1", 4)]
)
EVENT = np.dtype([("at", "i8"), ("kind", "i4"), ("length", "i4")])
FSK = np.dtype(
    [("position", "i8"), ("sums", "i4", 4), ("energy", "i4"), ("clock", "i4"), ("mark", "i4"), ("presence", "i4"),
     ("open", "i4"), ("begun", "i4"), ("window", "i2", 27), ("before", "i2", 2), ("pad", "i2", 3), ("hdlc", HDLC)]
)
TONES = np.dtype(
    [("position", "i8"), ("energy", "i8"), ("sums", "i4", 4), ("filled", "i4"), ("score", "i4", 2), ("heard", "i4", 2),
     ("before", "i2", 2)]
)

GOOD_FRAME, BAD_FRAME, BEGINS, ENDS, CNG, CED = range(1, 7)

Bytes = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.int16]
Array = npt.NDArray[Any]


_HDLC_AT_ZERO, _FSK_AT_ZERO = np.zeros(1, HDLC), np.zeros(1, FSK)
_HDLC_AT_ZERO["ones"], _HDLC_AT_ZERO["bits"] = 7, -1
_FSK_AT_ZERO["hdlc"] = _HDLC_AT_ZERO
_HDLC_OCTETS, _FSK_OCTETS = _HDLC_AT_ZERO.tobytes(), _FSK_AT_ZERO.tobytes()
_PLAIN = {size: np.dtype(f"V{size}") for size in (HDLC.itemsize, EVENT.itemsize, FSK.itemsize, TONES.itemsize)}


def plain(array: Array) -> Array:
    """The same memory as items without fields: NumPy describes those to a kernel in a fraction of the time."""
    return array.view(_PLAIN[array.itemsize])


def hdlc_state() -> Array:
    """The state of a deframer that has seen nothing."""
    return np.frombuffer(bytearray(_HDLC_OCTETS), HDLC)


def fsk_state(at: int) -> Array:
    """The state of a V.21 receiver whose first sample has the line time `at`."""
    state = np.frombuffer(bytearray(_FSK_OCTETS), FSK)
    state["position"] = at
    return state


def tone_state(at: int) -> Array:
    """The state of a tone detector whose first sample has the line time `at`."""
    state = np.zeros(1, TONES)
    state["position"] = at
    return state


class _Out:
    """The caller's arrays of events and octets, filled from the front."""

    def __init__(self, events: Array, octets: Bytes | None = None) -> None:
        self.events, self.octets, self.count, self.used = events.view(EVENT), octets, 0, 0

    def may_overflow(self) -> bool:
        return self.count + 4 > len(self.events) or (
            self.octets is not None and self.used + LONGEST > len(self.octets))

    def emit(self, at: int, kind: int, octets: Bytes | None = None) -> None:
        length = 0
        if octets is not None and self.octets is not None:
            length = len(octets)
            self.octets[self.used:self.used + length] = octets
        self.events[self.count] = (at, kind, length)
        self.count, self.used = self.count + 1, self.used + length


# HDLC


def _fcs(octets: Bytes) -> int:
    fcs = 0xFFFF
    for octet in octets.tolist():
        fcs ^= octet
        for _ in range(8):
            fcs = fcs >> 1 ^ (0x8408 if fcs & 1 else 0)
    return fcs


def _fcs_is_good(octets: Bytes) -> bool:
    return _fcs(octets) == 0xF0B8


def hdlc_frame(octets: Bytes, lengths: npt.NDArray[np.int32], before: int, between: int, after: int, out: Bytes) -> int:
    """Flags and frames as packed line bits, a zero after each five ones of a frame and its FCS."""
    parts = []
    for frame in np.split(octets, np.cumsum(lengths[:-1])):
        whole = np.append(frame, np.array([~_fcs(frame) & 0xFFFF], "<u2").view(np.uint8))
        bits = "".join(map(str, np.unpackbits(whole, bitorder="little")))
        parts.append(bits.replace("11111", "111110"))
    flag = "01111110"
    line = flag * before + (flag * between).join(parts) + flag * after
    packed = np.packbits(np.array(list(line), np.uint8), bitorder="little")
    out[: len(packed)] = packed
    return len(line)


def _end_frame(hdlc: Any, bits: int, whole: bool, at: int, out: _Out) -> None:
    if bits < 32:
        return
    octets = hdlc["frame"][:bits // 8]
    good = whole and bits % 8 == 0 and _fcs_is_good(octets)
    out.emit(at, GOOD_FRAME if good else BAD_FRAME, octets[:-2])


def _give_up(hdlc: Any, bits: int, at: int, out: _Out) -> None:
    _end_frame(hdlc, bits, False, at, out)
    hdlc["bits"], hdlc["flags"] = -1, 0


def _append(hdlc: Any, bit: int, at: int, out: _Out) -> None:
    if hdlc["bits"] < 0:
        return
    hdlc["octet"] = int(hdlc["octet"]) >> 1 | bit << 7
    hdlc["bits"] += 1
    if hdlc["bits"] % 8:
        return
    if hdlc["bits"] > 8 * LONGEST:
        _give_up(hdlc, 8 * LONGEST, at, out)
    else:
        hdlc["frame"][hdlc["bits"] // 8 - 1] = hdlc["octet"] & 0xFF


def _flag(hdlc: Any, at: int, out: _Out) -> None:
    bits = int(hdlc["bits"])
    _end_frame(hdlc, bits - 6, True, at, out)
    hdlc["flags"] = hdlc["flags"] + 1 if bits in (5, 6) else 1
    hdlc["flags_seen"] += 1
    hdlc["bits"] = 0


def _bit(hdlc: Any, bit: int, at: int, out: _Out) -> None:
    """Five ones and a zero: data, the zero is dropped; six and a zero: a flag; seven: an abort."""
    if bit:
        hdlc["ones"] = min(hdlc["ones"] + 1, 7)
        if hdlc["ones"] <= 5:
            _append(hdlc, 1, at, out)
        elif hdlc["ones"] == 7 and hdlc["bits"] >= 0:
            _give_up(hdlc, int(hdlc["bits"]) - 6, at, out)
        return
    if hdlc["ones"] == 6:
        _flag(hdlc, at, out)
    elif hdlc["ones"] < 5:
        _append(hdlc, 0, at, out)
    hdlc["ones"] = 0


def hdlc_deframe(
    state: Array, data: Bytes, packed: int, start: int, events: Array, octets: Bytes
) -> tuple[int, int]:
    """Take bits of `data` from index `start`; the bits taken and the events written."""
    hdlc, out = state.view(HDLC)[0], _Out(events, octets)
    bits = np.unpackbits(data, bitorder="little") if packed else data & 1
    taken = 0
    for bit in bits[start:].tolist():
        if out.may_overflow():
            break
        hdlc["position"] += 1
        _bit(hdlc, bit, int(hdlc["position"]), out)
        taken += 1
    return taken, out.count


# The line without direct current


def _without_dc(before: Array, sample: int) -> int:
    """Half of a sample less the one two before it."""
    change = (sample - int(before[0])) >> 1
    before[:] = before[1], sample
    return change


# V.21 channel 2

WINDOW = 27
BIT = 5120
PRESENT, OPEN_AT, FLAGS_WANTED = 160, 80, 3
FLOOR_ON, FLOOR_OFF, IN_BAND = 12312, 6940, 7604


def _turn(scale: int, per_sample: int, of: int, at: int) -> tuple[int, int]:
    """Cosine and sine of `per_sample` / `of` turns a sample at one sample, rounded to whole parts of `scale`."""
    angle = 2 * math.pi * (per_sample * at % of) / of
    return round(scale * math.cos(angle)), round(scale * math.sin(angle))


_CARRIERS = np.array([_turn(2048, 33, 160, k) + _turn(2048, 37, 160, k) for k in range(160)], np.int32)


def _fsk_bit(fsk: Any, bit: int, out: _Out) -> None:
    hdlc, at = fsk["hdlc"], int(fsk["position"])
    if fsk["begun"]:
        _bit(hdlc, bit, at, out)
        return
    _bit(hdlc, bit, at, _Out(np.zeros(4, EVENT), np.zeros(LONGEST, np.uint8)))
    if hdlc["flags"] >= FLAGS_WANTED:
        fsk["begun"] = 1
        out.emit(at, BEGINS)


def _clock(fsk: Any, mark: int, out: _Out) -> None:
    """A quarter of the timing error goes at each transition: there the window is half in the new bit."""
    if mark != fsk["mark"]:
        fsk["clock"] -= (int(fsk["clock"]) - BIT // 2) >> 2
    fsk["mark"] = mark
    fsk["clock"] += BIT * 3 // 80
    if fsk["clock"] >= BIT:
        fsk["clock"] -= BIT
        _fsk_bit(fsk, mark, out)


def _open(fsk: Any) -> None:
    fsk["open"], fsk["clock"] = 1, 0
    fsk["hdlc"]["ones"], fsk["hdlc"]["bits"], fsk["hdlc"]["flags"] = 7, -1, 0


def _close(fsk: Any, out: _Out) -> None:
    fsk["open"] = 0
    if not fsk["begun"]:
        return
    fsk["begun"] = 0
    _give_up(fsk["hdlc"], int(fsk["hdlc"]["bits"]), int(fsk["position"]), out)
    out.emit(int(fsk["position"]), ENDS)


def _judge(fsk: Any, out: _Out) -> None:
    """Both powers in single precision, of 23-bit correlations; in band if 0.55 of what a pure tone would have."""
    parts = (fsk["sums"] >> 8).astype(np.float32)
    squares = parts * parts
    mark, space = squares[0] + squares[1], squares[2] + squares[3]
    energy = int(fsk["energy"])
    loud = energy > (FLOOR_OFF if fsk["open"] else FLOOR_ON)
    in_band = loud and mark + space > np.float32(IN_BAND) * np.float32(energy)
    fsk["presence"] = min(fsk["presence"] + 1, PRESENT) if in_band else max(fsk["presence"] - 1, 0)
    if not fsk["open"]:
        if fsk["presence"] >= OPEN_AT:
            _open(fsk)
    elif fsk["presence"] == 0:
        _close(fsk, out)
    else:
        _clock(fsk, int(mark > space), out)


def fsk_receive(state: Array, samples: Samples, start: int, events: Array, octets: Bytes) -> tuple[int, int]:
    """Take samples from index `start`; the samples taken and the events written."""
    fsk, out = state.view(FSK)[0], _Out(events, octets)
    taken = 0
    for sample in samples[start:].tolist():
        if out.may_overflow():
            break
        at, left, comes = int(fsk["position"]), int(fsk["window"][0]), _without_dc(fsk["before"], sample)
        fsk["window"] = [*fsk["window"][1:], comes]
        fsk["sums"] += comes * _CARRIERS[at % 160] - left * _CARRIERS[(at - WINDOW) % 160]
        fsk["energy"] += (comes * comes >> 4) - (left * left >> 4)
        fsk["position"] += 1
        _judge(fsk, out)
        taken += 1
    return taken, out.count


# CNG and CED

BLOCK = 40
TONE_FLOOR, TONE_SHARE = 260000, 60
SURE = (64, 80)

_TONES = np.array([_turn(1024, 11, 80, k) + _turn(1024, 21, 80, k) for k in range(BLOCK)], np.int32)


def _tone_block(tone: Any, out: _Out) -> None:
    for k in range(2):
        re, im = (int(s) >> 4 for s in tone["sums"][2 * k:2 * k + 2])
        energy = int(tone["energy"])
        hit = energy > TONE_FLOOR and (re * re + im * im) * 100 > energy * TONE_SHARE * 20 * 4096
        score = min(max(int(tone["score"][k]) + (1 if hit else -4), 0), SURE[k])
        if score == SURE[k] and not tone["heard"][k]:
            out.emit(int(tone["position"]), CNG + k)
        tone["heard"][k] = score == SURE[k] or (tone["heard"][k] and score > 0)
        tone["score"][k] = score
    tone["sums"], tone["energy"], tone["filled"] = 0, 0, 0


def tone_detect(state: Array, samples: Samples, start: int, events: Array) -> tuple[int, int]:
    """Take samples from index `start`; the samples taken and the events written."""
    tone, out = state.view(TONES)[0], _Out(events)
    taken = 0
    for sample in samples[start:].tolist():
        if out.may_overflow():
            break
        comes = _without_dc(tone["before"], sample)
        tone["sums"] += comes * _TONES[tone["filled"]]
        tone["energy"] += comes * comes
        tone["filled"] += 1
        tone["position"] += 1
        if tone["filled"] == BLOCK:
            _tone_block(tone, out)
        taken += 1
    return taken, out.count
