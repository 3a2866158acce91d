"""Running what is left of a sweep: batches on this machine's cores, or on a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from faxcore.sweep.cases import Row, run_batch
from faxcore.sweep.documents import Drawn
from faxcore.sweep.journal import Journal
from faxcore.sweep.plan import Plan, SweepError

BATCH = 64
"""Calls that a worker is given at a time: they share a bank of modems."""

AHEAD = 3
"""Batches under way for each worker, so that none waits for us."""

Progress = Callable[[int], None]

_here: tuple[Plan, Drawn] | None = None  # the plan in a worker process, which gets it once


def run(
    plan: Plan,
    documents: Drawn,
    journal: Journal,
    *,
    workers: int | None = None,
    batch: int = BATCH,
    scheduler: str | None = None,
    progress: Progress = lambda done: None,
) -> None:
    """Run the cases that the journal lacks; `progress(done)` is told after every batch.

    `workers` processes of this machine, its cores by default and this process alone for 1, or the workers of the
    Dask cluster at `scheduler` ("tcp://host:port"). SweepError where a worker or the scheduler is lost for good;
    what was done is in the journal.
    """
    left = [index for index in range(len(plan)) if index not in journal.rows]
    batches = [left[begin : begin + batch] for begin in range(0, len(left), batch)]
    workers = min(workers or os.cpu_count() or 1, len(batches))
    progress(len(journal.rows))
    if scheduler:
        results = _on_dask(plan, documents, batches, scheduler)
    elif workers > 1:
        results = _on_cores(plan, documents, batches, workers)
    else:
        results = (run_batch(plan, documents, each) for each in batches)
    for rows in results:
        journal.add(rows)
        progress(len(journal.rows))


def _on_cores(plan: Plan, documents: Drawn, batches: Sequence[list[int]], workers: int) -> Iterator[list[Row]]:
    """Processes of this machine; spawned, so that no thread or lock of the caller is copied into them."""
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _moved_in, (plan, documents))
    waiting, under_way = list(reversed(batches)), set[Future[list[Row]]]()
    try:
        while waiting or under_way:
            while waiting and len(under_way) < AHEAD * workers:
                under_way.add(pool.submit(_batch_here, waiting.pop()))
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenProcessPool as fault:
        raise SweepError("a worker was killed; the same command goes on where it was") from fault
    finally:
        pool.shutdown(cancel_futures=True)


def _moved_in(plan: Plan, documents: Drawn) -> None:
    global _here
    _here = plan, documents


def _batch_here(indices: list[int]) -> list[Row]:
    assert _here is not None
    return run_batch(*_here, indices)


def _on_dask(plan: Plan, documents: Drawn, batches: Sequence[list[int]], scheduler: str) -> Iterator[list[Row]]:
    """Workers anywhere; a batch whose worker is lost is done again by another."""
    distributed = _distributed()
    try:
        client = distributed.Client(scheduler, timeout=10)
    except (OSError, TimeoutError, ValueError) as fault:
        raise SweepError(f"--scheduler {scheduler}: {fault}") from fault
    with client:
        shared = client.scatter([(plan, documents)], broadcast=True)[0]
        futures = [client.submit(_batch_there, shared, indices, pure=False, retries=3) for indices in batches]
        for _, rows in distributed.as_completed(futures, with_results=True):
            yield rows


def _batch_there(shared: tuple[Plan, Drawn], indices: list[int]) -> list[Row]:
    return run_batch(*shared, indices)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as fault:
        raise SweepError("--scheduler needs Dask: pip install 'faxcore[bench]'") from fault
    return distributed
