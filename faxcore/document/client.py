"""The parent's end of a drawing process, and the jobs in its hand.

Nothing here has a thread: answers are read off the socket when someone asks. When the process dies, by a limit or by a
fault in a library, the first of its jobs, the one that it was drawing, fails; the others are for the next process. A
job whose process was killed from outside is tried once more.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
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
    """A drawing process from its start to its end; OSError: it cannot be started."""

    def __init__(self) -> None:
        self.jobs: deque[tuple[weakref.ref[Job], Limits]] = deque()
        """In its hand, the one that it draws first; a job that nobody waits for any more is drawn all the same."""
        self.document: int | None = None
        """What the last of them is about: another document must be opened first."""
        self.ended = False
        self._loaded: OrderedDict[int, None] = OrderedDict()
        self._buffer = bytearray()
        self._busy_since = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._files = deque(nameless_file() for _ in range(wire.IN_FLIGHT))  # the first is that of the next answer
        self.line = self._start()

    def send(self, job: Job) -> bool:
        """Hands over a job; false when the process has died. OSError: there is no file for its document."""
        file = None if job.source.number in self._loaded else nameless_file(job.source.octets)
        try:  # never more than a few hundred octets on the way: this does not block
            self._load(job.source, file)
            self.line.sendall(wire.frame(job.order))
        except OSError:
            return False
        if not self.jobs:
            self._busy_since = time.monotonic()
        self.document = job.source.number
        self.jobs.append((weakref.ref(job), job.source.limits))
        return True

    def receive(self) -> bool:
        """Takes what has come, an answer or the end; false when nothing has."""
        try:
            octets = self.line.recv(READ_SIZE)
        except BlockingIOError:
            return False
        except OSError:
            octets = b""
        if octets:
            self._busy_since = time.monotonic()
            self._buffer += octets
            self._take_answers()
        else:
            self.bury()
        return True

    def is_stuck(self) -> bool:
        """Over every limit and still alive: stopped from outside, or taken over; what has come was taken before."""
        return bool(self.jobs) and time.monotonic() - self._busy_since > self.jobs[0][1].seconds + GRACE

    def bury(self, status: int | None = None) -> None:
        """The process is dead or shall be: the job in its hand fails, the others are left in `jobs`."""
        self.close()  # killing what is already ending does not change how it ended
        if status is None:
            status = self._process.returncode if self._process else 0
        if not self.jobs:
            return
        reference, limits = self.jobs[0]
        job = reference()
        if job is not None and status == -signal.SIGKILL and not job.killed:
            job.killed = True  # by an administrator, or by a machine out of memory
            return
        if job is not None:
            job.answer = wire.Failed(_cause(status, limits), page_number(job), 46)
        self.jobs.popleft()

    def close(self) -> None:
        """Ends the process and what it started."""
        self.ended = True
        self.line.close()
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for file in self._files:
            file.close()

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        # An editable install is found by a hook, not by a path, and the child has no hooks.
        paths = json.dumps([str(Path(__file__).parents[2]), *(path or os.getcwd() for path in sys.path)])
        environment = {key: os.environ[key] for key in KEPT_ENVIRONMENT if key in os.environ}
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
        return ours

    def _load(self, source: Source, file: BinaryIO | None) -> None:
        """Hands a document's file over, unless it is there, and has one forgotten that was not used for long."""
        if file is None:
            self._loaded.move_to_end(source.number)
            return
        limits = source.limits
        load = wire.Load(
            source.number, source.kind, source.rasterizer, limits.max_pels, limits.seconds, limits.address_space
        )
        with file:
            socket.send_fds(self.line, [wire.frame(load)], [file.fileno()])
        self._loaded[source.number] = None
        if len(self._loaded) > KEPT_DOCUMENTS:
            self.line.sendall(wire.frame(wire.Unload(self._loaded.popitem(last=False)[0])))

    def _take_answers(self) -> None:
        try:
            while self.jobs and (message := wire.take(self._buffer)) is not None:
                reference, limits = self.jobs[0]
                answer, rows = wire.decode_answer(message), b""
                if isinstance(answer, wire.Drawn):
                    rows = self._rows(answer, limits)
                if (job := reference()) is not None:
                    job.rows, job.answer = rows, answer
                self.jobs.popleft()
                self._files.rotate(-1)
            if self._buffer and not self.jobs:
                raise ValueError("an answer that nobody asked for")
        except (ValueError, msgspec.DecodeError):
            self.bury(WRONG_ANSWER)

    def _rows(self, page: wire.Drawn, limits: Limits) -> bytes:
        length = page.width // 8 * page.height
        if page.width < 0 or not 0 < length <= limits.max_pels // 8 + 1:
            raise ValueError(f"rows of {length} octets")
        return os.pread(self._files[0].fileno(), length, 0)


def page_number(job: Job) -> int | None:
    """Of the page that is to be drawn, counted from 1."""
    return job.order.page + 1 if isinstance(job.order, wire.Draw) else None


def _cause(status: int, limits: Limits) -> str:
    if status in (-signal.SIGALRM, -signal.SIGXCPU):
        return f"took longer than {limits.seconds:g} s to draw"
    if status == WRONG_ANSWER:
        return "cannot be drawn: the drawing process gave a wrong answer"
    if status < 0:
        return f"ended the drawing process ({signal.Signals(-status).name}); it may need more memory than its limit"
    return f"cannot be drawn: the drawing process left with status {status}"


def nameless_file(octets: bytes = b"") -> BinaryIO:
    """A file in memory that holds these octets, or one without a name where the system has no such files."""
    in_memory = hasattr(os, "memfd_create")
    file = os.fdopen(os.memfd_create("faxcore"), "w+b") if in_memory else tempfile.TemporaryFile()  # noqa: SIM115
    try:
        file.write(octets)
        file.flush()
    except BaseException:
        file.close()
        raise
    return file
