"""A drawing process: replaced when it dies, gone with its parent. Here it is the only one."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import faxcore
from faxcore.document import Limits, client, pool, wire
from faxcore.errors import DocumentError
from faxcore.page import FINE, STANDARD
from tests.document_support import drawing, ended, pdf, text

DOCUMENT = pdf(*(text(5 * (number + 1)) for number in range(6)))


ONE = pool.DrawingPool(1)


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "drawing_pool", ONE)


@pytest.fixture(autouse=True, scope="module")
def _no_process_afterwards() -> Iterator[None]:
    yield
    ONE.close()


def process() -> int:
    return drawing(pool.drawing_pool)[0]


def test_many_documents_share_one_process() -> None:
    documents = [faxcore.open_document(DOCUMENT) for _ in range(2 * client.KEPT_DOCUMENTS + 1)]
    first = process()
    pages = [document.pages[3] for document in documents for _ in range(2)]
    assert all(page == pages[0] for page in pages)
    assert process() == first


def test_requests_run_ahead_and_are_answered_in_any_order() -> None:
    document = faxcore.open_document(DOCUMENT)
    wanted = list(document.pages)
    requests = [document.request(index, FINE) for index in range(6)]
    assert [requests[index].page() for index in (5, 0, 3, 1, 4, 2)] == [wanted[index] for index in (5, 0, 3, 1, 4, 2)]
    assert all(request.ready() for request in requests)
    assert requests[2].page() is requests[2].page()


def test_asking_whether_a_page_is_ready_never_waits() -> None:
    document = faxcore.open_document(DOCUMENT)
    document.pages[0]
    os.kill(process(), signal.SIGSTOP)  # nothing can be drawn now
    try:
        requests = [document.request(index % 6, STANDARD) for index in range(50)]
        assert not any(request.ready() for request in requests)
    finally:
        os.kill(process(), signal.SIGCONT)
    assert requests[-1].page().resolution == STANDARD
    assert all(request.ready() for request in requests)


def test_a_page_that_nobody_waits_for_is_in_nobodys_way() -> None:
    document = faxcore.open_document(DOCUMENT)
    for _ in range(100):
        document.request(1, FINE)
    gc.collect()
    assert document.request(2, FINE).page() == document.pages[2]
    assert not pool.drawing_pool._waiting


def test_a_process_killed_from_outside_is_not_noticed() -> None:
    document = faxcore.open_document(DOCUMENT)
    wanted = list(document.pages)
    for waiting in range(6):
        before = process()
        os.kill(before, signal.SIGSTOP)
        requests = [document.request(index, FINE) for index in range(waiting)]
        os.kill(before, signal.SIGKILL)
        assert [request.page() for request in requests] == wanted[:waiting]
        assert document.pages[5] == wanted[5]
        assert process() != before


def test_only_the_page_in_the_hand_of_a_crashed_process_is_lost() -> None:
    document = faxcore.open_document(DOCUMENT, name="letter")
    wanted = list(document.pages)
    before = process()
    os.kill(before, signal.SIGSTOP)
    requests = [document.request(index, FINE) for index in range(6)]
    os.kill(before, signal.SIGSEGV)
    os.kill(before, signal.SIGCONT)
    with pytest.raises(DocumentError, match=r"^letter, page 1: ended the drawing process \(SIGSEGV\)"):
        requests[0].page()
    assert [request.page() for request in requests[1:]] == wanted[1:]
    assert process() != before


def test_a_stopped_process_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "GRACE", 0.2)
    document = faxcore.open_document(DOCUMENT, limits=Limits(seconds=2.0))  # a hundred times what a page takes
    document.pages[0]
    os.kill(process(), signal.SIGSTOP)
    with pytest.raises(DocumentError, match="took longer"):
        document.pages[1]
    assert faxcore.open_document(DOCUMENT).pages[1].height == 2292


def test_threads_share_it() -> None:
    wanted = list(faxcore.open_document(DOCUMENT).pages)
    right = []

    def draw() -> None:
        document = faxcore.open_document(DOCUMENT)
        right.append(all(document.pages[index] == wanted[index] for index in range(6)))

    threads = [threading.Thread(target=draw) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 6


def test_a_forked_child_draws_with_a_process_of_its_own() -> None:
    document = faxcore.open_document(DOCUMENT)
    request, wanted = document.request(3, FINE), document.pages[3]
    child = os.fork()
    if child == 0:  # no pytest in here: the exit status tells
        same = request.page() == wanted and document.pages[2].height == 2292
        pool.drawing_pool.close()
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert request.page() == wanted


class Liar(client.DrawingProcess):
    """A process that was taken over and answers what it likes."""

    def __init__(self, octets: bytes, rows: bytes) -> None:
        self._octets, self._drawn = octets, rows
        super().__init__()

    def _start(self) -> socket.socket:
        line, self._theirs = socket.socketpair()
        self._theirs.sendall(self._octets)
        os.pwrite(self._files[0].fileno(), self._drawn, 0)
        line.setblocking(False)
        return line


@pytest.mark.parametrize(
    "answer",
    [
        b"\xff" * 8,
        wire.PREFIX.pack(wire.MAX_MESSAGE + 1),
        wire.PREFIX.pack(3) + b"\x80\x80\x80",
        wire.frame(wire.Load(1, "", "", 1, 1, 1)),
        wire.frame(wire.Inspected([])),
        wire.frame(wire.Drawn(1728, 2)),
        wire.frame(wire.Drawn(1728, -1)),
        wire.frame(wire.Drawn(-1728, -1)),
        wire.frame(wire.Drawn(1728, 0)),
        wire.frame(wire.Drawn(1 << 60, 1 << 60)),
        wire.frame(wire.Drawn(8, 431)),
    ],
    ids=range(11),
)
def test_no_answer_of_a_lying_process_is_believed(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    document = faxcore.open_document(DOCUMENT)
    document.pages[0]
    monkeypatch.setattr(pool, "drawing_pool", pool.DrawingPool(1, lambda: Liar(answer, bytes(431))))
    with pytest.raises(DocumentError, match=r"the drawing process gave a (wrong answer|page of a wrong size)"):
        document.pages[1]


def test_no_descriptor_is_left_behind() -> None:
    def draw() -> None:
        for _ in range(12):
            faxcore.open_document(DOCUMENT).pages[1]

    draw()
    gc.collect()
    before = sorted(os.listdir("/proc/self/fd")), len(os.listdir(f"/proc/{process()}/fd"))
    draw()
    gc.collect()
    assert (sorted(os.listdir("/proc/self/fd")), len(os.listdir(f"/proc/{process()}/fd"))) == before


PROGRAM = """
import os, sys, faxcore
from faxcore.document import pool
document = faxcore.open_document(sys.stdin.buffer.read())
print(pool.drawing_pool._processes[0]._process.pid, len(document.pages), flush=True)
if sys.argv[1] == "killed":
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("ending", ["normal", "killed"])
def test_it_ends_with_its_parent_and_leaves_nothing(ending: str, tmp_path: Path) -> None:
    root = str(Path(faxcore.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": root, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", PROGRAM, ending], input=DOCUMENT, capture_output=True, env=environment)
    assert done.returncode == (0 if ending == "normal" else -signal.SIGKILL), done.stderr
    assert done.stderr == b""
    pid = int(done.stdout.split()[0])
    assert ended(pid)
    assert list(tmp_path.iterdir()) == []


def test_nothing_foreign_is_loaded_into_the_parent(tmp_path: Path) -> None:
    program = (
        "import sys, faxcore\n"
        "document = faxcore.open_document(sys.stdin.buffer.read())\n"
        "faxcore.save_document(document, sys.argv[1])\n"
        "print([name for name in ('PIL', 'pypdfium2', 'pypdf', 'pdf2image') if name in sys.modules])\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(faxcore.__file__).parents[1])}
    arguments = [sys.executable, "-c", program, tmp_path / "saved.pdf"]
    done = subprocess.run(arguments, input=DOCUMENT, capture_output=True, env=environment)
    assert done.stdout == b"[]\n", done.stderr
