"""Carriers with amplitude and phase: transmitter and receiver for any scheme of points, pulse and training.

No number of a recommendation is here; a Scheme brings them all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from faxcore.kernels import native
from faxcore.kernels.twins import qam as layout
from faxcore.modem.acquisition import Lock, acquire, energy
from faxcore.modem.scheme import PULSE_PEAK, PULSE_SYMBOLS, Encoder, Scheme
from faxcore.signals import (
    CarrierQuality,
    Modulation,
    Octets,
    SignalBegins,
    SignalEnds,
    SignalFades,
    SignalItem,
    SignalReturns,
)
from faxcore.units import SAMPLE_RATE, dbm0_of_rms, rms_of_dbm0

SILENCE = 255
"""The point number that sends nothing."""

DOUBTFUL_S = 0.2
"""A carrier must be there for so long before a silent burst counts as going on: by then V.21 has shown its flags."""

LOSS_RATIO = 0.1
"""A carrier whose power has fallen to this part of what it was is gone."""


class Transmitter:
    """One burst: training, the octets fed, turn-off; in any chunks the same samples.

    `level_dbm0` is the mean level. A burst that begins with a carrier begins at the peak of its first symbol. Where the
    tail in front of that was sent too, SpanDSP lost each short training of V.17 at -12.5 to -13.5 dBm0, and with it
    the page.
    """

    def __init__(self, scheme: Scheme, *, level_dbm0: float = -13.0, echo_protection: bool = False) -> None:
        if not -60 <= level_dbm0 <= 0:
            raise ValueError(f"level_dbm0 is {level_dbm0}, outside -60 to 0")
        self._scheme = scheme
        self.encoder = Encoder(scheme)
        # A sample's mean power is half that of the points: the pulse has unit energy a symbol.
        scale = rms_of_dbm0(level_dbm0) * math.sqrt(2 / scheme.mean_power)
        self._gain = scale / (scheme.point_unit * PULSE_PEAK)
        self._symbols = bytearray()
        if echo_protection:
            self._symbols += scheme.echo.tobytes() + bytes([SILENCE]) * scheme.echo_gap
        self._symbols += bytes([SILENCE]) * scheme.gap + scheme.alternations.tobytes() + scheme.conditioning.tobytes()
        self._symbols += self.encoder.encode_ones(scheme.check).tobytes()
        self._up, self._down = scheme.symbols_a_sample.as_integer_ratio()
        self._forgotten = 0
        self._sent = _tail(scheme, echo_protection)
        self._finished = False

    @property
    def modulation(self) -> Modulation:
        """What is sent."""
        return self._scheme.modulation

    def check_unfinished(self) -> None:
        """ValueError after `finish()`."""
        if self._finished:
            raise ValueError("the burst was finished, it takes no more octets")

    def feed(self, octets: bytes) -> None:
        """Octets to send, the first bit on the line least significant. ValueError after `finish()`."""
        self.check_unfinished()
        self._symbols += self.encoder.encode(octets)

    def finish(self) -> None:
        """No more octets: the last symbol is filled with ones and the turn-off follows."""
        if not self._finished:
            self._symbols += self.encoder.encode_ones(self._scheme.turn_off).tobytes()
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
        native.qam_shape(self._scheme.pulses, self._scheme.pulse_points, self._symbols, out,
                         self._up, self._down, self._forgotten, self._sent, self._gain)  # fmt: skip
        self._pulled(len(out))
        return out

    def _pulled(self, n: int) -> None:
        """So many samples more are given out: forget symbols that no sample to come hears."""
        self._sent += n
        spare = self._sent * self._up // self._down - 2 * PULSE_SYMBOLS - self._forgotten
        if spare > 0:
            del self._symbols[:spare]
            self._forgotten += spare


def samples_for(scheme: Scheme, n_octets: int, *, echo_protection: bool = False) -> int:
    """Length in samples of a burst of so many octets, from training to turn-off."""
    training = (len(scheme.echo) + scheme.echo_gap) * echo_protection + scheme.gap + scheme.length
    symbols = training - (-n_octets * 8 // scheme.bits) + scheme.turn_off
    up, down = scheme.symbols_a_sample.as_integer_ratio()
    return -(-(symbols + 2 * PULSE_SYMBOLS - 1) * down // up) - _tail(scheme, echo_protection)


def _tail(scheme: Scheme, echo_protection: bool) -> int:
    """Samples before the peak of the first symbol, where a burst does not begin with silence."""
    up, down = scheme.symbols_a_sample.as_integer_ratio()
    return 0 if scheme.gap and not echo_protection else -(-PULSE_SYMBOLS * down // up)


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
    kept: int = 320
    lookahead: int = 140
    """Samples before and after the training, as the trigger saw it, that the acquisition gets."""


@dataclass
class _Burst:
    """A burst that trained: its lock, the line time of its first data bit, the octets so far.

    `faded` tells of the silence it is in; octets since then are in `doubtful`.
    """

    lock: Lock
    data_at: float
    octets: int = 0
    faded: SignalFades | None = None
    doubtful: bytes = b""


class Receiver:
    """Samples to the signal stream: a training is hunted for always, so noise and false starts do no harm.

    `at` is the line time in samples of the first sample pushed. A burst that falls silent has `hold` seconds to
    go on as it was: its clock and carrier run on meanwhile, and no octets come of the silence.
    """

    def __init__(
        self,
        scheme: Scheme,
        *,
        trained: Lock | None = None,
        at: int = 0,
        loops: Loops | None = None,
        hold: float = 0.0,
    ) -> None:
        if (trained is None) == scheme.modulation.short:
            raise ValueError("a short training, and no other, needs what was learnt from a long one (trained)")
        self._scheme, self._trained = scheme, trained
        self._loops, self._hold = loops or Loops(), hold * SAMPLE_RATE
        self._state = _fresh_state(scheme, self._loops, at)
        self._tables = scheme.receiver_tables
        self._live_in(self._state)
        self._octets = bytearray(4096)
        self._burst: _Burst | None = None

    def _live_in(self, state: NDArray[np.void]) -> None:
        """Go on with the state in this memory, one record."""
        self._state, self._record = state, state.view(np.uint8)

    def push(self, samples: NDArray[np.int16]) -> list[SignalItem]:
        """Line samples (int16, any number); what they completed."""
        items: list[SignalItem] = []
        offset = 0
        while True:
            rest = samples[offset:] if offset else samples
            used, made, event = native.qam_receive(self._record, *self._tables, rest, self._octets)
            offset += used
            items += self._completed(bytes(self._octets[:made]), event)
            if not event and made < len(self._octets):
                return items

    @property
    def modulation(self) -> Modulation:
        """What is heard."""
        return self._scheme.modulation

    @property
    def lock(self) -> Lock | None:
        """What was learnt from the training of the burst that is on, or of the last one."""
        return self._burst.lock if self._burst else None

    @property
    def quality(self) -> CarrierQuality:
        """Of the burst that is on, or of the last one."""
        if self._burst is None:
            return CarrierQuality(modulation=self._scheme.modulation)
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
            modulation=scheme.modulation,
            trained=True,
            bits=self._bits_delivered,
            taps=np.asarray(s["taps_re"] + 1j * s["taps_im"], np.complex64),
            points=self.symbols,
        )

    @property
    def _bits_delivered(self) -> int:
        """In whole octets; what is left of the training and of the trellis's delay were no data."""
        s = self._state[0]
        decided = self.symbol_count + int(s["training_left"]) - len(self._scheme.training)
        return max(0, decided - _skipped(self._scheme)) * self._scheme.bits // 8 * 8

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

    @property
    def holding(self) -> bool:
        """True while a burst is silent that may go on."""
        return self._burst is not None and self._burst.faded is not None

    def _completed(self, octets: bytes, event: int) -> list[SignalItem]:
        """What octets (there may be none) and the event after them (0: none) are to the owner."""
        items: list[SignalItem] = []
        if octets:
            items += self._returned(octets) if self.holding else [self._octets_item(octets)]
        return items + self._handle(event) if event else items

    def _returned(self, octets: bytes) -> list[SignalItem]:
        """Octets after a silence count once more came than one could end with."""
        burst = self._burst
        assert burst is not None
        burst.doubtful += octets
        enough = round(DOUBTFUL_S * self._scheme.modulation.bit_rate / 8)
        if len(burst.doubtful) <= enough:
            return []
        at = burst.data_at + (burst.octets + enough) * 8 / self._scheme.modulation.bit_rate * SAMPLE_RATE
        octets, burst.doubtful, burst.faded = burst.doubtful, b"", None
        return [SignalReturns(round(at)), self._octets_item(octets)]

    def _octets_item(self, octets: bytes) -> Octets:
        assert self._burst is not None
        at = self._burst.data_at + self._burst.octets * 8 / self._scheme.modulation.bit_rate * SAMPLE_RATE
        self._burst.octets += len(octets)
        return Octets(round(at), octets)

    def _handle(self, event: int) -> list[SignalItem]:
        s = self._state[0]
        if event == layout.ACQUIRE:
            return self._acquire()
        if event == layout.LOST:
            lost = CarrierQuality(modulation=self._scheme.modulation)
            return [SignalEnds(int(s["origin"] + s["scan"]), trained=False, quality=lost)]
        return self._silent(int(s["ended_at"]))

    def _silent(self, at: int) -> list[SignalItem]:
        """A run of low blocks: the data loop runs on over it as long as the burst is held."""
        burst, s = self._burst, self._state[0]
        assert burst is not None
        burst.octets, burst.doubtful = burst.octets + len(burst.doubtful), b""
        items: list[SignalItem] = []
        if burst.faded is None and self._hold:
            burst.faded = SignalFades(at, self.quality)
            items.append(burst.faded)
        if burst.faded is None or at - burst.faded.at >= self._hold:
            quality, burst.faded = burst.faded.quality if burst.faded else self.quality, None
            return [*items, SignalEnds(at, trained=True, quality=quality)]
        s["stage"], s["low_run"] = layout.DATA, 0
        return items

    def _acquire(self) -> list[SignalItem]:
        s, loops = self._state[0], self._loops
        begin, end = int(s["trigger"]) - loops.kept, int(s["trigger"]) + int(s["collected"])
        samples = s["history"][begin:end].copy()
        lock = acquire(self._scheme, samples, loops.kept, self._trained)
        if lock is None:
            _hunt_on(s, self._scheme)
            return []
        training = self._scheme.length * SAMPLE_RATE / self._scheme.symbol_rate
        self._burst = _Burst(lock, int(s["origin"]) + begin + lock.first + training)
        _follow(s, self._scheme, lock, begin, loops)
        return [SignalBegins(int(s["origin"]) + end, self._scheme.modulation)]


def _fresh_state(scheme: Scheme, loops: Loops, at: int) -> NDArray[np.void]:
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


def _skipped(scheme: Scheme) -> int:
    """Symbols before the first that is data: the check, and as many as the trellis looks back."""
    return scheme.check + (layout.DEPTH - 1 if scheme.trellis else 0)


def _hunt_on(s: np.void, scheme: Scheme) -> None:
    """The training was none: hunt on from the block after the trigger, and see when the energy goes."""
    if s["lost_energy"] == 0:
        block = s["history"][s["trigger"] + layout.BLOCK : s["trigger"] + 2 * layout.BLOCK]
        s["lost_energy"], s["quiet_blocks"] = energy(scheme, block), 0
        s["loss_ratio"] = LOSS_RATIO
    s["stage"], s["scan"], s["hits"] = layout.HUNTING, s["trigger"] + layout.BLOCK, 0


def _follow(s: np.void, scheme: Scheme, lock: Lock, begin: int, loops: Loops) -> None:
    """Put a lock into the data loop; the first symbol decoded is the first one of the check."""
    s["stage"], s["lost_energy"] = layout.DATA, 0
    s["clock"] = round((begin + lock.clock) * 2**32)
    # A slip within the training looks like a clock that no far end has.
    s["drift"] = min(max(lock.drift, -float(s["drift_limit"])), float(s["drift_limit"]))
    s["phase_re"], s["phase_im"] = lock.phase.real, lock.phase.imag
    s["turn_re"], s["turn_im"] = lock.turn.real, lock.turn.imag
    last = scheme.known[len(scheme.known) - scheme.held - 1]
    s["last_re"], s["last_im"] = s["last_point_re"], s["last_point_im"] = last.real, last.imag
    s["power"] = scheme.mean_power
    for name in ("block_power", "block_error", "held_error", "error", "errors_counted", "symbols"):
        s[name] = 0
    for name in ("block_symbols", "low_run", "pending", "pending_bits", "column", "side", "metric", "survivors"):
        s[name] = 0
    s["training_left"], s["scrambler"] = len(scheme.training), scheme.scrambler
    s["state"] = scheme.conditioning[-1] >> scheme.state_shift & (scheme.states - 1)
    s["skip"] = _skipped(scheme) * scheme.bits
    # Where the line's noise is not that far below the burst, its end is a smaller fall.
    s["loss_ratio"] = min(max(LOSS_RATIO, 3 * lock.evm**2), 0.4)
    s["step_size"] = loops.equaliser_gain / (layout.TAPS * lock.front_power)
    s["loud"], s["hold"] = loops.loud * lock.front_power, 0
    s["taps_re"], s["taps_im"] = lock.taps.real, lock.taps.imag
    s["delay_re"][: layout.TAPS], s["delay_im"][: layout.TAPS] = lock.delay.real, lock.delay.imag
    s["delay_head"] = layout.TAPS
