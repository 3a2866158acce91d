"""V.27ter at 4800 and 2400 bit/s [V.27ter], with the long training that facsimile uses [T.4 5.1]."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from faxcore.modem.scheme import Scheme, Scrambler
from faxcore.signals import Modulation

CARRIER_HZ = 1800.0  # [V.27ter 2.1]
SYMBOL_RATES = {4800: 1600, 2400: 1200}  # [V.27ter 2.3, 2.4]
ROLL_OFF = 0.5  # half of a raised cosine of 50 % at each end [V.27ter 2.1.1]
REVERSALS = 50  # segment 3 [V.27ter 2.5.1, table 3]
CONDITIONING = 1074  # segment 4
CHECK = 8  # segment 5
ECHO_TONE_S, ECHO_GAP_S = 0.195, 0.0225  # segments 1 and 2, of 185 to 200 and 20 to 25 ms
TURN_OFF_S = 0.01  # of 5 to 10 ms [V.27ter 2.5.2, table 5]

SEED = Scrambler(0x3C, 6, 7, guard=33, guard_taps=(8, 9, 12))
"""The scrambler with its guard against patterns that repeat [V.27ter 9, appendix I], as segment 4 begins."""

PHASE_CHANGE = {
    4800: {0b001: 0, 0b000: 1, 0b010: 2, 0b011: 3, 0b111: 4, 0b110: 5, 0b100: 6, 0b101: 7},
    2400: {0b00: 0, 0b01: 1, 0b11: 2, 0b10: 3},
}
"""Change of phase in eighths and in quarters of a turn [V.27ter tables 1 and 2]."""


def conditioning(half_turn: int) -> tuple[NDArray[np.uint8], Scrambler]:
    """Segment 4: every third bit of scrambled ones turns the phase by half a turn; and the scrambler after it."""
    bits, scrambler = SEED.run([1] * 3 * CONDITIONING)
    turned = np.cumsum(np.array(bits[::3], np.uint8)) % 2
    return (turned * half_turn).astype(np.uint8), scrambler


@cache
def scheme(modulation: Modulation) -> Scheme:
    """V.27ter at one rate. ValueError for any other modulation."""
    if modulation.name != "v27ter" or modulation.bit_rate not in PHASE_CHANGE:
        raise ValueError(f"{modulation} is not V.27ter at 4800 or 2400 bit/s")
    rate = SYMBOL_RATES[modulation.bit_rate]
    bits = modulation.bit_rate // rate
    phases = 1 << bits
    changes = np.array([PHASE_CHANGE[modulation.bit_rate][group] for group in range(phases)])
    table = np.asarray((np.arange(phases)[:, None] + changes) % phases, np.uint8)
    turned, scrambler = conditioning(phases // 2)
    return Scheme(
        modulation=modulation,
        carrier_hz=CARRIER_HZ,
        symbol_rate=rate,
        roll_off=ROLL_OFF,
        bits=bits,
        points=np.exp(2j * np.pi * np.arange(phases) / phases),
        data_points=phases,
        table=table,
        next=table,
        states=phases,
        scrambler=scrambler,
        start=int(turned[-1]),
        echo=np.zeros(round(ECHO_TONE_S * rate), np.uint8),
        echo_gap=round(ECHO_GAP_S * rate),
        gap=0,
        alternations=np.tile(np.array([phases // 2, 0], np.uint8), REVERSALS // 2),
        conditioning=turned,
        check=CHECK,
        turn_off=round(TURN_OFF_S * rate),
        fitted={4800: 448, 2400: 320}[modulation.bit_rate],
    )
