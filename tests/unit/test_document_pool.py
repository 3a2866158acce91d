"""Several drawing processes: what each gets to draw, and that the trouble of one is no trouble of another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import faxcore
from faxcore.document import Limits, client, pool, wire
from faxcore.errors import DocumentError
from faxcore.page import FINE, Page
from tests.document_support import drawing, ended, pdf, text

DOCUMENT = pdf(*(text(5 * (number + 1)) for number in range(6)))
IN_FIRST, IN_SECOND = (0, 2), (1, 3, 4, 5)  # where pages 0 to 5 go while the first process is stopped


@pytest.fixture(scope="module")
def wanted() -> list[Page]:
    document = faxcore.open_document(DOCUMENT)
    return [document.pages[number] for number in range(6)]


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[pool.DrawingPool]:
    processes = pool.DrawingPool(2)
    monkeypatch.setattr(pool, "drawing_pool", processes)
    yield processes
    processes.close()


def opened(limits: Limits | None = None) -> faxcore.document.Document:
    """With nothing of it in hand, by a process that runs."""
    document = faxcore.open_document(DOCUMENT, name="letter", limits=limits)
    document.draw_first()
    return document


def requested(document: faxcore.document.Document) -> list[faxcore.document.PageRequest]:
    return [document.request(number, FINE) for number in range(6)]


def stopped_first(two: pool.DrawingPool, document: faxcore.document.Document) -> list[faxcore.document.PageRequest]:
    document.pages[0]
    os.kill(drawing(two)[0], signal.SIGSTOP)
    return requested(document)


def test_two_draw_what_one_draws_in_the_same_order(two: pool.DrawingPool, wanted: list[Page]) -> None:
    document = opened()
    assert list(document.pages) == wanted
    assert len(drawing(two)) == 2
    assert document.pages[1:5] == wanted[1:5]
    assert [request.page() for request in requested(document)] == wanted


def test_no_second_process_for_single_pages(two: pool.DrawingPool) -> None:
    documents = [faxcore.open_document(DOCUMENT)]
    assert len(drawing(two)) == 1
    documents[0].draw_first()
    for lines in range(1, 2 * client.KEPT_DOCUMENTS):
        documents.append(faxcore.open_document(pdf(text(lines))))
        assert documents[-1].pages[0].height == 2292
    assert len(drawing(two)) == 1


def test_a_stopped_process_holds_up_only_what_is_in_its_hand(two: pool.DrawingPool, wanted: list[Page]) -> None:
    requests = stopped_first(two, opened())
    assert [requests[number].page() for number in IN_SECOND] == [wanted[number] for number in IN_SECOND]
    assert not any(requests[number].ready() for number in IN_FIRST)
    os.kill(drawing(two)[0], signal.SIGCONT)
    assert [request.page() for request in requests] == wanted


def test_a_killed_process_is_not_noticed(two: pool.DrawingPool, wanted: list[Page]) -> None:
    requests = stopped_first(two, opened())
    first, second = drawing(two)
    os.kill(first, signal.SIGKILL)
    assert [request.page() for request in requests] == wanted
    assert second in drawing(two)
    assert first not in drawing(two)


def test_a_crash_costs_one_page(two: pool.DrawingPool, wanted: list[Page]) -> None:
    requests = stopped_first(two, opened())
    first, second = drawing(two)
    os.kill(first, signal.SIGSEGV)
    os.kill(first, signal.SIGCONT)
    with pytest.raises(DocumentError, match=r"^letter, page 1: ended the drawing process \(SIGSEGV\)"):
        requests[0].page()
    assert [request.page() for request in requests[1:]] == wanted[1:]
    assert second in drawing(two)


def test_a_stuck_process_is_given_up_alone(
    two: pool.DrawingPool, wanted: list[Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "GRACE", 0.2)
    requests = stopped_first(two, opened(Limits(seconds=2.0)))
    second = drawing(two)[1]
    with pytest.raises(DocumentError, match="page 1: took longer"):
        requests[0].page()
    assert [request.page() for request in requests[1:]] == wanted[1:]
    assert second in drawing(two)


def test_idle_processes_that_died_cost_no_try(two: pool.DrawingPool, wanted: list[Page]) -> None:
    document = opened()
    assert [request.page() for request in requested(document)] == wanted
    before = drawing(two)
    assert len(before) == 2
    for process in before:
        os.kill(process, signal.SIGKILL)
        os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
    assert document.pages[3] == wanted[3]
    assert not set(before) & set(drawing(two))


def test_one_process_is_enough_where_no_second_can_be_started(
    wanted: list[Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[client.DrawingProcess] = []

    def start() -> client.DrawingProcess:
        if started:
            raise BlockingIOError("no more processes")
        started.append(client.DrawingProcess())
        return started[0]

    alone = pool.DrawingPool(4, start)
    monkeypatch.setattr(pool, "drawing_pool", alone)
    assert [request.page() for request in requested(opened())] == wanted
    alone.close()


def test_what_cannot_be_started_at_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def start() -> client.DrawingProcess:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(pool, "drawing_pool", pool.DrawingPool(2, start))
    with pytest.raises(DocumentError, match="cannot be drawn: Resource temporarily unavailable"):
        faxcore.open_document(DOCUMENT)


def test_closed_processes_end_and_lose_no_job(two: pool.DrawingPool, wanted: list[Page]) -> None:
    requests = requested(opened())
    before = drawing(two)
    two.close()
    assert drawing(two) == []
    for process in before:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    assert [request.page() for request in requests] == wanted


def test_a_forked_child_has_processes_of_its_own(two: pool.DrawingPool, wanted: list[Page]) -> None:
    document = opened()
    requests = requested(document)
    child = os.fork()
    if child == 0:  # no pytest in here: the exit status tells
        same = [request.page() for request in requests] == wanted
        pool.drawing_pool.close()
        os._exit(0 if same and pool.drawing_pool is not two else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [request.page() for request in requests] == wanted


@pytest.mark.parametrize("step", ["send", "receive", "is_stuck"])
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", [0, 1, 2])
def test_ctrl_c_loses_no_job(
    two: pool.DrawingPool, wanted: list[Page], monkeypatch: pytest.MonkeyPatch, step: str, done: bool, call: int
) -> None:
    document, real = opened(), getattr(client.DrawingProcess, step)
    calls = iter(range(call + 1))

    def interrupted(process: client.DrawingProcess, *arguments: Any) -> Any:
        last = next(calls, None) == call
        if last and not done:
            raise KeyboardInterrupt
        result = real(process, *arguments)
        if last:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(client.DrawingProcess, step, interrupted)
    requests = drawn_through(lambda number: document.request(number, FINE))
    assert drawn_through(lambda number: requests[number].page()) == wanted
    assert next(calls, None) is None


def drawn_through(step: Callable[[int], Any]) -> list[Any]:
    """What each step gives, asked once more where Ctrl-C came; submitted is submitted."""
    results = []
    for number in range(6):
        try:
            results.append(step(number))
        except KeyboardInterrupt:
            results.append(step(number))
    return results


class Chatterbox(client.DrawingProcess):
    """A process that was taken over: it goes on answering when all is answered."""

    def _take_answers(self) -> None:
        self._buffer += wire.frame(wire.Inspected([]))
        super()._take_answers()


def test_an_answer_that_nobody_asked_for_ends_the_process(monkeypatch: pytest.MonkeyPatch, wanted: list[Page]) -> None:
    kinds = iter([Chatterbox])
    processes = pool.DrawingPool(1, lambda: next(kinds, client.DrawingProcess)())
    monkeypatch.setattr(pool, "drawing_pool", processes)
    document = faxcore.open_document(DOCUMENT)
    assert document.pages[2] == wanted[2]
    assert next(kinds, None) is None
    assert not isinstance(processes._processes[0], Chatterbox)
    processes.close()


PROGRAM = """
import os, sys, faxcore
from faxcore.document import pool
from faxcore.page import FINE
pool.drawing_pool = pool.DrawingPool(2)
document = faxcore.open_document(sys.stdin.buffer.read())
requests = [document.request(number, FINE) for number in range(6)]
print(*(process._process.pid for process in pool.drawing_pool._processes), flush=True)
if sys.argv[1] == "killed":
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("ending", ["normal", "killed"])
def test_all_end_with_their_parent(ending: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(faxcore.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", PROGRAM, ending], input=DOCUMENT, capture_output=True, env=environment)
    assert done.returncode == (0 if ending == "normal" else -signal.SIGKILL), done.stderr
    processes = [int(word) for word in done.stdout.split()]
    assert len(processes) == 2
    assert all(ended(process) for process in processes)
