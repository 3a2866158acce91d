"""Types of the native module. Arrays are C-contiguous; shapes and units stand beside each function."""

from typing import Any

import numpy as np
import numpy.typing as npt

source_hash: str

def levels() -> list[str]: ...
def level() -> str: ...
def select_level(name: str, /) -> None: ...

# T.4 and T.6. coding: 0 MH, 1 MR, 2 MMR; code bits are in octets most significant first; width 1 to 16384 pels;
# rows (height, (width + 7) // 8) packed, most significant pel left, 1 = black; work at least 33024 items of scratch.

# k >= 1: every k-th MR line is 1-D; out at least height * ((7 * width + min_line_bits) // 8 + 16) + 32; octets written
def t4_encode(rows: npt.NDArray[np.uint8], width: int, coding: int, k: int, min_line_bits: int, out: npt.NDArray[np.uint8], work: npt.NDArray[np.uint16], /) -> int: ...

# octets: coded ones and 32 zeros; rows and bad (1: the row is bad) are filled as far as lines go; rows, and whether
# the end was seen: 0, 1, or 2 where t4_encode writes just these MMR octets for these rows
def t4_decode(octets: npt.NDArray[np.uint8], coding: int, width: int, rows: npt.NDArray[np.uint8], bad: npt.NDArray[np.uint8], work: npt.NDArray[np.uint16], /) -> tuple[int, int]: ...

# the bits of every octet, in place
def t4_reverse(octets: npt.NDArray[np.uint8], /) -> None: ...

# fsk: V.21, HDLC, tones. `state` is one item of faxcore.kernels.twins.fsk's HDLC, FSK or TONES, `events` (n >= 4,) of
# EVENT, `octets` (n >= 514,) uint8: the octets of all events one after another. Each returns (items taken, events
# written) and stops early when a further event might not fit.
def hdlc_deframe(state: npt.NDArray[Any], data: npt.NDArray[np.uint8], packed: int, start: int, events: npt.NDArray[Any], octets: npt.NDArray[np.uint8], /) -> tuple[int, int]: ...
def hdlc_frame(octets: npt.NDArray[np.uint8], lengths: npt.NDArray[np.int32], before: int, between: int, after: int, out: npt.NDArray[np.uint8], /) -> int: ...
def fsk_receive(state: npt.NDArray[Any], samples: npt.NDArray[np.int16], start: int, events: npt.NDArray[Any], octets: npt.NDArray[np.uint8], /) -> tuple[int, int]: ...
def tone_detect(state: npt.NDArray[Any], samples: npt.NDArray[np.int16], start: int, events: npt.NDArray[Any], /) -> tuple[int, int]: ...

# page: grey uint8 (height, width), 255 = white. rows uint8 (height, (width + 7) // 8): packed, 1 = black where grey is at
# most `threshold` (0 to 255). counts int32 (tiles down, tiles across): pels of each tile that are at least `low` and
# below `high`; tiles are `tile_pels` wide and `tile_lines` high (1 to 255), the last ones may be cut off; columns uint8,
# at least width items of scratch.
def page_bilevel(grey: npt.NDArray[np.uint8], threshold: int, low: int, high: int, tile_pels: int, tile_lines: int, columns: npt.NDArray[np.uint8], counts: npt.NDArray[np.int32], rows: npt.NDArray[np.uint8], /) -> None: ...

# line: samples of one direction from line time `position` on, into `out` of the same length: gain (ratio), white
# Gaussian noise of RMS `sigma` keyed by `key` (uint32 (3,)) and the sample's number, saturation, then the round trip
# through G.711: law 0 none, 1 mu, 2 A.
def line_carry(samples: npt.NDArray[np.int16], out: npt.NDArray[np.int16], position: int, key: npt.NDArray[np.uint32], gain: float, sigma: float, law: int, /) -> None: ...

# t38: packets and datagrams in bulk. head: the first octet of a data packet; form 0 of 1998, 1 of 2002; raw 1: page
# data, 0: frames; octets are first bit least significant. Sizes, lengths, ends and within are int32, bits int64.
def t38_pack(octets: Any, lengths: Any, chunk: int, head: int, form: int, raw: int, out: Any, sizes: Any, bits: Any, /) -> int: ...  # packets of frames; bits of the line before each, and behind the last; packets made
def t38_wrap(packets: Any, sizes: Any, sent: int, depth: int, limit: int, sequence: int, out: Any, out_sizes: Any, /) -> int: ...  # datagrams of packets[sent:], with up to depth earlier ones; octets made
def t38_unwrap(datagrams: Any, sizes: Any, sequence: int, head: int, form: int, raw: int, out: Any, ends: Any, within: Any, /) -> tuple[int, int, int]: ...  # datagrams taken from the first on, octets, frames that end

# qam: carriers with amplitude and phase; states are the octets (uint8) of one record of
# `faxcore.kernels.twins.qam.CODER` / `RECEIVER`
def qam_encode(coder: Any, table: Any, next: Any, leaps: Any, octets: Any, symbols: Any, /) -> int: ...  # table, next uint8 (states, groups); leaps uint8 (4^k, states): states after two groups, by the first k bits of both; octets in, point numbers out (uint8); symbols made
def qam_shape(taps: Any, points: Any, symbols: Any, out: Any, up: int, down: int, first_symbol: int, first_sample: int, gain: float, /) -> None: ...  # taps int16 (rows, 2 x span); points int16 (256, 2); symbols uint8; out int16
def qam_receive(receiver: Any, bank: Any, points: Any, lines: Any, groups: Any, training: Any, branches: Any, cells: Any, samples: Any, octets: Any, /) -> tuple[int, int, int]: ...  # training float32 (n, 2); branches int32 (4, 2, 8); cells uint8 (576, 8), (1, 8) without a trellis; samples int16; octets uint8, writable; samples used, octets made, event

# qam_acquire: the acquisition of a training; halves are complex64, half a symbol apart
def qam_front(samples: Any, bank: Any, clock: int, step: int, turn: float, out: Any, /) -> None: ...  # samples and bank int16; clock and step in 2^-32 samples; turn in radians; out complex64
def qam_energy(samples: Any, lines: Any, /) -> float: ...  # samples int16; lines as for qam_receive
def qam_correlate(halves: Any, known: Any, scores: Any, /) -> None: ...  # complex64; known (chunks, points), scores (places, chunks): the result
def qam_fit(halves: Any, targets: Any, taps: Any, centre: int, ridge: float, /) -> None: ...  # halves (2 n + 30) and targets (n,) complex64; taps (32,) complex128: the result
def qam_refine(halves: Any, targets: Any, taps: Any, unknowns: int, /) -> tuple[float, float, complex, float, float, float, float]: ...  # halves (2 n + 32) and targets (n,) complex64; taps (32,) complex128

# bank: many lanes of one modulation; senders, receivers and progress are the octets of records of
# `faxcore.kernels.twins.bank.SENDER`, `twins.qam.RECEIVER`, `twins.bank.PROGRESS`, one a lane
def bank_shape(senders: Any, taps: Any, points: Any, symbols: Any, out: Any, up: int, down: int, /) -> None: ...  # taps int16 (rows, 2 x span), rows at most 128; points int16 (256, 2); symbols uint8 (lanes, capacity); out int16 (lanes, n)
def bank_receive(receivers: Any, samples: Any, bank: Any, points: Any, lines: Any, groups: Any, training: Any, branches: Any, cells: Any, octets: Any, progress: Any, /) -> None: ...  # samples int16 (lanes, n); tables as for qam_receive; octets uint8 (lanes, capacity)
def bank_receive_each(receivers: Any, samples: Any, bank: Any, points: Any, lines: Any, groups: Any, training: Any, branches: Any, cells: Any, octets: Any, progress: Any, /) -> None: ...  # sequences of receivers, each with its own memory, and of their samples, int16 (n,)
