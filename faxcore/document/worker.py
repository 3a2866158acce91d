"""A drawing process: the only place where a foreign document is opened.

Started by `faxcore.document.client` with a socket; ends when the socket does. It lives under limits of memory,
CPU time and wall time that are set anew for each job: the signals of the last two keep their default action,
so that a job over its limit ends the process whatever native code it is stuck in.
"""

from __future__ import annotations

import itertools
import mmap
import os
import resource
import signal
import socket
import time
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from faxcore.document import wire
from faxcore.document.drawing import Drawing, ForeignFile, UnreadableError
from faxcore.document.image import ImageFile
from faxcore.document.pdf import PdfFile, PopplerFile
from faxcore.page import RESOLUTIONS

READ_SIZE = 1 << 16


@dataclass
class Loaded:
    """A document that the parent sent, opened when it is first needed."""

    order: wire.Load
    descriptor: int
    file: ForeignFile | None = None

    def open(self) -> ForeignFile:
        """The opened file; UnreadableError or another exception where it is damaged."""
        if self.file is None:
            octets = mmap.mmap(self.descriptor, 0, access=mmap.ACCESS_READ)
            if self.order.kind != "PDF":
                self.file = ImageFile(octets, self.order.kind, self.order.max_pels)
            elif self.order.rasterizer == "poppler":
                self.file = PopplerFile(octets, self.order.max_pels, self.descriptor, self.order.seconds)
            else:
                self.file = PdfFile(octets, self.order.max_pels)
        return self.file

    def close(self) -> None:
        """Keeps the octets alone."""
        if self.file is not None:
            self.file.close()
            self.file = None


class Worker:
    """Carries out the orders of one parent, in order."""

    def __init__(self, line: socket.socket, files: list[int]) -> None:
        self._line, self._files = line, itertools.cycle(files)
        self._documents: dict[int, Loaded] = {}
        self._open: Loaded | None = None  # one at a time, so that none suffers from another's memory

    def run(self) -> None:
        """Until the parent closes its end."""
        buffer, descriptors = bytearray(), list[int]()
        while True:
            octets, received, _, _ = socket.recv_fds(self._line, READ_SIZE, 16)
            descriptors += received
            if not octets:
                return
            buffer += octets
            while (message := wire.take(buffer)) is not None:
                self._obey(wire.decode_order(message), descriptors)

    def _obey(self, order: wire.Order, descriptors: list[int]) -> None:
        if isinstance(order, wire.Load):
            self._documents[order.document] = Loaded(order, descriptors.pop(0))
            return
        if isinstance(order, wire.Unload):
            gone = self._documents.pop(order.document)
            gone.close()
            os.close(gone.descriptor)
            return
        loaded = self._documents[order.document]
        if self._open is not None and self._open is not loaded:
            self._open.close()
        self._open = loaded
        limit(loaded.order.seconds, loaded.order.address_space)
        answer = answer_to(loaded, order, next(self._files))
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._line.sendall(wire.frame(answer))


def answer_to(loaded: Loaded, order: wire.Inspect | wire.Draw, file: int) -> wire.Answer:
    """The answer to an order, drawn rows into `file`; a document's every fault is an answer."""
    page = order.page + 1 if isinstance(order, wire.Draw) else None
    try:
        document = loaded.open()
        if isinstance(order, wire.Inspect):
            return wire.Inspected(document.sizes())
        how = Drawing(RESOLUTIONS[order.resolution], order.line_mm, order.longest_mm)
        rows = document.draw(order.page, how)
        write(file, rows)
        return wire.Drawn(8 * rows.shape[1], len(rows))
    except UnreadableError as fault:
        return wire.Failed(fault.cause, fault.page, fault.code)
    except MemoryError:
        return wire.Failed("needs more memory than its limit", page, 47)
    except Exception as fault:  # the libraries raise what they like: struct.error, SyntaxError, zlib.error ...
        code = 43 if page is None else 46
        return wire.Failed(f"cannot be read: {str(fault) or type(fault).__name__}"[:300], page, code)


def write(file: int, rows: npt.NDArray[np.uint8]) -> None:
    """Puts rows at the beginning of a file."""
    octets, done = np.ascontiguousarray(rows).data.cast("B"), 0
    while done < len(octets):
        done += os.pwrite(file, octets[done:], done)


def limit(seconds: float, address_space: int) -> None:
    """Limits from now on; ends the process when they are passed."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (address_space if hard < 0 else min(address_space, hard), hard))
    used, (_, hard) = time.process_time(), resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 2, hard))
    signal.setitimer(signal.ITIMER_REAL, seconds)


def main(line: int, *files: int) -> None:
    """Runs on an inherited socket, and files for what it draws."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        Worker(socket.socket(fileno=line), list(files)).run()
    except (ConnectionError, msgspec.DecodeError):
        return  # the parent is gone
