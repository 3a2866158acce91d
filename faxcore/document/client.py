"""The parent's end of the drawing process: one process for all documents and threads of a program.

Jobs are queued and drawn in order. Nothing here has a thread: answers are read off the socket when someone asks.
When the process dies, by a limit or by a fault in a library, the job in its hand fails, the others go to the
next process. A job whose process was killed from outside is tried once more.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from faxcore.document import wire
from faxcore.document.limits import Limits

BOOT = """
import json, sys
sys.path[:] = json.loads(sys.argv[2])
from faxcore.document.worker import main
main(int(sys.argv[1]))
"""
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    # glibc would give every large array back to the system and fetch it again: half the time of a page
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
}
KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "FAXCORE_CPU")
IN_FLIGHT = 4
KEPT_DOCUMENTS = 8
GRACE = 5.0
SLICE = 0.02
READ_SIZE = 1 << 20


@dataclass(eq=False)
class Source:
    """The octets of a document, and what it may cost."""

    octets: bytes
    kind: str
    rasterizer: str
    limits: Limits
    number: int = field(default_factory=itertools.count(1).__next__)


@dataclass(eq=False)
class Job:
    """An order about a document, and its answer once there is one."""

    source: Source
    order: wire.Inspect | wire.Draw
    killed: bool = False
    answer: wire.Answer | None = None
    body: bytes = b""


class DrawingProcess:
    """The drawing process and its queue; started when first needed, and again after it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[weakref.ref[Job]] = deque()  # a job that nobody waits for any more is not drawn
        self._in_flight: deque[tuple[weakref.ref[Job], Limits]] = deque()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._loaded: OrderedDict[int, None] = OrderedDict()
        self._buffer = bytearray()
        self._busy_since = 0.0

    def submit(self, job: Job) -> None:
        """Queues a job; returns at once."""
        self._waiting.append(weakref.ref(job))
        self.poll()

    def poll(self, timeout: float = 0.0) -> None:
        """Sends what can be sent and takes what has come; waits at most `timeout` seconds for an answer."""
        if not self._lock.acquire(timeout=timeout):
            return  # another thread is at it, also for our jobs
        try:
            self._send_waiting()
            if self._receive(timeout):
                self._send_waiting()
        finally:
            self._lock.release()

    def wait(self, job: Job) -> wire.Answer:
        """The answer to a submitted job."""
        while job.answer is None:
            self.poll(SLICE)
        return job.answer

    def close(self) -> None:
        """Ends the process and what it started; the next job starts a fresh one."""
        process, line = self._process, self._line
        self._process = self._line = None
        if line is not None:
            line.close()
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._loaded.clear()
        self._buffer.clear()

    def reborn(self) -> DrawingProcess:
        """For a forked child, which must not share the process: a fresh one with the same jobs."""
        if self._line is not None:
            self._line.close()
        fresh = DrawingProcess()
        fresh._waiting.extend(reference for reference, _ in self._in_flight)
        fresh._waiting.extend(self._waiting)
        return fresh

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        # An editable install is found by a hook, not by a path, and the child has no hooks.
        paths = json.dumps([str(Path(__file__).parents[2]), *(path or os.getcwd() for path in sys.path)])
        environment = {key: os.environ[key] for key in KEPT_ENVIRONMENT if key in os.environ}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", BOOT, str(theirs.fileno()), paths],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env=environment | ENVIRONMENT,
            )
        ours.setblocking(False)
        self._line = ours
        return ours

    def _send_waiting(self) -> None:
        while self._waiting and len(self._in_flight) < IN_FLIGHT:
            reference = self._waiting.popleft()
            job = reference()
            if job is None:
                continue
            try:
                line = self._line or self._start()
            except OSError as fault:
                job.answer = wire.Failed(f"cannot be drawn: no process for it ({fault.strerror})", code=47)
                continue
            try:  # never more than a few hundred octets on the way: this does not block
                self._load(line, job.source)
                line.sendall(wire.frame(job.order))
            except OSError:  # it is dead; this job was not begun
                self._waiting.appendleft(reference)
                self._receive(0)
                if self._line is not None:
                    self._bury()
                continue
            if not self._in_flight:
                self._busy_since = time.monotonic()
            self._in_flight.append((reference, job.source.limits))

    def _load(self, line: socket.socket, source: Source) -> None:
        if source.number in self._loaded:
            self._loaded.move_to_end(source.number)
            return
        limits = source.limits
        load = wire.Load(
            source.number, source.kind, source.rasterizer, limits.max_pels, limits.seconds, limits.address_space
        )
        with _nameless_file(source.octets) as descriptor:
            socket.send_fds(line, [wire.frame(load)], [descriptor])
        self._loaded[source.number] = None
        if len(self._loaded) > KEPT_DOCUMENTS:
            line.sendall(wire.frame(wire.Unload(self._loaded.popitem(last=False)[0])))

    def _receive(self, timeout: float) -> bool:
        """Takes what has come; true when that was an answer or an end."""
        if self._line is None or not self._in_flight:
            return False
        poller = select.poll()  # not select(): a server has more than 1024 descriptors
        poller.register(self._line, select.POLLIN)
        answered = False
        while poller.poll(0 if answered else timeout * 1000):
            try:
                octets = self._line.recv(READ_SIZE)
            except BlockingIOError:
                break
            except OSError:
                octets = b""
            if not octets:
                self._bury()
                return True
            self._buffer += octets
            answered = self._take_answers() or answered
            if self._line is None:
                return True
        if not answered and self._is_stuck():
            self._bury(stuck=True)
            return True
        return answered

    def _take_answers(self) -> bool:
        taken = False
        try:
            while self._in_flight:
                message = wire.take(self._buffer, self._in_flight[0][1].max_pels // 8 + 1)
                if message is None:
                    break
                reference, _ = self._in_flight.popleft()
                answer, taken = wire.decode_answer(message[0]), True
                self._busy_since = time.monotonic()
                if (job := reference()) is not None:
                    job.body, job.answer = message[1], answer
        except (ValueError, msgspec.DecodeError):
            self._bury()
        return taken

    def _is_stuck(self) -> bool:
        """Over every limit and still alive: stopped from outside, or taken over."""
        return time.monotonic() - self._busy_since > self._in_flight[0][1].seconds + GRACE

    def _bury(self, *, stuck: bool = False) -> None:
        """The process is dead or shall be: the job in its hand fails, the others wait for the next."""
        process = self._process
        self.close()  # killing what is already ending does not change how it ended
        if self._in_flight:
            reference, limits = self._in_flight.popleft()
            status = -signal.SIGALRM if stuck or process is None else process.returncode
            if (job := reference()) is not None:
                self._blame(job, status, limits)
        self._waiting.extendleft(reference for reference, _ in reversed(self._in_flight))
        self._in_flight.clear()

    def _blame(self, job: Job, status: int, limits: Limits) -> None:
        if status == -signal.SIGKILL and not job.killed:  # an administrator, or a machine out of memory
            job.killed = True
            self._in_flight.appendleft((weakref.ref(job), limits))
        else:
            job.answer = wire.Failed(_cause(status, limits), _page_number(job), 46)


def _page_number(job: Job) -> int | None:
    return job.order.page + 1 if isinstance(job.order, wire.Draw) else None


def _cause(status: int, limits: Limits) -> str:
    if status in (-signal.SIGALRM, -signal.SIGXCPU):
        return f"took longer than {limits.seconds:g} s to draw"
    if status < 0:
        return f"ended the drawing process ({signal.Signals(-status).name}); it may need more memory than its limit"
    return f"cannot be drawn: the drawing process left with status {status}"


@contextlib.contextmanager
def _nameless_file(octets: bytes) -> Iterator[int]:
    """A descriptor of a file in memory, or without a name where the system has no such files."""
    in_memory = hasattr(os, "memfd_create")
    with os.fdopen(os.memfd_create("document"), "wb") if in_memory else tempfile.TemporaryFile() as file:
        file.write(octets)
        file.flush()
        yield file.fileno()


drawing_process = DrawingProcess()


def _after_fork() -> None:
    global drawing_process
    drawing_process = drawing_process.reborn()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(lambda: drawing_process.close())
