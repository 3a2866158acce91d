"""A sweep's cost: how much more than its modems, and whether a call costs the same among many as among few.

Point: CPU of a sweep of one-page audio calls, line simulation left out, is within 2 times of what the modems' kernels
alone take; from 128 to 10 000 calls the cost of one stays within 15 %.

    python benchmarks/sweep.py [CALLS ...]

One process; V.17 14400, ECM, MMR, the dense page, a line with noise of -50 dBm0. The line's own cost stands beside it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from faxcore import kernels
from faxcore.bench.stages import timed
from faxcore.sweep.cases import run_batch
from faxcore.sweep.documents import Drawn, drawn
from faxcore.sweep.plan import Plan, make_plan
from faxcore.sweep.running import BATCH

WATCHED = 512
"""Calls, at most, whose kernels are timed."""

PLAN = {"documents": "sample:1", "line": {"noise_dbm0": -50.0}}


def sweep(plan: Plan, documents: Drawn) -> float:
    """Seconds of CPU a call."""
    calls = len(plan)
    since = time.process_time()
    for begin in range(0, calls, BATCH):
        rows = run_batch(plan, documents, range(begin, min(begin + BATCH, calls)))
        assert all(row["success"] and not row["damaged"] for row in rows)
    return (time.process_time() - since) / calls


def kernels_of(calls: int) -> tuple[float, float]:
    """Seconds of CPU a call in the kernels of line and modems: runs of their own, for the stopwatch takes time."""
    plan = make_plan({**PLAN, "seeds": calls}, Path())
    with timed() as spent:
        sweep(plan, drawn(plan))
    return spent["line"] / 1e9 / calls, spent["modem"] / 1e9 / calls


def main(sizes: list[int]) -> None:
    """Print a row for each number of calls."""
    print(f"One-page audio calls, batches of {BATCH}, {kernels.cpu_level()}: ms of CPU a call")
    print(f"{'calls':>8}{'whole':>9}{'line':>9}{'modems':>9}{'rest':>9}   without the line / modems")
    least, most = float("inf"), 0.0
    sweep(make_plan({**PLAN, "seeds": 4}, Path()), drawn(make_plan(PLAN, Path())))  # what is made once
    for size in sizes:
        plan = make_plan({**PLAN, "seeds": size}, Path())
        whole = 1000 * sweep(plan, drawn(plan))
        line, modems = (1000 * seconds for seconds in kernels_of(min(size, WATCHED)))
        least, most = min(least, whole - line), max(most, whole - line)
        verdict = "" if (whole - line) / modems <= 2 else "  OVER 2"
        rest = whole - line - modems
        print(f"{size:8}{whole:9.2f}{line:9.2f}{modems:9.2f}{rest:9.2f}   {(whole - line) / modems:.2f}{verdict}")
    print(f"from the cheapest to the dearest: {100 * (most / least - 1):.0f} %")


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [128, 1000, 10_000])
