"""CPU time of our fast modems beside SpanDSP's, ns a sample at 8 kHz: `python -m benchmarks.modems`.

Both work in blocks of 160 samples (ours through Python) on 20 s of line; ours also in one call. The peer runs in a C
loop (peers/modem_peers.c, compiled with gcc; needs libspandsp-dev). Every figure is the least of all repeats. Target:
V.17 at 14400 bit/s is received in at most a third of the peer's time.

Banks of 256 lanes follow at every CPU level, in pushes of one second and of 160 samples; their bursts begin at all
times. A figure is the least of all seconds, as it is for SpanDSP of all repeats between them. Targets: V.17 14400 is
received in a tenth of the peer's time and sent in a sixth, V.29 9600 received in an eighth.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from faxcore import kernels, modem
from faxcore.modem import qam
from faxcore.signals import V17_9600, V17_14400, V27TER_2400, V27TER_4800, V29_7200, V29_9600, Modulation, Octets

SECONDS, HEAD, BLOCK = 20, 13000, 160
LANES, BANK_SECONDS = 256, 12
WORK = ("transmit", "receive data", "receive silence")
Samples = npt.NDArray[np.int16]


def least_ns(repeats: int, prepare: Callable[[], Callable[[], int]]) -> float:
    """The least CPU time a sample of what `prepare` returns; that returns its samples."""
    times = []
    for _ in range(repeats):
        work = prepare()
        start = time.thread_time_ns()
        n = work()
        times.append((time.thread_time_ns() - start) / n)
    return min(times)


def data(modulation: Modulation) -> bytes:
    octets = np.random.default_rng(1).integers(0, 256, modulation.bit_rate * SECONDS // 8)
    return octets.astype(np.uint8).tobytes()


def transmitter(modulation: Modulation) -> qam.Transmitter:
    made = modem.transmitter(modulation)
    made.feed(data(modulation))
    return made


def check(modulation: Modulation, line: Samples) -> None:
    """What is timed is a reception without errors; the line stops before the last symbols have left the receiver."""
    heard = b"".join(item.data for item in modem.receiver(modulation).push(line) if isinstance(item, Octets))
    if len(heard) < len(data(modulation)) - 50 or not data(modulation).startswith(heard):
        raise SystemExit(f"{modulation} decoded other octets")


def transmit(modulation: Modulation, block: int) -> Callable[[], int]:
    def work() -> int:
        burst, n = transmitter(modulation), 0
        while got := len(burst.pull(block)):
            n += got
        return n

    return work


def receive(modulation: Modulation, line: Samples, head: int, block: int) -> Callable[[], int]:
    receiver = modem.receiver(modulation)
    receiver.push(line[:head])

    def work() -> int:
        for i in range(head, len(line), block):
            receiver.push(line[i : i + block])
        return len(line) - head

    return work


def ours(modulation: Modulation, repeats: int, block: int) -> list[float]:
    line = transmitter(modulation).pull(10**9)
    check(modulation, line)
    silence = np.zeros(SECONDS * 8000, np.int16)
    return [
        least_ns(repeats, lambda: transmit(modulation, block)),
        least_ns(repeats, lambda: receive(modulation, line, HEAD, block)),
        least_ns(repeats, lambda: receive(modulation, silence, 0, block)),
    ]


def bank_transmit(modulation: Modulation, block: int) -> Iterator[int]:
    """All of it, octets to symbols to samples: a second at each step, its lane samples."""
    bank = modem.TransmitterBank(*modulation[:2], lanes=LANES)
    for lane in range(LANES):
        bank.start(lane)
    octets = data(modulation)[: modulation.bit_rate // 8]
    for _ in range(BANK_SECONDS):
        for lane in range(LANES):
            bank.feed(lane, octets)
        for _ in range(0, 8000, block):
            bank.pull(block)
        yield LANES * 8000


def bank_receive(modulation: Modulation, block: int, heard: bool) -> Iterator[int]:
    """The same for reception; the first step is the training."""
    line = transmitter(modulation).pull(HEAD + 1000 + 8000 * BANK_SECONDS)
    lines = np.zeros((LANES, len(line)), np.int16)
    for lane in range(LANES if heard else 0):
        skew = 37 * lane % 1000
        lines[lane, skew:] = line[: len(line) - skew]
    bank = modem.ReceiverBank(*modulation[:2], lanes=LANES)
    bank.push(lines[:, : HEAD + 1000])
    seconds = np.split(lines[:, HEAD + 1000 :], BANK_SECONDS, axis=1)
    cut = [[np.ascontiguousarray(part) for part in np.split(second, 8000 // block, axis=1)] for second in seconds]
    yield LANES
    for parts in cut:
        reports = [bank.push(part) for part in parts]
        if heard and not any(isinstance(item, Octets) for each in reports for item in each[LANES - 1]):
            raise SystemExit("a bank heard nothing")
        yield LANES * 8000


def least_step(steps: Iterator[int]) -> float:
    """The least CPU time a lane sample of the steps after the first."""
    next(steps)
    times, start = [], time.thread_time_ns()
    for n in steps:
        times.append((time.thread_time_ns() - start) / n)
        start = time.thread_time_ns()
    return min(times)


def print_banks(repeats: int) -> None:
    print(f"\nbanks of {LANES} lanes, ns a lane sample; the ratio is pushes of a second / SpanDSP")
    print(f"{'':39}{'by 8000':>10}{'by 160':>10}{'SpanDSP':>10}{'ratio':>8}")
    for modulation in (V17_14400, V29_9600):
        peers, rows = [spandsp(modulation, repeats)], []
        for level in kernels.cpu_levels():
            kernels.select_cpu_level(level)
            for block in (8000, BLOCK):
                rows.append([least_step(steps) for steps in (
                    bank_transmit(modulation, block), bank_receive(modulation, block, True),
                    bank_receive(modulation, block, False),
                )])  # fmt: skip
            peers.append(spandsp(modulation, repeats))
        least = np.min(peers, axis=0)
        for level, seconds, ticks in zip(kernels.cpu_levels(), rows[::2], rows[1::2], strict=True):
            for name, second, tick, peer in zip(WORK, seconds, ticks, least, strict=True):
                print(f"{modulation!s:13}{name:16}{level:10}{second:10.2f}{tick:10.2f}{peer:10.2f}{second / peer:8.2f}")


def print_memory() -> None:
    transmitting, receiving = modem.TransmitterBank("v17", 14400, LANES), modem.ReceiverBank("v17", 14400, LANES)
    sizes = [sum(part.nbytes for part in parts) / LANES / 1024 for parts in (
        (transmitting._senders, transmitting._symbols), (receiving._states, receiving._progress, receiving._octets),
    )]  # fmt: skip
    print(f"\nnative state a lane: {sizes[0]:.1f} kB to transmit, {sizes[1]:.1f} kB to receive; target 64 kB in all")


def spandsp(modulation: Modulation, repeats: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "modem_peers"
        source = Path(__file__).parent / "peers" / "modem_peers.c"
        subprocess.run(["gcc", "-O2", "-std=gnu11", str(source), "-o", str(program), "-lspandsp", "-lm"], check=True)
        words = [str(program), modulation.name, str(modulation.bit_rate), str(repeats)]
        run = subprocess.run(words, check=True, capture_output=True)
        return [float(figure) for figure in run.stdout.split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--banks", action="store_true", help="banks alone")
    options = parser.parse_args()
    if not options.banks:
        print_lone(options.repeats)
    print_banks(options.repeats)
    print_memory()


def print_lone(repeats: int) -> None:
    print(f"ns a sample, kernels {kernels.cpu_level()}; the ratio is ours in one call / SpanDSP")
    print(f"{'':29}{'one call':>10}{'by 160':>10}{'SpanDSP':>10}{'ratio':>8}")
    for modulation in (V17_14400, V17_9600, V29_9600, V29_7200, V27TER_4800, V27TER_2400):
        columns = ours(modulation, repeats, 10**9), ours(modulation, repeats, BLOCK), spandsp(modulation, repeats)
        for name, whole, blocks, peer in zip(WORK, *columns, strict=True):
            print(f"{modulation!s:13}{name:16}{whole:10.2f}{blocks:10.2f}{peer:10.2f}{whole / peer:8.2f}")


if __name__ == "__main__":
    main()
