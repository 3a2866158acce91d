"""The data loop's settings, and its state at each turn: fresh, hunting on, following a lock.

No number of a recommendation is here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from faxcore.kernels.twins import qam as layout
from faxcore.modem.acquisition import Halves, Lock, energy
from faxcore.modem.scheme import Scheme
from faxcore.modem.slip import Relock
from faxcore.units import SAMPLE_RATE, rms_of_dbm0

LOSS_RATIO = 0.1
"""A carrier whose power has fallen to this part of what it was is gone."""

PATIENCE = 60
"""Blocks that decisions may go on not to fit after no lock was found within the data; each time twice as many."""

COMMAND_BLOCKS = 450
"""Blocks after a silence, 3 s, whose decisions need not fit: most likely they are made of a command."""


@dataclass(frozen=True)
class Loops:
    """How a receiver follows its signal; none of it is prescribed anywhere."""

    carrier_gain: float = 0.02
    timing_gain: float = 0.012  # samples a symbol for a whole unit of the detector
    equaliser_gain: float = 0.03  # times 1 / (taps x power)
    loud: float = 20.0  # times the power
    energy_floor_dbm0: float = -50.0
    line_share: float = 0.6
    edge_share: float = 0.15
    blocks_a_second: int = 150
    low_blocks: int = 5
    adrift_blocks: int = 6
    adrift_share: float = 0.6  # of the error that decisions leave over where the phase is any
    relock_share: float = 0.5
    kept: int = 320
    lookahead: int = 140
    """Samples before and after the training, as the trigger saw it, that the acquisition gets."""


def fresh_state(scheme: Scheme, loops: Loops, at: int) -> NDArray[np.void]:
    state = np.frombuffer(bytearray(_octets_at_zero(scheme, loops)), layout.RECEIVER)
    state["origin"] += at
    return state


@lru_cache(maxsize=64)
def _octets_at_zero(scheme: Scheme, loops: Loops) -> bytes:
    """A fresh state as octets: those are copied at once, records field by field."""
    state = np.zeros(1, layout.RECEIVER)
    s = state[0]
    samples_a_symbol = SAMPLE_RATE / scheme.symbol_rate
    s["bits"], s["points"], s["trellis"] = scheme.bits, scheme.lane_points.shape[1], bool(scheme.trellis)
    s["states"], s["state_shift"], s["scrambler"] = scheme.states, scheme.state_shift, scheme.scrambler
    s["kept"], s["collected"] = loops.kept, math.ceil(len(scheme.known) * samples_a_symbol) + loops.lookahead
    s["symbols_a_block"], s["low_blocks"] = scheme.symbol_rate // loops.blocks_a_second, loops.low_blocks
    s["adrift_blocks"] = loops.adrift_blocks
    s["half_step"] = round(samples_a_symbol / 2 * 2**32)
    s["mean_power"] = scheme.mean_power
    # Second order loops, critically damped.
    s["carrier_gain"], s["carrier_pull"] = loops.carrier_gain, loops.carrier_gain**2 / 4
    s["timing_gain"], s["timing_pull"] = loops.timing_gain, loops.timing_gain**2 / 4
    s["carrier_step"] = 2 * math.pi * scheme.carrier_hz / SAMPLE_RATE
    s["drift_limit"] = 600e-6 * samples_a_symbol
    s["energy_floor"] = (rms_of_dbm0(loops.energy_floor_dbm0) / 2) ** 2 * layout.BLOCK  # of halves
    s["line_share"], s["edge_share"] = loops.line_share, loops.edge_share
    s["loss_ratio"] = LOSS_RATIO
    # Silence before the first sample, so that a burst may begin with it.
    silence = loops.kept + layout.BLOCK
    s["origin"], s["filled"], s["scan"] = -silence, silence, silence
    s["delay_head"] = layout.TAPS
    return state.tobytes()


def skipped(scheme: Scheme) -> int:
    """Symbols before the first that is data: the check, and as many as the trellis looks back."""
    return scheme.check + (layout.DEPTH - 1 if scheme.trellis else 0)


def hunt_on(s: np.void, scheme: Scheme) -> None:
    """The training was none: hunt on from the block after the trigger, and see when the energy goes."""
    if s["lost_energy"] == 0:
        block = s["history"][s["trigger"] + layout.BLOCK : s["trigger"] + 2 * layout.BLOCK]
        s["lost_energy"], s["quiet_blocks"] = energy(scheme, block), 0
        s["loss_ratio"] = LOSS_RATIO
    s["stage"], s["scan"], s["hits"] = layout.HUNTING, s["trigger"] + layout.BLOCK, 0


def follow(s: np.void, scheme: Scheme, lock: Lock, begin: int, loops: Loops) -> None:
    """Put a lock into the data loop; the first symbol decoded is the first one of the check."""
    s["stage"], s["lost_energy"] = layout.DATA, 0
    last = complex(scheme.known[len(scheme.known) - scheme.held - 1])
    _set_lock(s, scheme, lock, begin + lock.clock, lock.phase, last, lock.delay)
    for name in ("block_power", "block_error", "held_error", "error", "errors_counted", "symbols"):
        s[name] = 0
    for name in ("block_symbols", "low_run", "adrift_run", "pending", "pending_bits", "column", "side", "survivors"):
        s[name] = 0
    s["training_left"], s["scrambler"] = len(scheme.training), scheme.scrambler
    s["state"] = scheme.conditioning[-1] >> scheme.state_shift & (scheme.states - 1)
    s["skip"] = skipped(scheme) * scheme.bits
    # Where the line's noise is not that far below the burst, its end is a smaller fall, and decisions fit less.
    s["loss_ratio"] = min(max(LOSS_RATIO, 3 * lock.evm**2), 0.4)
    misfit = max(loops.adrift_share * scheme.slicer.at_random, 1.5 * lock.evm**2 * scheme.mean_power)
    s["adrift_error"] = misfit * float(s["symbols_a_block"])
    s["step_size"], s["loud"] = loops.equaliser_gain / (layout.TAPS * lock.front_power), loops.loud * lock.front_power


def go_on(s: np.void, scheme: Scheme, lock: Lock, found: Relock, begin: int) -> None:
    """Put a lock that was found within the data into the loop; bits go on as they come."""
    _set_lock(s, scheme, lock, begin + found.clock, found.phase, complex(scheme.points[found.last]), found.delay)
    s["state"] = found.last >> scheme.state_shift & (scheme.states - 1)


def _set_lock(
    s: np.void, scheme: Scheme, lock: Lock, clock: float, phase: complex, last: complex, delay: Halves
) -> None:
    s["clock"] = round(clock * 2**32)
    # A slip within the training looks like a clock that no far end has.
    s["drift"] = min(max(lock.drift, -float(s["drift_limit"])), float(s["drift_limit"]))
    s["phase_re"], s["phase_im"] = phase.real, phase.imag
    s["turn_re"], s["turn_im"] = lock.turn.real, lock.turn.imag
    s["last_re"], s["last_im"] = s["last_point_re"], s["last_point_im"] = last.real, last.imag
    s["power"], s["hold"], s["metric"] = scheme.mean_power, 0, 0
    s["taps_re"], s["taps_im"] = lock.taps.real, lock.taps.imag
    s["delay_re"][: layout.TAPS], s["delay_im"][: layout.TAPS] = delay.real, delay.imag
    s["delay_head"] = layout.TAPS
