"""The drawing processes of a program, shared by all its documents and threads, and the jobs that wait for one.

Jobs are begun in order, each by the process that has the least to do; the pages of a document spread over all. Nothing
here has a thread: jobs are handed out and answers taken when someone asks for one.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import threading
import weakref
from collections import deque
from collections.abc import Callable

from faxcore.document import wire
from faxcore.document.client import DrawingProcess, Job, Source, page_number

MOST = 4
SLICE = 0.02


class DrawingPool:
    """At most `most` drawing processes, by default one for each core that this program may use, up to four.

    A process is started for a job that finds all others with one in hand, and again after one has died.
    """

    def __init__(self, most: int | None = None, start: Callable[[], DrawingProcess] = DrawingProcess) -> None:
        self.most = min(MOST, _cores()) if most is None else most
        self._start = start
        self._lock = threading.Lock()
        self._waiting: deque[weakref.ref[Job]] = deque()  # a job that nobody waits for any more is not drawn
        self._processes: list[DrawingProcess] = []

    @property
    def ahead(self) -> int:
        """How many jobs keep all processes busy."""
        return self.most * wire.IN_FLIGHT

    def submit(self, job: Job) -> None:
        """Queues a job; returns at once."""
        self._waiting.append(weakref.ref(job))
        self.poll()

    def poll(self, timeout: float = 0.0) -> None:
        """Sends what can be sent and takes what has come; waits at most `timeout` seconds for an answer."""
        if not self._lock.acquire(timeout=timeout):
            return  # another thread is at it, also for our jobs
        try:
            self._receive(0)
            self._send_waiting()
            if timeout and self._receive(timeout):
                self._send_waiting()
        except BaseException:  # Ctrl-C between any two steps must not lose a job
            self.close()
            raise
        finally:
            self._lock.release()

    def wait(self, job: Job) -> wire.Answer:
        """The answer to a submitted job."""
        while job.answer is None:
            self.poll(SLICE)
        return job.answer

    def close(self) -> None:
        """Ends all processes; what they had in hand waits for the next."""
        while self._processes:
            self._part_with(self._processes[-1])

    def reborn(self) -> DrawingPool:
        """For a forked child, which must not share the processes: a fresh pool with the same jobs."""
        fresh = DrawingPool(self.most, self._start)
        for process in self._processes:
            process.line.close()
            fresh._waiting.extend(reference for reference, _ in process.jobs)
        fresh._waiting.extend(self._waiting)
        return fresh

    def _send_waiting(self) -> None:
        while self._waiting:
            job = self._waiting[0]()
            if job is None or job.answer is not None:
                self._waiting.popleft()
                continue
            try:
                process = self._chosen(job.source)
                if len(process.jobs) == wire.IN_FLIGHT:
                    return
                if process.send(job):
                    self._waiting.popleft()
                else:
                    self._died_before(process, job)
            except OSError as fault:
                job.answer = wire.Failed(f"cannot be drawn: {fault.strerror}", page_number(job), 47)

    def _chosen(self, source: Source) -> DrawingProcess:
        """The process with the least to do, of those rather the one that has this document open."""
        if all(process.jobs for process in self._processes) and len(self._processes) < self.most:
            try:
                self._processes.append(self._start())
            except OSError:
                if not self._processes:
                    raise
        return min(self._processes, key=lambda process: (len(process.jobs), process.document != source.number))

    def _died_before(self, process: DrawingProcess, job: Job) -> None:
        """The process is dead; a job that was not begun has one more try."""
        if job.killed:
            job.answer = wire.Failed("cannot be drawn: the drawing process does not stay", page_number(job), 46)
        job.killed = True
        while not process.ended and process.receive():
            pass  # earlier answers, then the end
        self._part_with(process)

    def _receive(self, timeout: float) -> bool:
        """Takes what has come; true when something has, or a process has ended."""
        poller = select.poll()  # not select(): a server has more than 1024 descriptors
        lines = {process.line.fileno(): process for process in self._processes}  # an idle one may have died
        for line in lines:
            poller.register(line, select.POLLIN)
        came = [lines[line].receive() for line, _ in poller.poll(timeout * 1000)] if lines else []
        for process in lines.values():
            if not process.ended and process.is_stuck():
                process.bury(-signal.SIGALRM)
        ended = [process for process in lines.values() if process.ended]
        for process in ended:
            self._part_with(process)
        return bool(came or ended)

    def _part_with(self, process: DrawingProcess) -> None:
        """The jobs that a process leaves, which has ended or shall end, are the next to be begun."""
        self._waiting.extendleft(reference for reference, _ in reversed(process.jobs))
        self._processes.remove(process)
        process.close()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


drawing_pool = DrawingPool()


def _after_fork() -> None:
    global drawing_pool
    drawing_pool = drawing_pool.reborn()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(lambda: drawing_pool.close())
