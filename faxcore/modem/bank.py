"""Banks: many lanes of one modulation on one clock, each exactly what a lone transmitter or receiver is.

A lane is entered and left by one copy, in any state. What a bank gives does not depend on which lanes are together
in it, nor on how its samples are chunked.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from faxcore.kernels import native
from faxcore.kernels.twins import bank as layout
from faxcore.kernels.twins import qam as qam_layout
from faxcore.modem import qam
from faxcore.modem.scheme import PULSE_SYMBOLS, Scheme
from faxcore.signals import Octets, SignalItem
from faxcore.units import SAMPLE_RATE

MAX_LANES = 4096
MAX_PUSH = 1 << 20
"""Lanes a bank may have, and samples a lane in one call."""

WORTH_LANES = 8
"""Fewer receivers than that are faster one by one."""

ROW_SYMBOLS = 16384
"""Symbols a lane's row has room for at first: to make room each time that octets come costs as much as to code some."""

WORTH_SAMPLES = 800
"""A transmitter that sends fewer enters and leaves for longer than it takes to send them."""


def _checked_lanes(lanes: int) -> int:
    if not 1 <= lanes <= MAX_LANES:
        raise ValueError(f"lanes is {lanes}, outside 1 to {MAX_LANES}")
    return lanes


def _checked_lane(lane: int, lanes: int) -> int:
    if not 0 <= lane < lanes:
        raise ValueError(f"lane is {lane}, outside 0 to {lanes - 1}")
    return lane


def _alike(a: Scheme, b: Scheme) -> bool:
    """The same modulation and rate; the trainings may differ."""
    return a.modulation[:2] == b.modulation[:2]


def transmit_each(transmitters: Sequence[qam.Transmitter], counts: Sequence[int]) -> list[NDArray[np.int16]]:
    """What `transmitter.pull(n)` gives, for each transmitter its own n: one native call for all.

    The transmitters are of one modulation and rate, and none comes twice. ValueError for several kinds.
    """
    if len(transmitters) < WORTH_LANES or max(counts) < WORTH_SAMPLES:
        return [transmitter.pull(n) for transmitter, n in zip(transmitters, counts, strict=True)]
    scheme = transmitters[0]._scheme
    ready = [min(n, transmitter.samples_ready) for transmitter, n in zip(transmitters, counts, strict=True)]
    up, down = scheme.symbols_a_sample.as_integer_ratio()
    senders = np.zeros(len(ready), layout.SENDER)
    symbols = np.zeros((len(ready), 4 * PULSE_SYMBOLS + max(ready) * up // down), np.uint8)
    for sender, row, transmitter, n in zip(senders, symbols, transmitters, ready, strict=True):
        if not _alike(transmitter._scheme, scheme):
            raise ValueError(f"{transmitter.modulation} is not {scheme.modulation}")
        heard = transmitter._symbols[: len(row)]
        row[: len(heard)] = np.frombuffer(heard, np.uint8)
        sender["first"], sender["count"], sender["end"] = transmitter._forgotten, len(heard), transmitter._sent + n
        sender["sent"] = sender["made"] = transmitter._sent
        sender["gain"] = transmitter._gain
    out = np.empty((len(ready), max(ready)), np.int16)
    native.bank_shape(senders.view(np.uint8), scheme.pulses, scheme.pulse_points, symbols, out, up, down)
    for transmitter, n in zip(transmitters, ready, strict=True):
        transmitter._pulled(n)
    return [samples[:n] for samples, n in zip(out, ready, strict=True)]


class TransmitterBank:
    """Transmitters of one scheme side by side. A lane without a transmitter sends silence."""

    def __init__(self, scheme: Scheme, lanes: int = 256) -> None:
        self._scheme = scheme
        self._senders = np.zeros(_checked_lanes(lanes), layout.SENDER)
        self._octets = self._senders.view(np.uint8)
        self._symbols = np.zeros((lanes, ROW_SYMBOLS), np.uint8)
        self._first, self._count, self._end = (self._senders[name] for name in ("first", "count", "end"))
        self._transmitters: list[qam.Transmitter | None] = [None] * lanes
        self._up, self._down = scheme.symbols_a_sample.as_integer_ratio()

    @property
    def lanes(self) -> int:
        return len(self._senders)

    def start(self, lane: int, transmitter: qam.Transmitter | None = None) -> None:
        """Let a transmitter go on in this lane, wherever it stands; the object given is the bank's from now on.

        None is a new one at the usual level. ValueError for one of another modulation or rate.
        """
        _checked_lane(lane, self.lanes)
        transmitter = transmitter or qam.Transmitter(self._scheme)
        if not _alike(transmitter._scheme, self._scheme):
            raise ValueError(f"this bank sends {self._scheme.modulation}, not {transmitter._scheme.modulation}")
        sender = self._senders[lane]
        sender["first"], sender["count"] = transmitter._forgotten, 0
        sender["sent"] = sender["made"] = transmitter._sent
        sender["gain"] = transmitter._gain
        self._transmitters[lane] = transmitter
        self._settle(lane, transmitter)

    def export(self, lane: int) -> qam.Transmitter:
        """Take the transmitter out of a lane, which falls silent. ValueError where there is none."""
        transmitter = self._transmitter(lane)
        sender = self._senders[lane]
        transmitter._forgotten, transmitter._sent = int(sender["first"]), int(sender["sent"])
        transmitter._symbols = bytearray(self._symbols[lane, : sender["count"]])
        self._senders[lane] = 0
        self._transmitters[lane] = None
        return transmitter

    def feed(self, lane: int, octets: bytes) -> None:
        """Octets to send, the first bit on the line least significant. ValueError after `finish()`."""
        transmitter = self._transmitter(lane)
        transmitter.check_unfinished()
        encoder = transmitter.encoder
        count = self._make_room(lane, encoder.most(octets))
        self._extend(lane, transmitter, count, encoder.encode_into(octets, self._symbols[lane, count:]))

    def finish(self, lane: int) -> None:
        """No more octets for this lane: the turn-off follows."""
        transmitter = self._transmitter(lane)
        transmitter.finish()
        self._settle(lane, transmitter)

    @property
    def samples_ready(self) -> NDArray[np.int64]:
        """Samples, lane by lane, that `pull` can give before it gives silence."""
        return np.asarray(self._senders["end"] - self._senders["sent"])

    def done(self, lane: int) -> bool:
        """True once the lane has no transmitter, or its whole burst was pulled."""
        transmitter = self._transmitters[_checked_lane(lane, self.lanes)]
        return transmitter is None or (transmitter._finished and not self.samples_ready[lane])

    def pull(self, n: int) -> NDArray[np.int16]:
        """The next `n` samples of every lane, (lanes, n); zeros where one has no more for now."""
        if not 0 <= n <= MAX_PUSH:
            raise ValueError(f"n is {n}, outside 0 to {MAX_PUSH}")
        out = np.empty((self.lanes, n), np.int16)
        native.bank_shape(self._octets, self._scheme.pulses, self._scheme.pulse_points, self._symbols, out,
                          self._up, self._down)  # fmt: skip
        return out

    def _transmitter(self, lane: int) -> qam.Transmitter:
        transmitter = self._transmitters[_checked_lane(lane, self.lanes)]
        if transmitter is None:
            raise ValueError(f"lane {lane} has no transmitter")
        return transmitter

    def _settle(self, lane: int, transmitter: qam.Transmitter) -> None:
        """Move the symbols that a transmitter has coded into the lane's row."""
        fresh = len(transmitter._symbols)
        count = self._make_room(lane, fresh)
        self._symbols[lane, count : count + fresh] = transmitter._symbols
        transmitter._symbols.clear()
        self._extend(lane, transmitter, count, fresh)

    def _extend(self, lane: int, transmitter: qam.Transmitter, count: int, fresh: int) -> None:
        """The lane's row has so many symbols more."""
        self._count[lane] = count + fresh
        transmitter._forgotten += fresh
        self._end[lane] = transmitter._end

    def _make_room(self, lane: int, wanted: int) -> int:
        """Forget symbols that no sample to come hears; where that is not enough, all rows grow. How many are left."""
        count = int(self._count[lane])
        if count + wanted <= self._symbols.shape[1]:
            return count
        period, width = map(int, self._scheme.pulses.shape)
        heard = int(self._senders["made"][lane]) // period * period * self._up // self._down
        spare = min(max(int(heard - width // 2 - self._first[lane]), 0), count)
        row = self._symbols[lane]
        row[: count - spare] = row[spare:count].copy()
        self._first[lane] += spare
        count -= spare
        self._count[lane] = count
        if count + wanted > len(row):
            grown = np.zeros((self.lanes, 2 * (count + wanted)), np.uint8)
            grown[:, : self._symbols.shape[1]] = self._symbols
            self._symbols = grown
        return count


class Reports:
    """What one push completed: iterating gives (lane, item); `reports[lane]` is the lane's list of items.

    Octets of lanes in the midst of their data stay in one array until somebody asks for them.
    """

    def __init__(self, octets: NDArray[np.uint8], made: NDArray[np.int64], at: NDArray[np.float64],
                 handled: dict[int, list[SignalItem]]) -> None:  # fmt: skip
        self._octets, self._made, self._at, self._handled = octets, made, at, handled

    @property
    def lanes(self) -> list[int]:
        """The lanes that have anything to tell."""
        return sorted({*np.flatnonzero(self._made).tolist(), *self._handled})

    def __getitem__(self, lane: int) -> list[SignalItem]:
        made = int(self._made[lane])
        items = list(self._handled.get(lane, []))
        if made:
            items.append(Octets(round(float(self._at[lane])), self._octets[lane, :made].tobytes()))
        return items

    def __iter__(self) -> Iterator[tuple[int, SignalItem]]:
        return chain.from_iterable(((lane, item) for item in self[lane]) for lane in self.lanes)

    def __len__(self) -> int:
        return sum(len(self[lane]) for lane in self.lanes)


def receive_each(receivers: Sequence[qam.Receiver], samples: Sequence[NDArray[np.int16]]) -> list[list[SignalItem]]:
    """What `receiver.push(samples)` gives, for each receiver its own samples: one native call for all.

    The receivers are of one modulation and rate, none comes twice, and each keeps its memory. Samples are int16,
    any number for each. ValueError for receivers of several kinds.
    """
    if len(receivers) < WORTH_LANES:
        return [receiver.push(heard) for receiver, heard in zip(receivers, samples, strict=True)]
    scheme = max((receiver._scheme for receiver in receivers), key=lambda scheme: len(scheme.training))
    progress = np.zeros(len(receivers), layout.PROGRESS)
    octets = np.empty((len(receivers), _octets_for(scheme, max(map(len, samples)))), np.uint8)
    items: list[list[SignalItem]] = [[] for _ in receivers]
    records, plain = [receiver._record for receiver in receivers], progress.view(np.uint8)
    while True:
        native.bank_receive_each(records, samples, *scheme.receiver_tables, octets, plain)
        going = (progress["event"] != 0) | (progress["octets"] == octets.shape[1])
        for lane in np.flatnonzero(going | (progress["octets"] > 0)).tolist():
            done = progress[lane]
            items[lane] += receivers[lane]._completed(octets[lane, : done["octets"]].tobytes(), int(done["event"]))
            done["octets"] = done["event"] = 0
        if not going.any():
            return items


def _octets_for(scheme: Scheme, n: int) -> int:
    """Octets that `n` samples, and the history before them, can bring at once."""
    return (n + qam_layout.HISTORY) * scheme.modulation.bit_rate // (8 * SAMPLE_RATE) + 64


class ReceiverBank:
    """Receivers of one scheme side by side, in any mixture of hunting, training and data."""

    def __init__(self, scheme: Scheme, lanes: int = 256) -> None:
        self._scheme = scheme
        self._states = np.zeros(_checked_lanes(lanes), qam_layout.RECEIVER)
        self._records = self._states.view(np.uint8)
        self._progress = np.zeros(lanes, layout.PROGRESS)
        self._progress_octets = self._progress.view(np.uint8)
        self._tables = scheme.receiver_tables
        self._octets = np.zeros((lanes, 0), np.uint8)
        self._data_at = np.zeros(lanes)
        self._given = np.zeros(lanes, np.int64)
        self._now = 0
        self._holding: set[int] = set()  # lanes whose octets are doubtful
        self._receivers: list[qam.Receiver] = []
        for lane in range(lanes):
            self._receivers.append(qam.Receiver(scheme))
            self._house(lane)

    @property
    def lanes(self) -> int:
        return len(self._states)

    def start(self, lane: int, receiver: qam.Receiver | None = None) -> None:
        """Let a receiver go on in this lane, wherever it stands; the object given is the bank's from now on.

        None is a new one, whose line time begins with the bank's. ValueError for another modulation or rate.
        """
        _checked_lane(lane, self.lanes)
        receiver = receiver or qam.Receiver(self._scheme, at=self._now)
        if not _alike(receiver._scheme, self._scheme):
            raise ValueError(f"this bank hears {self._scheme.modulation}, not {receiver._scheme.modulation}")
        self._receivers[lane] = receiver
        self._house(lane)

    def export(self, lane: int) -> qam.Receiver:
        """A copy of what is in a lane, to go on alone or in another bank."""
        lone = copy.copy(self.receiver(lane))
        lone._burst = copy.copy(lone._burst)
        lone._live_in(self._states[lane : lane + 1].copy())
        return lone

    def receiver(self, lane: int) -> qam.Receiver:
        """The lane's receiver to look at: its `lock`, `quality` and `symbols`."""
        receiver = self._receivers[_checked_lane(lane, self.lanes)]
        if receiver._burst is not None:
            receiver._burst.octets = int(self._given[lane])
        return receiver

    def push(self, samples: NDArray[np.int16]) -> Reports:
        """Line samples of all lanes, int16 (lanes, n), n at most 2^20; what they completed."""
        samples = np.ascontiguousarray(samples)
        if samples.shape[:1] != (self.lanes,) or samples.ndim != 2 or samples.shape[1] > MAX_PUSH:
            raise ValueError(f"samples have the shape {samples.shape}, ({self.lanes}, n) is needed")
        self._make_room(samples.shape[1])
        handled: dict[int, list[SignalItem]] = {}
        self._progress[:] = 0
        while True:
            native.bank_receive(self._records, samples, *self._tables, self._octets, self._progress_octets)
            stopped = (self._progress["event"] != 0) | (self._progress["octets"] == self._octets.shape[1])
            if not stopped.any():
                break
            for lane in np.flatnonzero(stopped).tolist():
                handled.setdefault(lane, []).extend(self._handle(lane))
        for lane in self._holding & set(np.flatnonzero(self._progress["octets"]).tolist()):
            handled.setdefault(lane, []).extend(self._handle(lane))
        self._now += samples.shape[1]
        return self._report(handled)

    def _handle(self, lane: int) -> list[SignalItem]:
        receiver, done = self.receiver(lane), self._progress[lane]
        items = receiver._completed(self._octets[lane, : done["octets"]].tobytes(), int(done["event"]))
        done["octets"] = done["event"] = 0
        self._note(lane)
        return items

    def _report(self, handled: dict[int, list[SignalItem]]) -> Reports:
        made = self._progress["octets"].copy()
        at = self._data_at + self._given * (8 / self._scheme.modulation.bit_rate * SAMPLE_RATE)
        self._given += made
        return Reports(self._octets[:, : int(made.max())].copy(), made, at, handled)

    def _house(self, lane: int) -> None:
        """Move a receiver's state into the bank's memory."""
        place = self._states[lane : lane + 1]
        place[:] = self._receivers[lane]._state
        self._receivers[lane]._live_in(place)
        self._note(lane)

    def _note(self, lane: int) -> None:
        """Remember where the octets to come belong."""
        burst = self._receivers[lane]._burst
        (self._holding.add if self._receivers[lane].holding else self._holding.discard)(lane)
        self._data_at[lane], self._given[lane] = (burst.data_at, burst.octets) if burst else (0, 0)

    def _make_room(self, n: int) -> None:
        wanted = _octets_for(self._scheme, n)
        if self._octets.shape[1] < wanted:
            self._octets = np.zeros((self.lanes, wanted), np.uint8)
