"""SpanDSP on the same work: a C program with its calls, compiled here against the library that is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faxcore.bench.figures import Measured
from faxcore.bench.work import Work
from faxcore.document import AnyDocument, save_document

SOURCE = Path(__file__).with_name("spandsp_calls.c")
MODEMS = {"v27ter": 1, "v29": 2, "v17": 4}
PATIENCE = 300.0


class PeerMissing(Exception):  # noqa: N818 - no fault of ours, and said as such
    """SpanDSP or a C compiler is not on this machine, or its calls failed; the text says what to do."""


class Peer:
    """SpanDSP's calls. Use `peer()`."""

    def __init__(self, program: Path, folder: Path, tiff: Path) -> None:
        self._program, self._folder, self._tiff = program, folder, tiff

    def run(self, work: Work, calls: int) -> Measured:
        """So many calls as `work` has them. PeerMissing."""
        words = ["t38" if work.packets else "audio", calls, self._tiff, self._folder, MODEMS[work.modulation]]
        words += [int(work.ecm), work.redundancy]
        try:
            done = subprocess.run([self._program, *map(str, words)], capture_output=True, timeout=PATIENCE, check=True)
            facts = json.loads(done.stdout)
        except (OSError, subprocess.SubprocessError, ValueError) as fault:
            raise PeerMissing(f"SpanDSP's calls did not come to an end: {fault}") from fault
        if facts["succeeded"] != calls:
            raise PeerMissing(f"SpanDSP: only {facts['succeeded']} of {calls} calls succeeded")
        return Measured(calls, facts["pages"], facts["cpu"], facts["line"])


@contextmanager
def peer(document: AnyDocument) -> Iterator[Peer]:
    """SpanDSP with a document to send. PeerMissing."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise PeerMissing("--peer spandsp needs a C compiler: apt-get install gcc libspandsp-dev libtiff-dev")
    with tempfile.TemporaryDirectory(prefix="faxcore-bench-") as name:
        folder = Path(name)
        program, tiff = folder / "spandsp_calls", folder / "document.tif"
        built = subprocess.run([compiler, "-O2", "-o", program, SOURCE, "-lspandsp", "-ltiff", "-lm"],
                               capture_output=True, text=True)  # fmt: skip
        if built.returncode:
            raise PeerMissing("--peer spandsp needs SpanDSP: apt-get install libspandsp-dev libtiff-dev")
        save_document(document, tiff)
        yield Peer(program, folder, tiff)
