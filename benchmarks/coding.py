"""CPU time of our page codes beside libtiff's and SpanDSP's on the same pages: `python -m benchmarks.coding`.

Ours is one binding call a page into memory that is there; the peers run in C (peers/coding_peers.c, compiled with
gcc; needs libtiff-dev and libspandsp-dev). Every figure is the least of all repeats. Ratios are ours / the faster
peer; targets: geometric means of at most 1/3 (encode) and 1/2 (decode), nothing above 2/3.
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

import numpy as np
from PIL import Image

from benchmarks.pages import pages
from faxcore import kernels
from faxcore.kernels import native
from faxcore.page import Page

CODINGS = {"mh": 0, "mr": 1, "mmr": 2}
K = 4
Times = dict[tuple[str, str], float]


def least_us(repeats: int, function: Callable[[], object]) -> float:
    """The least CPU time of a call, in microseconds."""
    times = []
    for _ in range(repeats):
        start = time.thread_time_ns()
        function()
        times.append(time.thread_time_ns() - start)
    return min(times) / 1000


def ours(page: Page, repeats: int) -> Times:
    """Least times by (operation, coding)."""
    times, work = {}, np.empty(33024, np.uint16)
    out = np.empty(page.height * (7 * page.width // 8 + 16) + 32, np.uint8)
    rows, bad = np.empty_like(page.rows), np.empty(page.height, np.uint8)
    for coding, number in CODINGS.items():
        def encode(number: int = number) -> int:
            return native.t4_encode(page.rows, page.width, number, K, 0, out, work)

        times["encode", coding] = least_us(repeats, encode)
        coded = np.append(out[: encode()], np.zeros(32, np.uint8))
        times["decode", coding] = least_us(
            repeats, lambda coded=coded, number=number: native.t4_decode(coded, number, page.width, rows, bad, work)
        )
        if not np.array_equal(rows, page.rows):
            raise SystemExit(f"{coding} decoded another page")
    return times


def build_peers(folder: Path) -> Path:
    source = Path(__file__).parent / "peers/coding_peers.c"
    program = folder / "coding_peers"
    command = ["gcc", "-O2", "-w", str(source), "-o", str(program), "-lspandsp", "-ltiff", "-lm"]
    subprocess.run(command, check=True)
    return program


def peers(program: Path, page: Page, repeats: int) -> dict[str, Times]:
    """Least times of each peer."""
    raw = program.parent / "page"
    raw.write_bytes(page.rows.tobytes())
    Image.fromarray(~page.pels()).save(f"{raw}.tif", compression="group4", dpi=(204, 196))
    command = [str(program), str(raw), str(page.width), str(page.height), str(repeats)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    times: dict[str, Times] = defaultdict(dict)
    for line in lines:
        peer, coding, encode, decode = line.split()
        times[peer]["encode", coding] = float(encode)
        times[peer]["decode", coding] = float(decode)
    return times


def measure(program: Path, page: Page, repeats: int, rounds: int) -> dict[str, Times]:
    """Rounds of all three one after the other, so that a busy machine meets them alike."""
    best: dict[str, Times] = defaultdict(dict)
    for _ in range(rounds):
        for name, times in {"faxcore": ours(page, repeats), **peers(program, page, repeats)}.items():
            for key, value in times.items():
                best[name][key] = min(value, best[name].get(key, math.inf))
    return best


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    print(f"CPU level {kernels.cpu_level()}; microseconds of CPU time a page")
    print(f"{'page':10}{'':14}{'faxcore':>9}{'libtiff':>9}{'spandsp':>9}{'ratio':>7}")
    with tempfile.TemporaryDirectory() as folder:
        program = build_peers(Path(folder))
        for name, page in pages().items():
            best = measure(program, page, arguments.repeats, arguments.rounds)
            for key, value in best["faxcore"].items():
                libtiff, spandsp = best["libtiff"][key], best["spandsp"][key]
                ratio = value / min(libtiff, spandsp)
                ratios[key].append(ratio)
                what = " ".join(key)
                print(f"{name:10}{what:14}{value:9.0f}{libtiff:9.0f}{spandsp:9.0f}{ratio:7.2f}")
    for key, values in ratios.items():
        print(f"{'geometric mean ' + ' '.join(key):51}{math.prod(values) ** (1 / len(values)):7.2f}")


if __name__ == "__main__":
    main()
