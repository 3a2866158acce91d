"""Our page codes take a third of the CPU time of the faster of libtiff and SpanDSP to encode, half of it to decode.

Checked as the geometric mean over four pages for each coding, and no page above two thirds. Ours is one binding call
a page into memory that is there; the peers run in C (peers/coding_peers.c, compiled with gcc; needs libtiff-dev and
libspandsp-dev). Each figure is the median of all repeats, the least beside it; a ratio is ours / the faster peer, of
medians. Every decoded page is compared with the page.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from benchmarks.pages import pages
from faxcore import kernels
from faxcore.kernels import native
from faxcore.page import Page

CODINGS = {"mh": 0, "mr": 1, "mmr": 2}
K = 4
Times = dict[tuple[str, str, str], list[float]]
"""Microseconds by (engine, operation, coding)."""


def timed_us(repeats: int, function: Callable[[], object]) -> list[float]:
    """The CPU times of calls, in microseconds."""
    times = []
    for _ in range(repeats):
        start = time.thread_time_ns()
        function()
        times.append((time.thread_time_ns() - start) / 1000)
    return times


def add_ours(times: Times, page: Page, repeats: int) -> None:
    work = np.empty(33024, np.uint16)
    out = np.empty(page.height * (7 * page.width // 8 + 16) + 32, np.uint8)
    rows, bad = np.empty_like(page.rows), np.empty(page.height, np.uint8)
    for coding, number in CODINGS.items():
        def encode(number: int = number) -> int:
            return native.t4_encode(page.rows, page.width, number, K, 0, out, work)

        times["faxcore", "encode", coding] += timed_us(repeats, encode)
        coded = np.append(out[: encode()], np.zeros(32, np.uint8))
        times["faxcore", "decode", coding] += timed_us(
            repeats, lambda coded=coded, number=number: native.t4_decode(coded, number, page.width, rows, bad, work)
        )
        if not np.array_equal(rows, page.rows):
            raise SystemExit(f"{coding} decoded another page")


def build_peers(folder: Path) -> Path:
    source = Path(__file__).parent / "peers/coding_peers.c"
    program = folder / "coding_peers"
    command = ["gcc", "-O2", "-w", str(source), "-o", str(program), "-lspandsp", "-ltiff", "-lm"]
    subprocess.run(command, check=True)
    return program


def add_peers(times: Times, program: Path, page: Page, repeats: int) -> None:
    raw = program.parent / "page"
    raw.write_bytes(page.rows.tobytes())
    Image.fromarray(~page.pels()).save(f"{raw}.tif", compression="group4", dpi=(204, 196))
    command = [str(program), str(raw), str(page.width), str(page.height), str(repeats)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    for engine, operation, coding, value in map(str.split, lines):
        times[engine, operation, coding].append(float(value))


def measure(program: Path, page: Page, repeats: int, rounds: int) -> Times:
    """Rounds of all three one after the other, so that a busy machine meets them alike."""
    times: Times = defaultdict(list)
    for _ in range(rounds):
        add_ours(times, page, repeats)
        add_peers(times, program, page, repeats)
    return times


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    print(f"CPU level {kernels.cpu_level()}; microseconds of CPU time a page, median (least)")
    print(f"{'page':8}{'':11}{'faxcore':>15}{'libtiff':>15}{'spandsp':>15}{'ratio':>7}")
    with tempfile.TemporaryDirectory() as folder:
        program = build_peers(Path(folder))
        for name, page in pages().items():
            times = measure(program, page, arguments.repeats, arguments.rounds)
            for key in [key[1:] for key in times if key[0] == "faxcore"]:
                each = [times[engine, *key] for engine in ("faxcore", "libtiff", "spandsp")]
                ours, *theirs = map(median, each)
                ratios[key].append(ours / min(theirs))
                figures = "".join(f"{f'{median(values):.0f} ({min(values):.0f})':>15}" for values in each)
                print(f"{name:8}{' '.join(key):11}{figures}{ratios[key][-1]:7.2f}")
    for key, values in ratios.items():
        print(f"{'geometric mean ' + ' '.join(key):64}{math.prod(values) ** (1 / len(values)):7.2f}")


if __name__ == "__main__":
    main()
