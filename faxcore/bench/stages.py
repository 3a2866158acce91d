"""Where the time of a call goes: the kernels by trade, timed at their door; what is left is T.30 and Python."""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from faxcore.bench.work import Work
from faxcore.document import CodedPage
from faxcore.kernels import native

TRADES = {
    "t4": "code", "qam": "modem", "bank": "modem", "fsk": "modem", "tone": "modem",
    "hdlc": "frames", "t38": "packets", "page": "draw", "line": "line", "g711": "line",
}  # fmt: skip
REST = "T.30 and Python"


def stages(work: Work, pages: Sequence[CodedPage], calls: int) -> dict[str, float]:
    """Milliseconds of CPU a call by trade, the most first; the whole from a run without the stopwatch."""
    since = time.process_time_ns()
    work.measure(pages, calls)
    whole = time.process_time_ns() - since
    with timed() as spent:
        work.measure(pages, calls)
    spent[REST] = max(0, whole - sum(spent.values()))
    found = {trade: nanoseconds / 1e6 / calls for trade, nanoseconds in spent.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


@contextmanager
def timed() -> Iterator[dict[str, int]]:
    """Nanoseconds by trade while this lasts; one kernel never calls another through the door."""
    spent: dict[str, int] = defaultdict(int)
    kept = {name: function for name, function in vars(native).items() if name.partition("_")[0] in TRADES}
    kept = {name: function for name, function in kept.items() if callable(function)}
    try:
        for name, function in kept.items():
            setattr(native, name, _watched(function, TRADES[name.partition("_")[0]], spent))
        yield spent
    finally:
        for name, function in kept.items():
            setattr(native, name, function)


def _watched(function: Callable[..., Any], trade: str, spent: dict[str, int]) -> Callable[..., Any]:
    @functools.wraps(function)
    def watched(*args: Any) -> Any:
        since = time.thread_time_ns()
        try:
            return function(*args)
        finally:
            spent[trade] += time.thread_time_ns() - since

    return watched
