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
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec

from faxcore.document import wire
from faxcore.document.limits import Limits

BOOT = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from faxcore.document.worker import main
main(*map(int, sys.argv[2:]))
"""
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    # glibc would give every large array back to the system and fetch it again: half the time of a page
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
}
KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "FAXCORE_CPU")
KEPT_DOCUMENTS = 8
GRACE = 5.0
SLICE = 0.02
READ_SIZE = 1 << 16
WRONG_ANSWER = 1000  # no exit status


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
    rows: bytes = b""


class DrawingProcess:
    """The drawing process and its queue; started when first needed, and again after it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[weakref.ref[Job]] = deque()  # a job that nobody waits for any more is not drawn
        self._in_flight: deque[tuple[weakref.ref[Job], Limits]] = deque()
        self._files: deque[BinaryIO] = deque()  # the first is that of the next answer
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
        except BaseException:  # Ctrl-C between any two steps must not lose a job
            self._restart()
            raise
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
        while self._files:
            self._files.pop().close()
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
        self._files = deque(_nameless_file(b"") for _ in range(wire.IN_FLIGHT))
        with theirs:
            inherited = [theirs.fileno(), *(file.fileno() for file in self._files)]
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", BOOT, paths, *map(str, inherited)],
                pass_fds=inherited,
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
        while self._waiting and len(self._in_flight) < wire.IN_FLIGHT:
            job = self._waiting[0]()
            if job is None or self._send(job):
                self._waiting.popleft()

    def _send(self, job: Job) -> bool:
        """Whether the job need not wait any longer: it is on its way, or has failed."""
        try:
            line = self._line or self._start()
            file = None if job.source.number in self._loaded else _nameless_file(job.source.octets)
        except OSError as fault:
            job.answer = wire.Failed(f"cannot be drawn: {fault.strerror}", _page_number(job), 47)
            return True
        try:  # never more than a few hundred octets on the way: this does not block
            self._load(line, job.source, file)
            line.sendall(wire.frame(job.order))
        except OSError:
            return self._died_before(job)
        if not self._in_flight:
            self._busy_since = time.monotonic()
        self._in_flight.append((weakref.ref(job), job.source.limits))
        return True

    def _load(self, line: socket.socket, source: Source, file: BinaryIO | None) -> None:
        """Hands a document's file over, unless it is there, and has one forgotten that was not used for long."""
        if file is None:
            self._loaded.move_to_end(source.number)
            return
        limits = source.limits
        load = wire.Load(
            source.number, source.kind, source.rasterizer, limits.max_pels, limits.seconds, limits.address_space
        )
        with file:
            socket.send_fds(line, [wire.frame(load)], [file.fileno()])
        self._loaded[source.number] = None
        if len(self._loaded) > KEPT_DOCUMENTS:
            line.sendall(wire.frame(wire.Unload(self._loaded.popitem(last=False)[0])))

    def _died_before(self, job: Job) -> bool:
        """The process is dead; a job that was not begun has one more try."""
        if job.killed:
            job.answer = wire.Failed("cannot be drawn: the drawing process does not stay", _page_number(job), 46)
            return True
        job.killed = True
        self._receive(0)  # earlier answers, then the end
        self._restart()
        return False

    def _receive(self, timeout: float) -> bool:
        """Takes what has come; true when that was an answer or an end."""
        if self._line is None or not self._in_flight:
            return False
        poller = select.poll()  # not select(): a server has more than 1024 descriptors
        poller.register(self._line, select.POLLIN)
        answered = False
        while self._line is not None and poller.poll(0 if answered else timeout * 1000):
            try:
                octets = self._line.recv(READ_SIZE)
            except BlockingIOError:
                break
            except OSError:
                octets = b""
            if not octets:
                self._bury()
                return True
            self._busy_since = time.monotonic()
            self._buffer += octets
            answered = self._take_answers() or answered
        if self._in_flight and self._is_stuck():
            self._bury(-signal.SIGALRM)
            return True
        return answered

    def _take_answers(self) -> bool:
        taken = False
        try:
            while self._in_flight and (message := wire.take(self._buffer)) is not None:
                reference, limits = self._in_flight[0]
                answer, rows = wire.decode_answer(message), b""
                if isinstance(answer, wire.Drawn):
                    rows = self._rows(answer, limits)
                if (job := reference()) is not None:
                    job.rows, job.answer = rows, answer
                self._in_flight.popleft()
                self._files.rotate(-1)
                taken = True
        except (ValueError, msgspec.DecodeError):
            self._bury(WRONG_ANSWER)
        return taken

    def _rows(self, page: wire.Drawn, limits: Limits) -> bytes:
        length = page.width // 8 * page.height
        if page.width < 0 or not 0 < length <= limits.max_pels // 8 + 1:
            raise ValueError(f"rows of {length} octets")
        return os.pread(self._files[0].fileno(), length, 0)

    def _is_stuck(self) -> bool:
        """Over every limit and still alive: stopped from outside, or taken over."""
        return time.monotonic() - self._busy_since > self._in_flight[0][1].seconds + GRACE

    def _restart(self) -> None:
        """Ends the process; all jobs wait for the next."""
        self.close()
        self._waiting.extendleft(reference for reference, _ in reversed(self._in_flight))
        self._in_flight.clear()

    def _bury(self, status: int | None = None) -> None:
        """The process is dead or shall be: the job in its hand fails, the others wait for the next."""
        process = self._process
        self.close()  # killing what is already ending does not change how it ended
        if status is None and process is not None:
            status = process.returncode
        if self._in_flight:
            reference, limits = self._in_flight.popleft()
            if (job := reference()) is not None and status == -signal.SIGKILL and not job.killed:
                job.killed = True  # by an administrator, or by a machine out of memory
                self._in_flight.appendleft((reference, limits))
            elif job is not None:
                job.answer = wire.Failed(_cause(status or 0, limits), _page_number(job), 46)
        self._restart()


def _page_number(job: Job) -> int | None:
    return job.order.page + 1 if isinstance(job.order, wire.Draw) else None


def _cause(status: int, limits: Limits) -> str:
    if status in (-signal.SIGALRM, -signal.SIGXCPU):
        return f"took longer than {limits.seconds:g} s to draw"
    if status == WRONG_ANSWER:
        return "cannot be drawn: the drawing process gave a wrong answer"
    if status < 0:
        return f"ended the drawing process ({signal.Signals(-status).name}); it may need more memory than its limit"
    return f"cannot be drawn: the drawing process left with status {status}"


def _nameless_file(octets: bytes) -> BinaryIO:
    """A file in memory that holds these octets, or one without a name where the system has no such files."""
    in_memory = hasattr(os, "memfd_create")
    file = os.fdopen(os.memfd_create("document"), "w+b") if in_memory else tempfile.TemporaryFile()  # noqa: SIM115
    try:
        file.write(octets)
        file.flush()
    except BaseException:
        file.close()
        raise
    return file


drawing_process = DrawingProcess()


def _after_fork() -> None:
    global drawing_process
    drawing_process = drawing_process.reborn()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(lambda: drawing_process.close())
