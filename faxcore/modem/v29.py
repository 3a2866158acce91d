"""V.29 at 9600, 7200 and 4800 bit/s [V.29]; facsimile uses the first two [T.4 6]."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from faxcore.modem.scheme import Scheme, Scrambler
from faxcore.signals import Modulation

CARRIER_HZ = 1700.0  # [V.29 2.1]
SYMBOL_RATE = 2400  # [V.29 3]
ROLL_OFF = 0.25  # free; what keeps 500 and 2900 Hz 3 dB down [V.29 11]
SCRAMBLER_TAPS = (18, 23)  # [V.29 9]
GAP = 48  # segment 1, no energy [V.29 8]
ALTERNATIONS = 128  # segment 2
CONDITIONING = 384  # segment 3
CHECK = 48  # segment 4
TURN_OFF = 32  # not prescribed [V.29 5.3]; flushes the far receiver's pipeline
ECHO_TONE = 480  # 200 ms of carrier before segment 1, as T.30 terminals send it against echo suppressors

PHASE_CHANGE = {0b001: 0, 0b000: 1, 0b010: 2, 0b011: 3, 0b111: 4, 0b110: 5, 0b100: 6, 0b101: 7}
"""Q2 Q3 Q4 to the change of phase in eighths of a turn [V.29 table 1]."""

ANGLES = np.exp(2j * np.pi * np.arange(8) / 8)
INNER = np.where(np.arange(8) % 2, 2**0.5, 3) * ANGLES
OUTER = np.where(np.arange(8) % 2, 3 * 2**0.5, 5) * ANGLES
POINTS = np.round(np.concatenate([INNER, OUTER]))
"""By phase in eighths of a turn, then the same with Q1 = 1 [V.29 table 2]."""

LETTERS = {9600: (4, 8 + 7, 0, 8 + 3), 7200: (4, 7, 0, 3), 4800: (2, 3, 0, 1)}
"""The points A, B, C, D by rate [V.29 table 5]: (-3, 0) and (3, 0) for A and C; B is (3, -3), (1, -1) or (0, -3)."""


def _points(bits: int) -> NDArray[np.complex128]:
    """The points of a rate; 4800 has those of even phase alone [V.29 2.2.3]."""
    return np.asarray(POINTS[:8:2] if bits == 2 else POINTS[: 1 << bits])


def _table(bits: int) -> NDArray[np.uint8]:
    """Point by previous phase and Q1 Q2 Q3 Q4; Q2 Q3 Q4 at 7200, where Q1 is 0, and Q2 Q3 at 4800 [V.29 2.2]."""
    groups = np.arange(1 << bits)
    if bits == 2:  # Q4 makes the change a quarter turn: not (Q2 xor Q3) [V.29 2.2.3]
        quarters = np.array([PHASE_CHANGE[g << 1 | (g in (0b00, 0b11))] // 2 for g in groups.tolist()])
        return np.asarray((np.arange(4)[:, None] + quarters) % 4, np.uint8)
    changes = np.array([PHASE_CHANGE[g & 7] for g in groups.tolist()])
    return np.asarray((np.arange(8)[:, None] + changes) % 8 + (groups >> 3) * 8, np.uint8)


def conditioning_bits() -> NDArray[np.uint8]:
    """Segment 3's pseudo random sequence, 384 bits [V.29 appendix I]."""
    stages, out = [0, 1, 0, 1, 0, 1, 0], []
    for _ in range(CONDITIONING):
        out.append(stages[6])
        stages = [stages[5] ^ stages[6], *stages[:6]]
    return np.array(out, np.uint8)


@cache
def scheme(modulation: Modulation) -> Scheme:
    """V.29 at one rate. ValueError for any other modulation."""
    if modulation.name != "v29" or modulation.bit_rate not in LETTERS:
        raise ValueError(f"{modulation} is not V.29 at 9600, 7200 or 4800 bit/s")
    bits = modulation.bit_rate // SYMBOL_RATE
    a, b, c, d = LETTERS[modulation.bit_rate]
    table = _table(bits)
    return Scheme(
        modulation=modulation,
        carrier_hz=CARRIER_HZ,
        symbol_rate=SYMBOL_RATE,
        roll_off=ROLL_OFF,
        bits=bits,
        points=_points(bits),
        data_points=1 << bits,
        table=table,
        next=table & np.uint8(len(table) - 1),
        states=len(table),
        scrambler=Scrambler(0, *SCRAMBLER_TAPS),
        start=c,
        echo=np.full(ECHO_TONE, c, np.uint8),
        gap=GAP,
        alternations=np.tile(np.array([a, b], np.uint8), ALTERNATIONS // 2),
        conditioning=np.where(conditioning_bits(), d, c).astype(np.uint8),
        check=CHECK,
        turn_off=TURN_OFF,
        fitted=CONDITIONING,
    )
