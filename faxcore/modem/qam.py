"""Carriers with amplitude and phase: transmitter and receiver for any scheme of points, pulse and training.

No number of a recommendation is here; a Scheme brings them all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from faxcore.kernels import native
from faxcore.kernels.twins import qam as layout
from faxcore.modem.acquisition import Lock, acquire
from faxcore.signals import CarrierQuality, Modulation, Octets, SignalBegins, SignalEnds, SignalItem
from faxcore.units import SAMPLE_RATE, dbm0_of_rms, rms_of_dbm0

SILENCE = 255
"""The point number that sends nothing."""

LOSS_RATIO = 0.1
"""A carrier whose power has fallen to this part of what it was is gone."""

PULSE_SYMBOLS = 12
"""Symbols from the beginning of a pulse to its peak."""


def root_raised_cosine(t: NDArray[np.float64], roll_off: float) -> NDArray[np.float64]:
    """Root raised cosine pulse at times `t` in symbols, of unit energy per symbol."""
    t = np.asarray(t, np.float64)
    edge = 4 * roll_off * t
    with np.errstate(divide="ignore", invalid="ignore"):
        pulse = (np.sin(np.pi * t * (1 - roll_off)) + edge * np.cos(np.pi * t * (1 + roll_off))) / (
            np.pi * t * (1 - edge**2)
        )
    pulse[np.isclose(t, 0)] = 1 - roll_off + 4 * roll_off / np.pi
    at_edge = np.isclose(np.abs(edge), 1)
    angle = np.pi / (4 * roll_off)
    pulse[at_edge] = roll_off / math.sqrt(2) * ((1 + 2 / np.pi) * math.sin(angle) + (1 - 2 / np.pi) * math.cos(angle))
    return pulse


@dataclass(frozen=True, eq=False)
class Scheme:
    """All that tells one modulation at one rate from another.

    `table[state][group]` is the number of the point sent for a group of scrambled bits (first in time most
    significant); its low bits are the next state. The scrambler is 1 + x^-taps[0] + x^-taps[1], zero at the
    start of the check. Training is point numbers: `echo` (optional, before all), `gap` symbols of silence,
    `alternations`, `conditioning`, then the check: `check` symbols of scrambled ones coded as data.
    """

    modulation: Modulation
    carrier_hz: float
    symbol_rate: int
    roll_off: float
    bits: int
    points: NDArray[np.complex128]
    table: NDArray[np.uint8]
    taps: tuple[int, int]
    echo: NDArray[np.uint8]
    gap: int
    alternations: NDArray[np.uint8]
    conditioning: NDArray[np.uint8]
    check: int
    turn_off: int

    @cached_property
    def mean_power(self) -> float:
        """Mean power of the points that carry data."""
        return float(np.mean(np.abs(self.points) ** 2))

    @cached_property
    def check_symbols(self) -> NDArray[np.uint8]:
        """The scrambled ones that end the training."""
        return Encoder(self).encode_ones(self.check)

    @cached_property
    def known(self) -> NDArray[np.complex128]:
        """All points of the training, from the first alternation to the end of the check."""
        return np.take(self.points, np.concatenate([self.alternations, self.conditioning, self.check_symbols]))

    @cached_property
    def groups(self) -> NDArray[np.uint8]:
        """The inverse of `table`: group by state and point, points padded to whole lanes."""
        inverse = np.zeros((len(self.table), self.lane_points.shape[1]), np.uint8)
        for state, row in enumerate(self.table):
            inverse[state, row] = np.arange(len(row))
        return inverse

    @cached_property
    def lane_points(self) -> NDArray[np.float32]:
        """Points as (real, imaginary) rows; spare lanes are too far away to be the nearest."""
        lanes = np.full((2, -(-len(self.points) // 16) * 16), 1e6, np.float32)
        lanes[:, : len(self.points)] = self.points.real, self.points.imag
        return lanes

    @cached_property
    def symbols_a_sample(self) -> Fraction:
        return Fraction(self.symbol_rate, SAMPLE_RATE)

    @cached_property
    def pulses(self) -> NDArray[np.float32]:
        """Weights of the last symbols in each sample of the pattern's period, carrier included."""
        step = self.symbols_a_sample
        carrier = Fraction(self.carrier_hz).limit_denominator() / SAMPLE_RATE
        n = np.arange(math.lcm(step.denominator, carrier.denominator))
        fraction = (n * step.numerator % step.denominator) / step.denominator
        age = np.arange(2 * PULSE_SYMBOLS - 1, -1, -1)
        pulse = root_raised_cosine(fraction[:, None] + age - PULSE_SYMBOLS, self.roll_off)
        wave = pulse * np.exp(2j * np.pi * float(carrier) * n)[:, None]
        return np.ascontiguousarray(np.stack([wave.real, -wave.imag], -1).reshape(len(n), -1), np.float32)

    @cached_property
    def bank(self) -> NDArray[np.float32]:
        """Matched filters for each place between two samples; the carrier stays on."""
        place = np.arange(layout.PHASES)[:, None] / layout.PHASES
        t = np.arange(layout.FRONT) - (layout.FRONT // 2 - 1) - place
        step = float(self.symbols_a_sample)
        window = np.cos(np.pi * t / (layout.FRONT + 1)) ** 0.5
        wave = (
            step
            * window
            * root_raised_cosine(t * step, self.roll_off)
            * np.exp(-2j * np.pi * self.carrier_hz / SAMPLE_RATE * t)
        )
        return np.ascontiguousarray(np.stack([wave.real, wave.imag], 1), np.float32)

    @cached_property
    def lines(self) -> NDArray[np.float32]:
        """Correlators for the three lines of the alternations: carrier, lower and upper band edge."""
        edge = self.symbol_rate / 2
        t = 2 * np.pi * np.arange(layout.BLOCK) / SAMPLE_RATE
        waves = [w(t * (self.carrier_hz + offset)) for offset in (0, -edge, edge) for w in (np.cos, np.sin)]
        return np.ascontiguousarray(waves, np.float32)


class Encoder:
    """Scrambler and coder of one burst: octets (first bit least significant) to point numbers."""

    def __init__(self, scheme: Scheme) -> None:
        self._scheme = scheme
        self._state = np.zeros(1, layout.CODER)
        self._state["bits"], self._state["state_mask"] = scheme.bits, len(scheme.table) - 1
        self._state["tap_near"], self._state["tap_far"] = scheme.taps
        self._octets = self._state.view(np.uint8)

    def encode(self, octets: bytes) -> bytes:
        symbols = bytearray(len(octets) * 8 // self._scheme.bits + 1)
        made = native.qam_encode(self._octets, self._scheme.table, octets, symbols)
        return bytes(symbols[:made])

    def encode_ones(self, symbols: int) -> NDArray[np.uint8]:
        """A whole number of symbols from ones; what is pending is padded with ones and counts as one symbol more."""
        symbols += bool(self._state["pending_bits"][0])
        ones = self.encode(b"\xff" * (-(-symbols * self._scheme.bits // 8)))
        return np.frombuffer(ones, np.uint8)[:symbols]


class Transmitter:
    """One burst: training, the octets fed, turn-off; in any chunks the same samples.

    The first symbol peaks PULSE_SYMBOLS symbols after the first sample. `level_dbm0` is the mean level.
    """

    def __init__(self, scheme: Scheme, *, level_dbm0: float = -13.0, echo_protection: bool = False) -> None:
        if not -60 <= level_dbm0 <= 0:
            raise ValueError(f"level_dbm0 is {level_dbm0}, outside -60 to 0")
        self._scheme = scheme
        self._encoder = Encoder(scheme)
        self._points = np.zeros((256, 2), np.float32)
        # A sample's mean power is half that of the points: the pulse has unit energy a symbol.
        scaled = scheme.points * (rms_of_dbm0(level_dbm0) * math.sqrt(2 / scheme.mean_power))
        self._points[: len(scheme.points)] = np.stack([scaled.real, scaled.imag], -1)
        self._symbols = bytearray(scheme.echo.tobytes() if echo_protection else b"")
        self._symbols += bytes([SILENCE]) * scheme.gap + scheme.alternations.tobytes() + scheme.conditioning.tobytes()
        self._symbols += self._encoder.encode_ones(scheme.check).tobytes()
        self._up, self._down = scheme.symbols_a_sample.as_integer_ratio()
        self._forgotten = 0
        self._sent = 0
        self._finished = False

    def feed(self, octets: bytes) -> None:
        """Octets to send, the first bit on the line least significant. ValueError after `finish()`."""
        if self._finished:
            raise ValueError("the burst was finished, it takes no more octets")
        self._symbols += self._encoder.encode(octets)

    def finish(self) -> None:
        """No more octets: the last symbol is filled with ones and the turn-off follows."""
        if not self._finished:
            self._symbols += self._encoder.encode_ones(self._scheme.turn_off).tobytes()
            self._finished = True

    @property
    def _end(self) -> int:
        symbols = self._forgotten + len(self._symbols) + (2 * PULSE_SYMBOLS - 1 if self._finished else 0)
        return -(-symbols * self._down // self._up)

    @property
    def samples_ready(self) -> int:
        """Samples that `pull` can give now."""
        return self._end - self._sent

    @property
    def done(self) -> bool:
        """True once the whole burst was pulled."""
        return self._finished and self.samples_ready == 0

    def pull(self, n: int) -> NDArray[np.int16]:
        """At most `n` samples; fewer only where the octets ran dry or the burst is over."""
        out = np.empty(min(n, self.samples_ready), np.int16)
        native.qam_shape(self._scheme.pulses, self._points, self._symbols, out,
                         self._up, self._down, self._forgotten, self._sent)  # fmt: skip
        self._sent += len(out)
        self._forget()
        return out

    def _forget(self) -> None:
        spare = self._sent * self._up // self._down - 2 * PULSE_SYMBOLS - self._forgotten
        if spare > 0:
            del self._symbols[:spare]
            self._forgotten += spare


def samples_for(scheme: Scheme, n_octets: int, *, echo_protection: bool = False) -> int:
    """Length in samples of a burst of so many octets, from training to turn-off."""
    training = len(scheme.echo) * echo_protection + scheme.gap + len(scheme.known)
    symbols = training - (-n_octets * 8 // scheme.bits) + scheme.turn_off
    return math.ceil((symbols + 2 * PULSE_SYMBOLS - 1) / scheme.symbols_a_sample)


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
    symbols_a_block: int = 16
    low_blocks: int = 5
    kept: int = 320
    lookahead: int = 140
    """Samples before and after the training, as the trigger saw it, that the acquisition gets."""


@dataclass
class _Burst:
    """A burst that trained: its lock, the line time of its first data bit, the octets delivered."""

    lock: Lock
    data_at: float
    octets: int = 0


class Receiver:
    """Samples to the signal stream: a training is hunted for always, so noise and false starts do no harm.

    `at` is the line time in samples of the first sample pushed.
    """

    def __init__(self, scheme: Scheme, *, at: int = 0, loops: Loops | None = None) -> None:
        self._scheme = scheme
        self._loops = loops or Loops()
        self._state = _fresh_state(scheme, self._loops, at)
        self._tables = (scheme.bank, scheme.lane_points, scheme.lines, scheme.groups)
        self._record = self._state.view(np.uint8)
        self._octets = bytearray(4096)
        self._burst: _Burst | None = None

    def push(self, samples: NDArray[np.int16]) -> list[SignalItem]:
        """Line samples (int16, any number); what they completed."""
        items: list[SignalItem] = []
        offset = 0
        while True:
            rest = samples[offset:] if offset else samples
            used, made, event = native.qam_receive(self._record, *self._tables, rest, self._octets)
            offset += used
            if made:
                items.append(self._octets_item(made))
            if event:
                items += self._handle(event)
            elif made < len(self._octets):
                return items

    @property
    def quality(self) -> CarrierQuality:
        """Of the burst that is on, or of the last one."""
        if self._burst is None:
            return CarrierQuality()
        s, scheme, lock = self._state[0], self._scheme, self._burst.lock
        evm = math.sqrt(s["error"] / s["errors_counted"] / scheme.mean_power) if s["errors_counted"] else lock.evm
        stretch = 1 + float(s["drift"]) * scheme.symbol_rate / SAMPLE_RATE
        turn = math.atan2(s["turn_im"], s["turn_re"]) / (2 * math.pi) * scheme.symbol_rate - scheme.carrier_hz
        offset = (turn + scheme.symbol_rate / 2) % scheme.symbol_rate - scheme.symbol_rate / 2
        return CarrierQuality(
            evm=evm,
            snr_db=-20 * math.log10(max(evm, 1e-4)) - 10 * math.log10(SAMPLE_RATE / 2 / scheme.symbol_rate),
            carrier_hz=(scheme.carrier_hz + offset) / stretch - scheme.carrier_hz,
            clock_ppm=1e6 * (1 / stretch - 1),
            level_dbm0=dbm0_of_rms(lock.rms),
        )

    @property
    def symbol_count(self) -> int:
        """Symbols decided since the training of the last burst."""
        return int(self._state["symbols"][0])

    @property
    def symbols(self) -> NDArray[np.complex64]:
        """The last points that the slicer saw (at most 1024), in the units of the recommendation's figure."""
        s, size = self._state[0], layout.RECENT
        order = np.arange(max(0, self.symbol_count - size), self.symbol_count) % size
        return np.asarray(s["recent_re"][order] + 1j * s["recent_im"][order], np.complex64)

    def _octets_item(self, made: int) -> Octets:
        assert self._burst is not None
        at = self._burst.data_at + self._burst.octets * 8 / self._scheme.modulation.bit_rate * SAMPLE_RATE
        self._burst.octets += made
        return Octets(round(at), bytes(self._octets[:made]))

    def _handle(self, event: int) -> list[SignalItem]:
        s = self._state[0]
        if event == layout.ACQUIRE:
            return self._acquire()
        if event == layout.LOST:
            return [SignalEnds(int(s["origin"] + s["scan"]), trained=False)]
        return [SignalEnds(int(s["ended_at"]), trained=True, quality=self.quality)]

    def _acquire(self) -> list[SignalItem]:
        s, loops = self._state[0], self._loops
        begin, end = int(s["trigger"]) - loops.kept, int(s["trigger"]) + int(s["collected"])
        samples = s["history"][begin:end].copy()
        lock = acquire(self._scheme, samples, loops.kept)
        if lock is None:
            _hunt_on(s)
            return []
        training = len(self._scheme.known) * SAMPLE_RATE / self._scheme.symbol_rate
        self._burst = _Burst(lock, int(s["origin"]) + begin + lock.first + training)
        _follow(s, self._scheme, lock, begin, loops)
        return [SignalBegins(int(s["origin"]) + end, self._scheme.modulation)]


def _fresh_state(scheme: Scheme, loops: Loops, at: int) -> NDArray[np.void]:
    state = np.zeros(1, layout.RECEIVER)
    s = state[0]
    samples_a_symbol = SAMPLE_RATE / scheme.symbol_rate
    s["bits"], s["state_mask"], s["points"] = scheme.bits, len(scheme.table) - 1, scheme.lane_points.shape[1]
    s["tap_near"], s["tap_far"] = scheme.taps
    s["kept"], s["collected"] = loops.kept, math.ceil(len(scheme.known) * samples_a_symbol) + loops.lookahead
    s["symbols_a_block"], s["low_blocks"] = loops.symbols_a_block, loops.low_blocks
    s["half_step"] = round(samples_a_symbol / 2 * 2**32)
    s["mean_power"] = scheme.mean_power
    # Second order loops, critically damped.
    s["carrier_gain"], s["carrier_pull"] = loops.carrier_gain, loops.carrier_gain**2 / 4
    s["timing_gain"], s["timing_pull"] = loops.timing_gain, loops.timing_gain**2 / 4
    s["carrier_step"] = 2 * math.pi * scheme.carrier_hz / SAMPLE_RATE
    s["drift_limit"] = 600e-6 * samples_a_symbol
    s["energy_floor"] = rms_of_dbm0(loops.energy_floor_dbm0) ** 2 * layout.BLOCK
    s["line_share"], s["edge_share"] = loops.line_share, loops.edge_share
    s["loss_ratio"] = LOSS_RATIO
    # Silence before the first sample, so that a burst may begin with it.
    silence = loops.kept + layout.BLOCK
    s["origin"], s["filled"], s["scan"] = at - silence, silence, silence
    s["delay_head"] = layout.TAPS
    return state


def _hunt_on(s: np.void) -> None:
    """The training was none: hunt on from the block after the trigger, and see when the energy goes."""
    if s["lost_energy"] == 0:
        block = s["history"][s["trigger"] + layout.BLOCK : s["trigger"] + 2 * layout.BLOCK]
        s["lost_energy"], s["quiet_blocks"] = float(np.sum(block**2)), 0
        s["loss_ratio"] = LOSS_RATIO
    s["stage"], s["scan"], s["hits"] = layout.HUNTING, s["trigger"] + layout.BLOCK, 0


def _follow(s: np.void, scheme: Scheme, lock: Lock, begin: int, loops: Loops) -> None:
    """Put a lock into the data loop; the first symbol decoded is the first one of the check."""
    s["stage"], s["lost_energy"] = layout.DATA, 0
    s["clock"] = round((begin + lock.clock) * 2**32)
    s["drift"] = lock.drift
    s["phase_re"], s["phase_im"] = lock.phase.real, lock.phase.imag
    s["turn_re"], s["turn_im"] = lock.turn.real, lock.turn.imag
    last = scheme.points[scheme.conditioning[-1]]
    s["last_re"], s["last_im"] = s["last_point_re"], s["last_point_im"] = last.real, last.imag
    s["power"] = scheme.mean_power
    for name in ("block_power", "block_error", "held_error", "error", "errors_counted", "symbols"):
        s[name] = 0
    for name in ("block_symbols", "low_run", "scrambler", "pending", "pending_bits"):
        s[name] = 0
    s["state"] = scheme.conditioning[-1] & s["state_mask"]
    s["skip"] = scheme.check * scheme.bits
    # Where the line's noise is not that far below the burst, its end is a smaller fall.
    s["loss_ratio"] = min(max(LOSS_RATIO, 3 * lock.evm**2), 0.4)
    s["step_size"] = loops.equaliser_gain / (layout.TAPS * lock.front_power)
    s["loud"], s["hold"] = loops.loud * lock.front_power, 0
    s["taps_re"], s["taps_im"] = lock.taps.real, lock.taps.imag
    s["delay_re"][: layout.TAPS], s["delay_im"][: layout.TAPS] = lock.delay.real, lock.delay.imag
    s["delay_head"] = layout.TAPS
