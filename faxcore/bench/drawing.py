"""What a page costs before the call: drawn from PDF and coded, beside poppler with libtiff."""

from __future__ import annotations

import resource
import shutil
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from pypdf import PdfReader, PdfWriter

import faxcore
from faxcore.bench.cpu import children, cpu_of
from faxcore.bench.figures import Spread
from faxcore.coding import encode
from faxcore.document import open_document

SAMPLE = Path(faxcore.__file__).with_name("cli") / "sample.pdf"
PAGES = 50


def drawing(document: str | None, repeats: int) -> dict[str, Spread]:
    """Milliseconds a page. Of CPU, "draw" and "code"; where poppler is, "poppler draw" and "poppler draw and code".

    "ratio" compares both at both; "wall" is the time that ours take with all our drawing processes, "poppler wall" that
    of its drawing and coding, "wall ratio" compares them. A PDF of one page is drawn many times over, so that opening
    it weighs little; our processes draw it once before, for they stay.
    """
    with tempfile.TemporaryDirectory(prefix="faxcore-bench-") as folder:
        path = _many(Path(document) if document else SAMPLE, Path(folder), only_first=document is None)
        runs: dict[str, list[float]] = defaultdict(list)
        list(open_document(path).pages)
        for _ in range(repeats):
            pages = _ours(path, runs)
            if shutil.which("pdftoppm") and path.suffix == ".pdf":
                _poppler(path, Path(folder), pages, runs)
    return {name: Spread.of(values) for name, values in runs.items()}


def _ours(path: Path, runs: dict[str, list[float]]) -> int:
    """Draws all pages and codes each as it comes; how many."""
    coding: list[float] = []

    def drawn_and_coded() -> None:
        for page in open_document(path).pages:
            since = time.process_time()
            encode(page, "mmr")
            coding.append(time.process_time() - since)

    begin = time.perf_counter()
    both, code = _spent(drawn_and_coded), sum(coding)
    for name, seconds in (("draw", both - code), ("code", code), ("wall", time.perf_counter() - begin)):
        runs[name].append(1000 * seconds / len(coding))
    return len(coding)


def _poppler(path: Path, folder: Path, pages: int, runs: dict[str, list[float]]) -> None:
    """The same by poppler's program: to bilevel pages alone, and to pages that libtiff has coded as MMR."""
    draw, _ = _pdftoppm(path, folder)
    both, wall = _pdftoppm(path, folder, "-tiff", "-tiffcompression", "ccittfax4")
    for name, seconds in (("poppler draw", draw), ("poppler draw and code", both), ("poppler wall", wall)):
        runs[name].append(1000 * seconds / pages)
    runs["ratio"].append((runs["draw"][-1] + runs["code"][-1]) / runs["poppler draw and code"][-1])
    runs["wall ratio"].append(runs["wall"][-1] / runs["poppler wall"][-1])


def _many(path: Path, folder: Path, *, only_first: bool) -> Path:
    if path.suffix.lower() != ".pdf":
        return path
    pages = PdfReader(path).pages
    writer, made = PdfWriter(), folder / "many.pdf"
    for _ in range(-(-PAGES // (1 if only_first else len(pages)))):
        for page in pages[:1] if only_first else pages:
            writer.add_page(page)
    writer.write(made)
    return made


def _spent(what: Callable[[], object]) -> float:
    """Seconds of CPU of this process and the drawing processes."""
    running, since = children(), time.process_time()
    before = cpu_of(running)
    what()
    return time.process_time() - since + cpu_of(running | children()) - before


def _pdftoppm(path: Path, folder: Path, *options: str) -> tuple[float, float]:
    """Seconds of CPU and of wall time of a whole run, at the resolution of fine."""
    before, begin = _waited_for(), time.perf_counter()
    words = ["pdftoppm", "-mono", "-rx", "204", "-ry", "196", *options, str(path), str(folder / "page")]
    subprocess.run(words, check=True, capture_output=True)
    return _waited_for() - before, time.perf_counter() - begin


def _waited_for() -> float:
    """Seconds of CPU of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
