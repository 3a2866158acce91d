"""A sweep on a Dask cluster: a real scheduler, worker processes, and one of them killed midway."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import distributed
import pytest

from faxcore.sweep import Journal, SweepError, run
from tests.unit.test_sweep import plan_of, rows_of, small_page


@pytest.mark.timeout(180)
def test_a_killed_worker_costs_no_row(tmp_path: Path) -> None:
    plan, killed = plan_of(seeds=6), []
    whole = rows_of(plan, tmp_path / "here", workers=1)
    with distributed.LocalCluster(n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        pids = [nanny.process.pid for nanny in cluster.workers.values()]

        def kill_one(done: int) -> None:
            if 0 < done < len(plan) and not killed:
                killed.append(pids[0])
                os.kill(pids[0], signal.SIGKILL)

        journal = Journal(tmp_path / "there", plan)
        run(plan, small_page(), journal, batch=2, scheduler=cluster.scheduler_address, progress=kill_one)
    assert killed == [pids[0]]
    assert [journal.rows[index] for index in range(len(plan))] == whole


def test_a_scheduler_that_is_not_there_is_named(tmp_path: Path) -> None:
    plan = plan_of(seeds=1)
    with pytest.raises(SweepError, match=r"--scheduler tcp://127\.0\.0\.1:9"):
        run(plan, small_page(), Journal(tmp_path, plan), scheduler="tcp://127.0.0.1:9")
