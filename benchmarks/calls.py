"""Whole audio calls beside SpanDSP's: CPU time of a call, and memory of an idle one: `python -m benchmarks.calls`.

Both ends, one dense page, V.17 14400, error correction, MMR, from the coded page to the decoded page, nothing on the
line. What coding the page costs before, and coding it again for the received document, is printed apart; of the peer,
which reads and writes TIFF, it cannot be told apart and counts. The peer runs in a C loop (peers/call_peers.c, compiled
with gcc; needs libspandsp-dev), tick by tick as its owner would. Rounds of ours and of the peer's take turns, and a
ratio is the median of the rounds' ratios. Targets: `simulate()` of one call takes at most half of the peer's time (aim
a third), a call among 64 in `simulate_many()` at most a quarter, an idle `FaxCall` at most the peer's memory.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import faxcore
from benchmarks.pages import pages
from faxcore import coding, kernels
from faxcore.document import ReceivedDocument
from faxcore.page import Page
from tests.interop.spandsp import write_tiff

TOGETHER = 64
IDLE = 1000
OPTIONS = faxcore.Options(modulations=("v17",), codings=("mmr",))
CLEAN = faxcore.Line(law=None)
SOURCE = Path(__file__).parent / "peers" / "call_peers.c"


class Ready:
    """A page that is drawn already."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def ready(self) -> bool:
        return True

    def page(self) -> Page:
        return self._page


class Drawn(ReceivedDocument):
    """One page, kept as its bits."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.append(page)
        self._ready = Ready(page)

    def request(self, index: int, *_: object, **__: object) -> Ready:  # type: ignore[override]
        return self._ready


def ends(document: Drawn) -> tuple[faxcore.FaxCall, faxcore.FaxCall]:
    return faxcore.FaxCall.send(document, options=OPTIONS), faxcore.FaxCall.receive(options=OPTIONS)


def check(outcome: faxcore.Outcome, receiver: faxcore.FaxCall, document: Drawn) -> None:
    """The call that is to be measured, and a page without a fault."""
    result = outcome.sender
    seen = (result.success, result.modulation, result.bit_rate, result.coding, result.ecm)
    if seen != (True, "v17", 14400, "mmr", True) or list(receiver.document.pages) != list(document.pages):
        raise SystemExit(f"not the call that is to be measured: {outcome}")


def cpu_ms(work: Callable[[], object]) -> float:
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e6


class Coding:
    """Stands in for `coding.encode` and adds up the CPU time that it takes."""

    def __init__(self) -> None:
        self._encode, self.ms = coding.encode, 0.0
        coding.encode = self

    def __call__(self, page: Page, name: str, **named: Any) -> bytes:
        start = time.process_time_ns()
        octets = self._encode(page, name, **named)
        self.ms += (time.process_time_ns() - start) / 1e6
        return octets


def one(document: Drawn, clock: Coding) -> float:
    """CPU time of a call, less what coding took."""
    clock.ms = 0.0
    return cpu_ms(lambda: faxcore.simulate(*ends(document), line=CLEAN)) - clock.ms


def many(document: Drawn, clock: Coding) -> float:
    """The same of a call among many."""
    calls = ((*ends(document), CLEAN) for _ in range(TOGETHER))
    clock.ms = 0.0
    return (cpu_ms(lambda: list(faxcore.simulate_many(calls, together=TOGETHER))) - clock.ms) / TOGETHER


def peer_program(folder: Path, page: Page) -> Callable[[int], list[float]]:
    """Repeats to (least ms, median ms, seconds of line, octets of an idle terminal)."""
    program, tiff = folder / "call_peers", folder / "page.tif"
    subprocess.run(["gcc", "-O2", "-std=gnu11", str(SOURCE), "-o", str(program), "-lspandsp"], check=True)
    write_tiff(tiff, [np.unpackbits(page.rows, axis=1)[:, : page.width].astype(bool)])

    def run(repeats: int) -> list[float]:
        words = [str(program), str(tiff), str(folder / "received.tif"), str(repeats)]
        return [float(word) for word in subprocess.run(words, check=True, capture_output=True).stdout.split()]

    return run


def resident() -> int:
    """Octets of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def idle_octets() -> float:
    """Memory that an idle call takes, callers and answerers by half, after a tick of silence."""
    document = Drawn(next(iter(pages().values())))
    silence = np.zeros(160, np.int16)

    def calls(count: int) -> Iterator[faxcore.FaxCall]:
        for number in range(count):
            call = ends(document)[number % 2]
            call.push_audio(silence)
            call.pull_audio(len(silence))
            yield call

    held = list(calls(10))  # tables and caches that all calls share
    before = resident()
    held += calls(IDLE)
    return (resident() - before) / IDLE


def idle_alone() -> float:
    """The same, in a process that has done nothing else."""
    run = subprocess.run([sys.executable, "-m", "benchmarks.calls", "--idle"], check=True, capture_output=True)
    return float(run.stdout)


def show(what: str, ours: list[float], peer: list[float], target: float) -> None:
    ratio = median(a / b for a, b in zip(ours, peer, strict=True))
    verdict = "holds" if ratio <= target else "DOES NOT HOLD"
    print(f"{what:34}{median(ours):9.2f}{median(peer):10.2f}{ratio:8.3f}   at most {target:.2f}: {verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--idle", action="store_true", help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.idle:
        print(idle_octets())
        return
    document = Drawn(next(iter(pages().values())))
    sender, receiver = ends(document)
    outcome = faxcore.simulate(sender, receiver, line=CLEAN)
    check(outcome, receiver, document)
    clock = Coding()
    many(document, clock)
    with tempfile.TemporaryDirectory() as folder:
        run_peer = peer_program(Path(folder), next(iter(document.pages)))
        alone, grouped, peer = [], [], []
        for _ in range(words.rounds):
            alone.append(median(one(document, clock) for _ in range(3)))
            peer.append(run_peer(3))
            grouped.append(many(document, clock))
    print(f"V.17 14400, ECM, MMR, dense page; kernels {kernels.cpu_level()}; {words.rounds} rounds, medians")
    print(f"seconds of line: {outcome.line_time:.1f}, SpanDSP {peer[0][2]:.1f}")
    print(f"{'':34}{'faxcore':>9}{'SpanDSP':>10}{'ratio':>8}")
    times = [run[1] for run in peer]
    show("one call, simulate(), ms", alone, times, 0.5)
    print(f"{'coding, before and after, ms':34}{clock.ms / TOGETHER:9.2f}")
    show(f"of {TOGETHER} calls, simulate_many(), ms", grouped, times, 0.25)
    show(f"idle call ({IDLE} held), kB", [idle_alone() / 1000], [peer[0][3] / 1000], 1.0)


if __name__ == "__main__":
    main()
