"""All that tells one modulation from another, and the coder that follows from it.

No number of a recommendation is here; each recommendation's file makes a Scheme of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from faxcore.kernels import native
from faxcore.kernels.twins import qam as layout
from faxcore.modem.acquisition import CHUNK, HELD, SLOW
from faxcore.modem.slip import Slicer
from faxcore.signals import Modulation
from faxcore.units import SAMPLE_RATE

FILTER_PEAK = 8191
"""The largest weight of a matched filter: sums over the halves of samples stay within 31 bits."""

PULSE_PEAK, POINT_PEAK = 14000, 16383
"""What stands for one in the weights of a pulse, and the largest coordinate of a point: sums stay within 31 bits."""

PULSE_SYMBOLS = 12
"""Symbols from the beginning of a pulse to its peak."""


class Scrambler(NamedTuple):
    """A scrambler as it is at the start of the check: see `struct qam_scrambler` in native/qam.h."""

    line: int
    tap_near: int
    tap_far: int
    guard: int = 0
    guard_run: int = 0
    guard_taps: tuple[int, int, int] = (1, 1, 1)

    def run(self, bits: Sequence[int]) -> tuple[list[int], Scrambler]:
        """What these bits become on the line, and the scrambler after them."""
        coder = np.zeros(1, layout.CODER)
        coder["scrambler"], coder["bits"], coder["states"] = self, 1, 1
        whole = len(bits) // 8 * 8
        sent = np.zeros(whole, np.uint8)
        octets = np.packbits(np.array(bits[:whole], np.uint8), bitorder="little")
        plain, still = np.array([[0, 1]], np.uint8), np.zeros((1, 2), np.uint8)
        native.qam_encode(coder.view(np.uint8), plain, still, still[:, :1], octets, sent)
        state = coder["scrambler"][0]
        rest = [layout.scramble(state, bit) for bit in bits[whole:]]
        return [*sent.tolist(), *rest], self._replace(line=int(state["line"]), guard_run=int(state["guard_run"]))


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


def in_lines(values: NDArray[np.float64], dtype: type[Any]) -> NDArray[Any]:
    """A copy that begins with a line of the cache, as every row of it does whose length allows it."""
    memory = np.empty(values.size + 64, dtype)
    skip = -memory.ctypes.data % 64 // memory.itemsize
    copy = memory[skip : skip + values.size].reshape(values.shape)
    copy[...] = values
    return copy


@dataclass(frozen=True, eq=False)
class Scheme:
    """All that tells one modulation at one rate from another.

    `table[state][group]` is the number of the point sent for a group of scrambled bits (first in time most
    significant), `next[state][group]` the state that follows; a receiver has the part of the state that it needs
    in the number of the point: `states` of them, `state_shift` bits up. The first 2^k of the `points` carry data,
    others only the training. With a `trellis` the three low bits of a number are its subset, and `trellis[state]`
    gives (subset, state after) of the points that may come.

    Training is point numbers: `echo` (optional, before all) and `echo_gap` symbols of silence, `gap` symbols of
    silence, `alternations`, `conditioning`, then the check: `check` symbols of scrambled ones coded as data, from
    `start` on (coder state) with `scrambler` as it is there. A receiver learns from the alternations and the first
    `fitted` symbols of the conditioning at once, and from the rest as they come.
    """

    modulation: Modulation
    carrier_hz: float
    symbol_rate: int
    roll_off: float
    bits: int
    points: NDArray[np.complex128]
    data_points: int
    table: NDArray[np.uint8]
    next: NDArray[np.uint8]
    states: int
    scrambler: Scrambler
    start: int
    echo: NDArray[np.uint8]
    gap: int
    alternations: NDArray[np.uint8]
    conditioning: NDArray[np.uint8]
    check: int
    turn_off: int
    fitted: int
    echo_gap: int = 0
    state_shift: int = 0
    trellis: tuple[tuple[tuple[int, int], ...], ...] = ()

    @cached_property
    def mean_power(self) -> float:
        """Mean power of the points that carry data."""
        return float(np.mean(np.abs(self.points[: self.data_points]) ** 2))

    @cached_property
    def leaps(self) -> NDArray[np.uint8]:
        """The coder's state two groups on, (4^k, states), by the first k bits of each; no other bit leads anywhere."""
        steps = self.next
        while steps.shape[1] > 1 and (steps[:, ::2] == steps[:, 1::2]).all():
            steps = steps[:, ::2]
        return np.ascontiguousarray(steps[steps].reshape(len(steps), -1).T)

    @cached_property
    def check_symbols(self) -> NDArray[np.uint8]:
        """The scrambled ones that end the training."""
        return Encoder(self).encode_ones(self.check)

    @cached_property
    def length(self) -> int:
        """Symbols of the training, from the first alternation to the end of the check."""
        return len(self.alternations) + len(self.conditioning) + self.check

    @cached_property
    def known(self) -> NDArray[np.complex64]:
        """The points of the training that are learnt at once; the last `held` of them judge what was learnt."""
        symbols = [self.alternations, self.conditioning[: self.fitted]]
        if self.fitted == len(self.conditioning) and not self.trellis:
            symbols.append(self.check_symbols)
        return np.take(self.points, np.concatenate(symbols)).astype(np.complex64)

    @cached_property
    def chunks(self) -> NDArray[np.complex64]:
        """The conditioning that is learnt at once, in rows of whole chunks that find its place.

        Their mean is taken out: the carrier line says nothing about the frame.
        """
        fitted = self.points[self.conditioning[: self.fitted]]
        chunk = min(CHUNK, len(fitted))
        known = fitted[: len(fitted) // chunk * chunk].reshape(-1, chunk)
        return np.ascontiguousarray(known - known.mean(axis=1, keepdims=True), np.complex64)

    @property
    def held(self) -> int:
        """See HELD; a short training has nothing to spare."""
        return 0 if self.modulation.short else HELD

    @cached_property
    def training(self) -> NDArray[np.float32]:
        """The points from where the receiver takes over up to the check, as (real, imaginary)."""
        begin = len(self.known) - len(self.alternations) - self.held
        rest = self.points[self.conditioning[begin:]] if begin < len(self.conditioning) else np.zeros(0)
        return np.ascontiguousarray(np.stack([rest.real, rest.imag], -1), np.float32)

    @cached_property
    def groups(self) -> NDArray[np.uint8]:
        """The inverse of `table`: group by what the receiver has of the state, and point; padded to whole lanes."""
        inverse = np.zeros((self.states, self.lane_points.shape[1]), np.uint8)
        for state, row in enumerate(self.table):
            inverse[state % self.states, row] = np.arange(len(row))
        return inverse

    @cached_property
    def lane_points(self) -> NDArray[np.float32]:
        """Points that carry data as (real, imaginary) rows; spare lanes are too far away to be the nearest."""
        lanes = np.full((2, -(-self.data_points // 16) * 16), 1e6, np.float32)
        data = self.points[: self.data_points]
        lanes[:, : self.data_points] = data.real, data.imag
        return lanes

    @cached_property
    def branches(self) -> NDArray[np.int32]:
        """The trellis seen from the state after: which[4], (state before, subset), state after."""
        into: list[list[tuple[int, int]]] = [[] for _ in range(layout.STATES)]
        for before, row in enumerate(self.trellis):
            for subset, after in row:
                into[after].append((before, subset))
        if not self.trellis:
            return np.zeros((layout.BRANCHES, 2, layout.STATES), np.int32)
        return np.ascontiguousarray(np.array(into, np.int32).transpose(1, 2, 0))

    @cached_property
    def cells(self) -> NDArray[np.uint8]:
        """For each cell of a square around the origin, the point of each subset nearest to the cell's middle.

        The border between two points of a subset is far from both: a cell on it may have either.
        """
        if not self.trellis:
            return np.zeros((1, layout.STATES), np.uint8)
        axis = np.arange(layout.CELLS) - (layout.CELLS - 1) / 2
        middles = (axis + 1j * axis[:, None]).reshape(-1, 1, 1)
        subsets = self.points[: self.data_points].reshape(-1, layout.STATES)
        nearest = np.abs(middles - subsets).argmin(axis=1)
        return np.asarray(nearest * layout.STATES + np.arange(layout.STATES), np.uint8)

    @cached_property
    def slicer(self) -> Slicer:
        """The nearest points of data, for whole arrays."""
        return Slicer(self.points[: self.data_points])

    @cached_property
    def receiver_tables(self) -> tuple[Any, Any, Any, Any, Any, Any, Any]:
        """What the receiving kernels look things up in, in their order."""
        return self.bank, self.lane_points, self.lines, self.groups, self.training, self.branches, self.cells

    @cached_property
    def symbols_a_sample(self) -> Fraction:
        return Fraction(self.symbol_rate, SAMPLE_RATE)

    @cached_property
    def pulses(self) -> NDArray[np.int16]:
        """Weights of the last symbols in each sample of the pattern's period, carrier included; times PULSE_PEAK."""
        step = self.symbols_a_sample
        carrier = Fraction(self.carrier_hz).limit_denominator() / SAMPLE_RATE
        n = np.arange(math.lcm(step.denominator, carrier.denominator))
        fraction = (n * step.numerator % step.denominator) / step.denominator
        age = np.arange(2 * PULSE_SYMBOLS - 1, -1, -1)
        pulse = root_raised_cosine(fraction[:, None] + age - PULSE_SYMBOLS, self.roll_off)
        wave = pulse * np.exp(2j * np.pi * float(carrier) * n)[:, None]
        weights = np.stack([wave.real, -wave.imag], -1).reshape(len(n), -1)
        return np.ascontiguousarray(np.round(PULSE_PEAK * weights), np.int16)

    @cached_property
    def pulse_points(self) -> NDArray[np.int16]:
        """Points as the pulses' weights multiply them, (256, 2); the largest coordinate is POINT_PEAK."""
        points = np.zeros((256, 2), np.int16)
        points[: len(self.points)] = np.round(self.point_unit * np.stack([self.points.real, self.points.imag], -1))
        return points

    @cached_property
    def point_unit(self) -> float:
        """What stands for one in `pulse_points`."""
        return POINT_PEAK / float(np.abs([self.points.real, self.points.imag]).max())

    @cached_property
    def bank(self) -> NDArray[np.int16]:
        """Matched filters for each place between two samples; the carrier stays on.

        (places, halves of the window, FRONT): real weights of the half, then imaginary ones.
        """
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
        parts = np.round(FILTER_PEAK * np.stack([wave.real, wave.imag], 1) / np.abs(wave).max())
        halves = parts.reshape(layout.PHASES, 2, 2, -1).swapaxes(1, 2)
        return in_lines(halves.reshape(layout.PHASES, 2, layout.FRONT), np.int16)

    @cached_property
    def lines(self) -> NDArray[np.float32]:
        """Correlators for the three lines of the alternations, carrier, lower and upper band edge; then `SLOW`.

        What is slow is taken out of them: hum above the signal would be heard as lines, or put them out.
        """
        edge = self.symbol_rate / 2
        t = 2 * np.pi * np.arange(layout.BLOCK) / SAMPLE_RATE
        waves = np.stack([w(t * (self.carrier_hz + at)) for at in (0, -edge, edge) for w in (np.cos, np.sin)])
        slow_parts = np.sum(waves[:, None] * SLOW, axis=2)
        without = waves - np.sum(slow_parts[:, :, None] * SLOW, axis=1)
        return np.ascontiguousarray([*without, *SLOW], np.float32)


class Encoder:
    """Scrambler and coder of one burst: octets (first bit least significant) to point numbers."""

    def __init__(self, scheme: Scheme) -> None:
        self._scheme = scheme
        self._state = np.zeros(1, layout.CODER)
        self._state["bits"], self._state["states"], self._state["state"] = scheme.bits, len(scheme.table), scheme.start
        self._state["scrambler"] = scheme.scrambler
        self._octets = self._state.view(np.uint8)

    def most(self, octets: bytes) -> int:
        """Symbols that these octets, and what is pending, can make."""
        return len(octets) * 8 // self._scheme.bits + 1

    def encode_into(self, octets: bytes, symbols: bytearray | NDArray[np.uint8]) -> int:
        """Point numbers into memory for the most of them; how many were made."""
        scheme = self._scheme
        return native.qam_encode(self._octets, scheme.table, scheme.next, scheme.leaps, octets, symbols)

    def encode(self, octets: bytes) -> bytes:
        symbols = bytearray(self.most(octets))
        return bytes(symbols[: self.encode_into(octets, symbols)])

    def encode_ones(self, symbols: int) -> NDArray[np.uint8]:
        """A whole number of symbols from ones; what is pending is padded with ones and counts as one symbol more."""
        symbols += bool(self._state["pending_bits"][0])
        ones = self.encode(b"\xff" * (-(-symbols * self._scheme.bits // 8)))
        return np.frombuffer(ones, np.uint8)[:symbols]
