"""Carriers with amplitude and phase: transmitter and receiver for any scheme of points, pulse and training.

No number of a recommendation is here; a Scheme brings them all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faxcore.kernels import native
from faxcore.kernels.twins import qam as layout
from faxcore.modem.acquisition import Lock, acquire
from faxcore.modem.loops import COMMAND_BLOCKS, PATIENCE, Loops, follow, fresh_state, go_on, hunt_on, skipped
from faxcore.modem.scheme import PULSE_PEAK, PULSE_SYMBOLS, Encoder, Scheme
from faxcore.modem.slip import relock
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


@dataclass
class _Burst:
    """A burst that trained: its lock, the line time of its first data bit, the octets so far.

    `faded` tells of the silence it is in; octets since then are in `doubtful`. `patience` is for how many blocks a lock
    within the data is not looked for after one was not found.
    """

    lock: Lock
    data_at: float
    octets: int = 0
    patience: int = PATIENCE
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
        self._state = fresh_state(scheme, self._loops, at)
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
        return max(0, decided - skipped(self._scheme)) * self._scheme.bits // 8 * 8

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
        if s["adrift_run"] == s["adrift_blocks"]:
            self._relock()
            return []
        if event == layout.LOST:
            lost = CarrierQuality(modulation=self._scheme.modulation)
            return [SignalEnds(int(s["origin"] + s["scan"]), trained=False, quality=lost)]
        return self._silent(int(s["ended_at"]))

    def _relock(self) -> None:
        """Decisions have not fitted for some blocks: samples may have been inserted or dropped."""
        burst, s, loops = self._burst, self._state[0], self._loops
        assert burst is not None
        s["stage"], s["adrift_run"] = layout.DATA, -burst.patience
        begin = (int(s["clock"]) >> 32) - loops.kept
        samples = s["history"][begin : begin + loops.kept + layout.FRONT + 16]  # as many as any chunking has brought
        found = relock(self._scheme, samples, int(s["clock"]) / 2**32 - begin, burst.lock)
        if s["training_left"] or found.error > loops.relock_share * self._scheme.slicer.at_random:
            burst.patience = min(2 * burst.patience, 1 << 12)
            return
        burst.patience = PATIENCE
        go_on(s, self._scheme, burst.lock, found, begin)

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
        s["stage"], s["low_run"], s["adrift_run"] = layout.DATA, 0, -COMMAND_BLOCKS
        return items

    def _acquire(self) -> list[SignalItem]:
        s, loops = self._state[0], self._loops
        begin, end = int(s["trigger"]) - loops.kept, int(s["trigger"]) + int(s["collected"])
        samples = s["history"][begin:end].copy()
        lock = acquire(self._scheme, samples, loops.kept, self._trained)
        if lock is None:
            hunt_on(s, self._scheme)
            return []
        training = self._scheme.length * SAMPLE_RATE / self._scheme.symbol_rate
        self._burst = _Burst(lock, int(s["origin"]) + begin + lock.first + training)
        follow(s, self._scheme, lock, begin, loops)
        return [SignalBegins(int(s["origin"]) + end, self._scheme.modulation)]
