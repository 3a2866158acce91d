"""How many calls are held in real time: what a tick of 20 ms takes while so many calls are in their pages."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from faxcore.bench.work import Work
from faxcore.call import CallGroup
from faxcore.document import CodedPage

TICK, TICK_MS = 160, 20.0
LIMIT_MS = 10.0
SPREAD = 1000
"""Ticks within which the pairs begin, so that phases mix as they do in a server."""

SETTLED, WATCHED = 1000, 500
"""Ticks from then to the measurement, so that pages are on the line, and ticks of it."""


def real_time(pages: Sequence[CodedPage], most: int = 4096) -> dict[str, float]:
    """The most pairs of calls whose 99th percentile of a tick stays under 10 ms, by doubling and one halving back."""
    with _as_servers_do():
        return _most_held(pages, most) | {"tick_ms": TICK_MS, "limit_ms": LIMIT_MS}


def _most_held(pages: Sequence[CodedPage], most: int) -> dict[str, float]:
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
    return found


@contextmanager
def _as_servers_do() -> Iterator[None]:
    """Python's collector searches what was there before the calls no more, and the calls seldom: a search of all that
    192 calls hold stops them for 25 ms."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _tick_ms(pages: Sequence[CodedPage], pairs: int) -> float:
    """The 99th percentile of what a tick takes, both ends of every pair in one group, wires between them."""
    ends = [end for _ in range(pairs) for end in Work().ends(pages)]
    group = CallGroup()
    order = np.arange(2 * pairs).reshape(-1, 2)[:, ::-1].ravel()  # each hears the other
    heard = np.zeros((2 * pairs, TICK), np.int16)
    taken = []
    for tick in range(SPREAD + SETTLED + WATCHED):
        begun = 2 * min(pairs, 1 + pairs * tick // SPREAD)
        group.calls += ends[len(group.calls) : begun]
        since = time.perf_counter()
        sent = group.exchange(heard[:begun])
        taken.append(1000 * (time.perf_counter() - since))
        heard[:begun] = sent[order[:begun]]
    return float(np.percentile(taken[-WATCHED:], 99))
