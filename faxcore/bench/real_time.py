"""How many calls are held in real time: what a tick of 20 ms takes while so many calls are in their pages."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from faxcore.bench.work import Work
from faxcore.call import CallGroup
from faxcore.document import CodedPage

TICK, TICK_MS = 160, 20.0
LIMIT_MS = 10.0
STAGGER = 5
"""Ticks from one pair's start to the next, so that phases mix as they do in a server."""

SETTLED, WATCHED = 1000, 500
"""Ticks before the measurement, so that pages are on the line, and ticks of it."""


def real_time(pages: Sequence[CodedPage], most: int = 4096) -> dict[str, float]:
    """The most pairs of calls whose 99th percentile of a tick stays under 10 ms, by doubling and one halving back."""
    held, found = 0, {"pairs": 0.0, "p99_ms": 0.0}
    pairs = 16
    while pairs <= most:
        p99 = _tick_ms(pages, pairs)
        if p99 >= LIMIT_MS:
            break
        held, found = pairs, {"pairs": float(pairs), "p99_ms": round(p99, 2)}
        pairs *= 2
    middle = held + held // 2
    if held and middle < pairs <= most:
        p99 = _tick_ms(pages, middle)
        if p99 < LIMIT_MS:
            found = {"pairs": float(middle), "p99_ms": round(p99, 2)}
    return found | {"tick_ms": TICK_MS, "limit_ms": LIMIT_MS}


def _tick_ms(pages: Sequence[CodedPage], pairs: int) -> float:
    """The 99th percentile of what a tick takes, both ends of every pair in one group, wires between them."""
    ends = [end for _ in range(pairs) for end in Work().ends(pages)]
    group = CallGroup(ends)
    order = np.arange(2 * pairs).reshape(-1, 2)[:, ::-1].ravel()  # each hears the other
    heard = np.zeros((2 * pairs, TICK), np.int16)
    taken = []
    for _ in range(SETTLED + WATCHED):
        since = time.perf_counter()
        sent = group.exchange(heard)
        taken.append(1000 * (time.perf_counter() - since))
        heard = sent[order]
    return float(np.percentile(taken[SETTLED:], 99))
