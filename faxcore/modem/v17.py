"""V.17 at 14400, 12000, 9600 and 7200 bit/s [V.17]: trellis coded, with a long and a short training."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from faxcore.modem.scheme import Scheme, Scrambler
from faxcore.signals import Modulation

CARRIER_HZ = 1800.0  # [V.17 2.1]
SYMBOL_RATE = 2400  # [V.17 2.2]
ROLL_OFF = 0.25  # free; what keeps 600 and 3000 Hz 3 dB down [V.17 2.4]
SEED = Scrambler(0x2ECDD5, 18, 23)  # [V.17 4], as it is at the start of segment 2 [V.17 5.1.2]
ALTERNATIONS = 256  # segment 1 [V.17 5.1.1]
CONDITIONING = {"long": 2976, "short": 38}  # segment 2 [V.17 5.1.2]
BRIDGE = [int(bit) for bit in "0000000100010001"] * 8  # segment 3, only of the long training [V.17 5.1.3]
CHECK = 48  # segment 4 [V.17 5.1.4]
TURN_OFF = 32  # [V.17 table 7]
ECHO_TONE = 480  # 200 ms of carrier, of 185 to 200 [V.17 5.3]
ECHO_GAP = 48  # 20 ms without

A = 128
"""The numbers of the training states A, B, C, D, a quarter of a turn from one to the next."""

TRAINING_STATES = np.array([-6 - 2j, 2 - 6j, 6 + 2j, -2 + 6j])
SEGMENT_2 = {0b00: 2, 0b01: 3, 0b10: 1, 0b11: 0}  # dibit to state [V.17 5.1.2]
SEGMENT_3 = {0b00: 1, 0b01: 0, 0b10: 2, 0b11: 3}  # dibit to quarters of a turn [V.17 table 5]
START = {"long": 0b10, "short": 0b01}
"""Y1 + 2 Y2 at the start of segment 4 [V.17 5.1.4]; makers differ, and the code does not mind."""

MAPS = {
    14400: """
        -8,-3 9,2 2,-9 -3,8 8,3 -9,-2 -2,9 3,-8
        -8,1 9,-2 -2,-9 1,8 8,-1 -9,2 2,9 -1,-8
        -4,-3 5,2 2,-5 -3,4 4,3 -5,-2 -2,5 3,-4
        -4,1 5,-2 -2,-5 1,4 4,-1 -5,2 2,5 -1,-4
        4,-3 -3,2 2,3 -3,-4 -4,3 3,-2 -2,-3 3,4
        4,1 -3,-2 -2,3 1,-4 -4,-1 3,2 2,-3 -1,4
        0,-3 1,2 2,-1 -3,0 0,3 -1,-2 -2,1 3,0
        0,1 1,-2 -2,-1 1,0 0,-1 -1,2 2,1 -1,0
        8,-3 -7,2 2,7 -3,-8 -8,3 7,-2 -2,-7 3,8
        8,1 -7,-2 -2,7 1,-8 -8,-1 7,2 2,-7 -1,8
        -4,-7 5,6 6,-5 -7,4 4,7 -5,-6 -6,5 7,-4
        -4,5 5,-6 -6,-5 5,4 4,-5 -5,6 6,5 -5,-4
        4,-7 -3,6 6,3 -7,-4 -4,7 3,-6 -6,-3 7,4
        4,5 -3,-6 -6,3 5,-4 -4,-5 3,6 6,-3 -5,4
        0,-7 1,6 6,-1 -7,0 0,7 -1,-6 -6,1 7,0
        0,5 1,-6 -6,-1 5,0 0,-5 -1,6 6,1 -5,0
    """,
    12000: """
        7,1 -5,-1 -1,5 1,-7 -7,-1 5,1 1,-5 -1,7
        3,-3 -1,3 3,1 -3,-3 -3,3 1,-3 -3,-1 3,3
        7,-7 -5,7 7,5 -7,-7 -7,7 5,-7 -7,-5 7,7
        -1,-7 3,7 7,-3 -7,1 1,7 -3,-7 -7,3 7,-1
        3,5 -1,-5 -5,1 5,-3 -3,-5 1,5 5,-1 -5,3
        -1,1 3,-1 -1,-3 1,1 1,-1 -3,1 1,3 -1,-1
        -5,5 7,-5 -5,-7 5,5 5,-5 -7,5 5,7 -5,-5
        -5,-3 7,3 3,-7 -3,5 5,3 -7,-3 -3,7 3,-5
    """,
    9600: """
        -8,2 -6,-4 -4,6 2,8 8,-2 6,4 4,-6 -2,-8
        0,2 -6,4 4,6 2,0 0,-2 6,-4 -4,-6 -2,0
        0,-6 2,-4 -4,-2 -6,0 0,6 -2,4 4,2 6,0
        8,2 2,4 4,-2 2,-8 -8,-2 -2,-4 -4,2 -2,8
    """,
    7200: """
        6,-6 -2,6 6,2 -6,-6 -6,6 2,-6 -6,-2 6,6
        -2,2 6,-2 -2,-6 2,2 2,-2 -6,2 2,6 -2,-2
    """,
}
"""Figures 2 to 5: the point of each number Y0 + 2 Y1 + 4 Y2 + 8 Q3 + 16 Q4 + 32 Q5 + 64 Q6."""


def convolve(state: int, y: int) -> int:
    """The delay cells s1 + 2 s2 + 4 s3 after Y1 + 2 Y2; Y0 is s1 before the step [V.17 figure 1]."""
    s1, s2, s3, y1, y2 = state & 1, state >> 1 & 1, state >> 2, y & 1, y >> 1
    return (y2 ^ s2 ^ (y1 & s1)) | (y1 ^ y2 ^ s3 ^ (s1 & (y2 ^ s2))) << 1 | s1 << 2


TRELLIS = tuple(tuple(((state & 1) + 2 * y, convolve(state, y)) for y in range(4)) for state in range(8))


def _tables(bits: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Point and state after, by state Y1 + 2 Y2 + 4 (delay cells) and Q1 Q2 Q3 ... [V.17 2.3, table 1]."""
    points, after = np.zeros((32, 1 << bits), np.uint8), np.zeros((32, 1 << bits), np.uint8)
    for state in range(32):
        for group in range(1 << bits):
            q = [group >> (bits - 1 - i) & 1 for i in range(bits)]
            y, cells = (q[0] + 2 * q[1] + state) % 4, state >> 2
            points[state, group] = (cells & 1) + 2 * y + sum(bit << 3 + i for i, bit in enumerate(q[2:]))
            after[state, group] = y + 4 * convolve(cells, y)
    return points, after


def _points(rate: int) -> NDArray[np.complex128]:
    data = [complex(*map(float, point.split(","))) for point in MAPS[rate].split()]
    points = np.zeros(A + 4, np.complex128)
    points[: len(data)], points[A:] = data, TRAINING_STATES
    return points


def conditioning(training: str) -> tuple[NDArray[np.uint8], Scrambler]:
    """Segments 2 and 3 as numbers of points, and the scrambler after them."""
    bits, scrambler = SEED.run([1] * 2 * CONDITIONING[training])
    states = [SEGMENT_2[2 * first + second] for first, second in zip(bits[::2], bits[1::2], strict=True)]
    if training == "long":
        bits, scrambler = scrambler.run(BRIDGE)
        for first, second in zip(bits[::2], bits[1::2], strict=True):
            states.append((states[-1] + SEGMENT_3[2 * first + second]) % 4)
    return np.array(states, np.uint8) + np.uint8(A), scrambler


@cache
def scheme(modulation: Modulation) -> Scheme:
    """V.17 at one rate and with one training. ValueError for any other modulation."""
    if modulation.name != "v17" or modulation.bit_rate not in MAPS:
        raise ValueError(f"{modulation} is not V.17 at 14400, 12000, 9600 or 7200 bit/s")
    bits = modulation.bit_rate // SYMBOL_RATE
    training = "short" if modulation.short else "long"
    states, scrambler = conditioning(training)
    table, after = _tables(bits)
    return Scheme(
        modulation=modulation,
        carrier_hz=CARRIER_HZ,
        symbol_rate=SYMBOL_RATE,
        roll_off=ROLL_OFF,
        bits=bits,
        points=_points(modulation.bit_rate),
        data_points=2 << bits,
        table=table,
        next=after,
        states=4,
        state_shift=1,
        trellis=TRELLIS,
        scrambler=scrambler,
        start=START[training],
        echo=np.full(ECHO_TONE, A, np.uint8),
        echo_gap=ECHO_GAP,
        gap=0,
        alternations=np.tile(np.array([A, A + 1], np.uint8), ALTERNATIONS // 2),
        conditioning=states,
        check=CHECK,
        turn_off=TURN_OFF,
        fitted=min(len(states), 448),
    )
