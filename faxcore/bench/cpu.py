"""The CPU time of processes that this one has started and that still run: Linux keeps a clock for each."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path


def children() -> frozenset[int]:
    """Processes that this one has started and that still run."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            found.add(int(stat.parent.name))
    return frozenset(found)


def cpu_of(pids: Iterable[int]) -> float:
    """Their CPU time in seconds: clock_getcpuclockid(3) by the kernel's own formula."""
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)
