"""Twins of native/qam*.c: carriers with amplitude and phase.

Sums run over sixteen float32 lanes folded in one fixed order, so twin and kernel agree to the bit.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

f32 = np.float32

TAPS, FRONT, BLOCK, LINES, HISTORY, DELAY, RECENT = 32, 32, 80, 3, 4096, 512, 1024
PHASE_BITS = 6
PHASES = 1 << PHASE_BITS
STATES, BRANCHES, DEPTH, CELLS = 8, 4, 32, 24
SCALE_END, CUT = 32124, 5500
HUNTING, COLLECTING, ACQUIRING, DATA = range(4)
NOTHING, ACQUIRE, ENDED, LOST = range(4)
REACH = FRONT + 24

SCRAMBLER = np.dtype(
    [
        ("line", "u4"), ("tap_near", "i4"), ("tap_far", "i4"), ("guard", "i4"), ("guard_run", "i4"),
        ("guard_taps", "i4", 3),
    ]
)  # fmt: skip
"""struct qam_scrambler."""

CODER = np.dtype(
    [
        ("scrambler", SCRAMBLER), ("state", "u4"), ("pending", "u4"), ("pending_bits", "i4"),
        ("bits", "i4"), ("states", "i4"),
    ],
    align=True,
)  # fmt: skip
"""struct qam_coder; kernels take its octets."""

RECEIVER = np.dtype(
    [
        ("bits", "i4"), ("states", "i4"), ("state_shift", "i4"), ("points", "i4"), ("trellis", "i4"),
        ("kept", "i4"), ("collected", "i4"), ("symbols_a_block", "i4"), ("low_blocks", "i4"),
        ("half_step", "i8"), ("mean_power", "f4"),
        ("carrier_gain", "f4"), ("carrier_pull", "f4"), ("timing_gain", "f4"), ("timing_pull", "f4"),
        ("drift_limit", "f4"), ("carrier_step", "f4"),
        ("energy_floor", "f4"), ("line_share", "f4"), ("edge_share", "f4"), ("loss_ratio", "f4"),
        ("origin", "i8"), ("filled", "i8"), ("scan", "i8"), ("trigger", "i8"),
        ("stage", "i4"), ("hits", "i4"), ("quiet_blocks", "i4"), ("delay_head", "i4"), ("lost_energy", "f4"),
        ("step_size", "f4"), ("loud", "f4"), ("hold", "i4"), ("clock", "i8"), ("drift", "f4"),
        ("phase_re", "f4"), ("phase_im", "f4"), ("turn_re", "f4"), ("turn_im", "f4"),
        ("last_re", "f4"), ("last_im", "f4"), ("last_point_re", "f4"), ("last_point_im", "f4"),
        ("power", "f4"), ("block_power", "f4"), ("block_error", "f4"), ("held_error", "f4"), ("error", "f8"),
        ("errors_counted", "i8"), ("symbols", "i8"), ("ended_at", "i8"),
        ("training_left", "i4"), ("skip", "i4"), ("block_symbols", "i4"), ("low_run", "i4"),
        ("adrift_run", "i4"), ("adrift_blocks", "i4"), ("adrift_error", "f4"),
        ("scrambler", SCRAMBLER), ("state", "u4"), ("pending", "u4"), ("pending_bits", "i4"),
        ("column", "i4"), ("side", "i4"),
        ("metric", "f4", STATES), ("survivors", "u1", (2, STATES, DEPTH)),
        ("taps_re", "f4", TAPS), ("taps_im", "f4", TAPS), ("delay_re", "f4", DELAY), ("delay_im", "f4", DELAY),
        ("recent_re", "f4", RECENT), ("recent_im", "f4", RECENT), ("history", "i2", HISTORY),
    ],
    align=True,
)  # fmt: skip
"""struct qam_receiver; kernels take its octets."""


def dot(a: NDArray[np.float32], b: NDArray[np.float32]) -> Any:
    """Dot products along the last axis (a multiple of 16), summed as the kernels do."""
    product = a * b
    lanes = product[..., :16].copy()
    for i in range(16, product.shape[-1], 16):
        lanes += product[..., i : i + 16]
    for half in (8, 4, 2, 1):
        lanes = lanes[..., :half] + lanes[..., half:]
    return lanes[..., 0]


def scramble(scrambler: Any, bit: int) -> int:
    """The line's bit for one of the data; `scrambler` has the fields of SCRAMBLER."""
    sent = bit ^ _mask(scrambler)
    _onto_the_line(scrambler, sent)
    return sent


def descramble(scrambler: Any, bit: int) -> int:
    """The data's bit for one of the line."""
    plain = bit ^ _mask(scrambler)
    _onto_the_line(scrambler, bit)
    return plain


def _guard_inverts(scrambler: Any) -> bool:
    return bool(scrambler["guard"] > 0 and scrambler["guard_run"] >= scrambler["guard"])


def _mask(scrambler: Any) -> int:
    """What the next bit is added to."""
    near, far = (int(scrambler["line"]) >> (int(scrambler[tap]) - 1) for tap in ("tap_near", "tap_far"))
    return (near ^ far ^ _guard_inverts(scrambler)) & 1


def _onto_the_line(scrambler: Any, bit: int) -> None:
    """Remember a bit; the guard counts those that were equal to one of three before."""
    before = [int(scrambler["line"]) >> (int(tap) - 1) & 1 for tap in scrambler["guard_taps"]]
    if scrambler["guard"]:
        restarts = _guard_inverts(scrambler) or bit not in before
        scrambler["guard_run"] = 0 if restarts else scrambler["guard_run"] + 1
    scrambler["line"] = (int(scrambler["line"]) << 1 | bit) & 0xFFFFFFFF


def qam_encode(
    coder: Any, table: NDArray[np.uint8], next: NDArray[np.uint8], leaps: NDArray[np.uint8], octets: Any, symbols: Any
) -> int:
    """Scramble octets (first bit least significant) and code them to point numbers; how many were made.

    `leaps` says what two steps of `next` come to, and is of use to the kernel only.
    """
    c = coder.view(CODER)[0]
    made = 0
    for bit in np.unpackbits(np.frombuffer(octets, np.uint8), bitorder="little").tolist():
        c["pending"] = int(c["pending"]) << 1 | bit
        c["pending_bits"] += 1
        if c["pending_bits"] == c["bits"]:
            group = 0
            for i in reversed(range(int(c["bits"]))):
                group = group << 1 | scramble(c["scrambler"], int(c["pending"]) >> i & 1)
            symbols[made] = table[c["state"], group]
            c["state"], c["pending"], c["pending_bits"] = next[c["state"], group], 0, 0
            made += 1
    return made


def qam_shape(
    taps: NDArray[np.int16], points: NDArray[np.int16], symbols: Any, out: NDArray[np.int16],
    up: int, down: int, first_symbol: int, first_sample: int, gain: float,
) -> None:  # fmt: skip
    """Samples from `first_sample` on of point numbers that begin with symbol `first_symbol`."""
    n = np.arange(first_sample, first_sample + len(out))
    span = taps.shape[1] // 2
    at = (n * up // down - first_symbol)[:, None] + np.arange(1 - span, 1)
    inside = (at >= 0) & (at < len(symbols))
    padded = np.append(np.frombuffer(symbols, np.uint8), np.uint8(0))
    window = np.where(inside[..., None], points[padded[np.where(inside, at, -1)]], 0).reshape(len(n), 2 * span)
    sums = (window.astype(np.int32) * taps[n % len(taps)]).sum(axis=1, dtype=np.int32)
    out[:] = np.clip(np.rint(sums.astype(np.float32) * f32(gain)), -32768, 32767)


def matched(samples: NDArray[np.int16], bank: NDArray[np.int16], clocks: NDArray[np.int64]) -> NDArray[np.complex64]:
    """Matched-filter outputs that begin at `clocks` (2^-32 samples), the carrier still on; whole numbers.

    A row of `bank` has the real and imaginary weights of a window's first half, then of the other.
    """
    place = clocks + (1 << (31 - PHASE_BITS))
    windows = samples[(place >> 32)[:, None] + np.arange(FRONT)].astype(np.int32).reshape(-1, 2, 1, FRONT // 2)
    rows = bank[place >> (32 - PHASE_BITS) & (PHASES - 1)].reshape(-1, 2, 2, FRONT // 2)
    out = np.empty(len(clocks), np.complex64)
    out.real, out.imag = (windows * rows).sum(axis=(1, 3)).T
    return out


class _Receiver:
    """One call of qam_receive: the fields of the state are `s`, so that the loop reads like the C one."""

    def __init__(
        self, state: Any, bank: Any, points: Any, lines: Any, groups: Any, training: Any, branches: Any, cells: Any
    ) -> None:
        self.bank, self.points, self.lines, self.groups = bank, points, lines, groups
        self.training, self.branches, self.cells = training, branches, cells
        self.record = state.view(RECEIVER)[0]
        self.s = SimpleNamespace()
        for name, (dtype, *_) in (RECEIVER.fields or {}).items():
            value = self.record[name]
            plain = not dtype.shape and not dtype.names and dtype != np.float32
            setattr(self.s, name, value.item() if plain else value)

    def save(self) -> None:
        for name, (dtype, *_) in (RECEIVER.fields or {}).items():
            if not dtype.shape and not dtype.names:
                self.record[name] = getattr(self.s, name)

    def line_energy(self, block: Any, line: int) -> Any:
        re, im = dot(block, self.lines[line]), dot(block, self.lines[line + 1])
        return (re * re + im * im) * (f32(2) / f32(BLOCK))

    def looks_like_alternations(self, block: Any, energy: Any) -> bool:
        if energy <= self.s.energy_floor:
            return False
        carrier = self.line_energy(block, 0)
        edges = self.line_energy(block, 2) + self.line_energy(block, 4)
        return bool(edges > self.s.edge_share * energy and carrier + edges > self.s.line_share * energy)

    def energy_of(self, block: Any) -> Any:
        energy = rest = dot(block, block)
        for slow in self.lines[2 * LINES :] if energy > self.s.energy_floor else ():
            part = dot(block, slow)
            rest = rest - part * part
        return rest

    def lost_burst_ended(self, energy: Any) -> bool:
        if self.s.lost_energy == 0:
            return False
        self.s.quiet_blocks = self.s.quiet_blocks + 1 if energy < self.s.loss_ratio * self.s.lost_energy else 0
        if self.s.quiet_blocks < 3:
            return False
        self.s.lost_energy, self.s.quiet_blocks = f32(0), 0
        return True

    def hunt(self) -> int:
        while self.s.scan + BLOCK <= self.s.filled:
            block = self.s.history[self.s.scan : self.s.scan + BLOCK].astype(np.float32)
            energy = self.energy_of(block)
            self.s.hits = self.s.hits + 1 if self.looks_like_alternations(block, energy) else 0
            self.s.scan += BLOCK
            if self.s.hits == 2:
                self.s.trigger = self.s.scan - 2 * BLOCK
                self.s.hits, self.s.stage = 0, COLLECTING
                return NOTHING
            if self.lost_burst_ended(energy):
                return LOST
        return NOTHING

    def take_half(self) -> None:
        half = matched(self.s.history, self.bank, np.array([self.s.clock], np.int64))[0]
        self.s.delay_re[self.s.delay_head], self.s.delay_im[self.s.delay_head] = half.real, half.imag
        self.s.delay_head += 1
        self.s.clock += self.s.half_step

    def window(self) -> tuple[Any, Any]:
        if self.s.delay_head + 2 > DELAY:
            for delay in (self.s.delay_re, self.s.delay_im):
                delay[:TAPS] = delay[self.s.delay_head - TAPS : self.s.delay_head].copy()
            self.s.delay_head = TAPS
        part = slice(self.s.delay_head - TAPS, self.s.delay_head)
        return self.s.delay_re[part], self.s.delay_im[part]

    def equalise(self, y_re: Any, y_im: Any) -> tuple[Any, Any]:
        one, taps_re, taps_im = np.ones(TAPS, np.float32), self.s.taps_re, self.s.taps_im
        return dot(taps_re * y_re - taps_im * y_im, one), dot(taps_re * y_im + taps_im * y_re, one)

    def adapt(self, y_re: Any, y_im: Any, re: Any, im: Any) -> None:
        self.s.taps_re += re * y_re + im * y_im
        self.s.taps_im += im * y_re - re * y_im

    def nearest(self, re: Any, im: Any) -> int:
        dx, dy = self.points[0] - re, self.points[1] - im
        key = (dx * dx + dy * dy).view(np.int32) & ~255
        return int((key | np.arange(len(key), dtype=np.int32)).min()) & 255

    def nearest_of_subsets(self, re: Any, im: Any) -> tuple[Any, Any]:
        """The nearest point of each subset as its cell has it, and the squared distance."""
        x, y = (int(np.clip(value + f32(CELLS / 2), f32(0), f32(CELLS - 0.5))) for value in (re, im))
        near = self.cells[y * CELLS + x]
        dx, dy = self.points[0][near] - re, self.points[1][near] - im
        return near, dx * dx + dy * dy

    def viterbi(self, re: Any, im: Any) -> tuple[int, int]:
        """The point that the best path ends with, and the one it had DEPTH - 1 symbols ago."""
        near, distance = self.nearest_of_subsets(re, im)
        before, by = self.branches[:, 0], self.branches[:, 1]
        keys = (self.s.metric[before] + distance[by]).view(np.int32) & ~3 | np.arange(BRANCHES, dtype=np.int32)[:, None]
        best = keys.min(axis=0)
        which = best & 3, np.arange(STATES)
        least = int((best & ~7 | np.arange(STATES, dtype=np.int32)).min())
        ahead, level = least & 7, np.int32(least & ~7)
        self.s.metric[:] = best.view(np.float32) - level.view(np.float32)
        old, paths = self.s.survivors[self.s.side & 1], self.s.survivors[~self.s.side & 1]
        paths[:] = old[before[which]]
        paths[:, self.s.column] = near[by[which]]
        now = int(paths[ahead, self.s.column])
        self.s.side, self.s.column = self.s.side ^ 1, (self.s.column + 1) % DEPTH
        return now, int(paths[ahead, self.s.column])

    def decide(self, re: Any, im: Any) -> tuple[Any, Any, int | None]:
        if self.s.training_left > 0:
            known = self.training[len(self.training) - self.s.training_left]
            self.s.training_left -= 1
            return known[0], known[1], None
        now, sent = self.viterbi(re, im) if self.s.trellis else (self.nearest(re, im),) * 2
        return self.points[0][now], self.points[1][now], self.deliver(sent)

    def deliver(self, point: int) -> int | None:
        group, plain = int(self.groups[self.s.state, point]), 0
        for i in reversed(range(self.s.bits)):
            plain = plain << 1 | descramble(self.s.scrambler, group >> i & 1)
        self.s.state = point >> self.s.state_shift & (self.s.states - 1)
        if self.s.skip > 0:
            self.s.skip -= self.s.bits
            return None
        self.s.pending = (self.s.pending << self.s.bits | plain) & 0xFFFFFFFF
        self.s.pending_bits += self.s.bits
        if self.s.pending_bits < 8:
            return None
        self.s.pending_bits -= 8
        return int(f"{self.s.pending >> self.s.pending_bits & 255:08b}"[::-1], 2)

    def steer(self, re: Any, im: Any, point_re: Any, point_im: Any, steady: bool) -> None:
        angle = move = f32(0)
        inverse_power = f32(1) / self.s.mean_power
        if steady:
            angle = (im * point_re - re * point_im) * inverse_power
            early = re * self.s.last_point_re + im * self.s.last_point_im
            early = early - self.s.last_re * point_re - self.s.last_im * point_im
            early = max(min(early * inverse_power, f32(4)), f32(-4))
            drift = self.s.drift + self.s.timing_pull * early
            self.s.drift = max(min(drift, self.s.drift_limit), -self.s.drift_limit)
            move = self.s.timing_gain * early
        self.s.clock += int((move + self.s.drift) * f32(2**32))
        self.s.turn_re, self.s.turn_im = turned(
            self.s.turn_re, self.s.turn_im, f32(1), f32(0), self.s.carrier_pull * angle
        )
        self.s.phase_re, self.s.phase_im = turned(
            self.s.phase_re, self.s.phase_im, self.s.turn_re, self.s.turn_im,
            self.s.carrier_gain * angle + self.s.carrier_step * move,
        )
        self.s.last_re, self.s.last_im, self.s.last_point_re, self.s.last_point_im = re, im, point_re, point_im

    def judge_level(self, power: Any, error: Any) -> bool:
        self.s.block_power += power
        self.s.block_error += error
        self.s.block_symbols += 1
        if self.s.block_symbols < self.s.symbols_a_block:
            return False
        low = self.s.block_power < self.s.loss_ratio * self.s.mean_power * f32(self.s.symbols_a_block)
        if not low:
            self.s.error += float(self.s.held_error)
            self.s.errors_counted += self.s.symbols_a_block if self.s.held_error > 0 else 0
            self.s.held_error = self.s.block_error
        self.s.low_run = self.s.low_run + 1 if low else 0
        adrift = not low and self.s.block_error > self.s.adrift_error
        self.s.adrift_run = self.s.adrift_run + 1 if adrift or self.s.adrift_run < 0 else max(self.s.adrift_run - 1, 0)
        self.s.block_power = self.s.block_error = f32(0)
        self.s.block_symbols = 0
        return bool(self.s.low_run == self.s.low_blocks or self.s.adrift_run == self.s.adrift_blocks)

    def is_steady(self, power: Any) -> bool:
        re, im = self.s.delay_re[self.s.delay_head - 1], self.s.delay_im[self.s.delay_head - 1]
        self.s.hold = TAPS // 2 + 1 if re * re + im * im > self.s.loud else max(self.s.hold - 1, 0)
        return bool(
            self.s.hold == 0 and self.s.power > f32(0.3) * self.s.mean_power and power < f32(8) * self.s.mean_power
        )

    def take_symbol(self) -> tuple[bool, int | None]:
        y_re, y_im = self.window()
        z_re, z_im = self.equalise(y_re, y_im)
        self.take_half()
        self.take_half()
        re = z_re * self.s.phase_re + z_im * self.s.phase_im
        im = z_im * self.s.phase_re - z_re * self.s.phase_im
        point_re, point_im, octet = self.decide(re, im)
        error_re, error_im, power = point_re - re, point_im - im, re * re + im * im
        self.s.power += f32(0.125) * (power - self.s.power)
        steady = self.is_steady(power)
        if steady:
            step = self.s.step_size
            turned_re = step * (error_re * self.s.phase_re - error_im * self.s.phase_im)
            self.adapt(y_re, y_im, turned_re, step * (error_re * self.s.phase_im + error_im * self.s.phase_re))
        self.steer(re, im, point_re, point_im, steady)
        self.s.recent_re[self.s.symbols % RECENT], self.s.recent_im[self.s.symbols % RECENT] = re, im
        self.s.symbols += 1
        return self.judge_level(power, error_re * error_re + error_im * error_im), octet

    def decode(self, octets: Any, made: int) -> tuple[int, int]:
        while (self.s.clock >> 32) + REACH <= self.s.filled and made < len(octets):
            known_at = self.s.origin + (self.s.clock >> 32) + REACH
            ended, octet = self.take_symbol()
            if octet is not None:
                octets[made] = octet
                made += 1
            if ended:
                self.s.stage, self.s.scan, self.s.hits, self.s.ended_at = HUNTING, self.s.clock >> 32, 0, known_at
                return ENDED, made
        return NOTHING, made

    def oldest(self) -> int:
        if self.s.stage == DATA:
            return int((self.s.clock >> 32) - self.s.kept)
        return int((self.s.scan - BLOCK if self.s.stage == HUNTING else self.s.trigger) - self.s.kept)

    def append(self, samples: Any) -> int:
        if len(samples) and self.s.filled == HISTORY and (oldest := self.oldest()) > 0:
            self.s.filled -= oldest
            self.s.history[: self.s.filled] = self.s.history[oldest:].copy()
            self.s.origin += oldest
            if self.s.stage == DATA:
                self.s.clock -= oldest << 32
            elif self.s.stage == HUNTING:
                self.s.scan -= oldest
            else:
                self.s.trigger -= oldest
        taken = samples[: HISTORY - self.s.filled].astype(np.int32)
        cut = (np.abs(taken) >= SCALE_END) * np.sign(taken) * (CUT // 2)
        self.s.history[self.s.filled : self.s.filled + len(taken)] = (taken >> 1) + cut
        self.s.filled += len(taken)
        return len(taken)

    def advance(self, octets: Any, made: int) -> tuple[int, int]:
        if self.s.stage == HUNTING and (event := self.hunt()) != NOTHING:
            return event, made
        if self.s.stage == COLLECTING and self.s.trigger + self.s.collected <= self.s.filled:
            self.s.stage = ACQUIRING
        if self.s.stage == ACQUIRING:
            return ACQUIRE, made
        return self.decode(octets, made) if self.s.stage == DATA else (NOTHING, made)


def turned(re: Any, im: Any, by_re: Any, by_im: Any, angle: Any) -> tuple[Any, Any]:
    """(re, im) times (1 + j angle) times (by_re, by_im), its length pulled back to one."""
    a, b = by_re - angle * by_im, by_im + angle * by_re
    x, y = re * a - im * b, re * b + im * a
    length = f32(1.5) - f32(0.5) * (x * x + y * y)
    return x * length, y * length


def qam_receive(
    receiver: Any, bank: Any, points: Any, lines: Any, groups: Any, training: Any, branches: Any,
    cells: Any, samples: Any, octets: Any,
) -> tuple[int, int, int]:
    """Advance a receiver; samples consumed, octets made, and the event that stopped it (NOTHING: all consumed)."""
    r = _Receiver(receiver, bank, points, lines, groups, training, branches, cells)
    used = made = 0
    while True:
        event, made = r.advance(octets, made)
        if event != NOTHING or made == len(octets) or used == len(samples):
            r.save()
            return used, made, event
        used += r.append(samples[used:])
