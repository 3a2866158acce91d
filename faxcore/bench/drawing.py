"""What a page costs before the call: drawn from PDF and coded, beside poppler's drawing and libtiff's coding."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image
from pypdf import PdfReader, PdfWriter

import faxcore
from faxcore.bench.figures import Spread
from faxcore.coding import encode
from faxcore.document import open_document
from faxcore.page import Page

SAMPLE = Path(faxcore.__file__).with_name("cli") / "sample.pdf"
PAGES = 20


def drawing(document: str | None, repeats: int) -> dict[str, Spread]:
    """Milliseconds of CPU a page: "draw" and "code" are ours, "poppler draw" and "libtiff code" where poppler is.

    A PDF of one page is drawn many times over, so that opening it weighs little.
    """
    with tempfile.TemporaryDirectory(prefix="faxcore-bench-") as folder:
        path = _many(Path(document) if document else SAMPLE, Path(folder), only_first=document is None)
        runs: dict[str, list[float]] = {}
        drawn: list[Page] = []
        for _ in range(repeats):
            _note(runs, "draw", _spent(lambda: drawn.extend(open_document(path).pages)), len(drawn))
            _note(runs, "code", _spent(lambda: [encode(page, "mmr") for page in drawn]), len(drawn))
            if shutil.which("pdftoppm") and path.suffix == ".pdf":
                _note(runs, "poppler draw", _poppler(path, Path(folder)), len(drawn))
                _note(runs, "libtiff code", _libtiff(drawn), len(drawn))
            drawn.clear()
    found = {name: Spread.of(values) for name, values in runs.items()}
    if "poppler draw" in runs:
        ours = [sum(pair) for pair in zip(runs["draw"], runs["code"], strict=True)]
        theirs = [sum(pair) for pair in zip(runs["poppler draw"], runs["libtiff code"], strict=True)]
        found["ratio"] = Spread.of([a / b for a, b in zip(ours, theirs, strict=True)])
    return found


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


def _note(runs: dict[str, list[float]], name: str, seconds: float, pages: int) -> None:
    runs.setdefault(name, []).append(1000 * seconds / pages)


def _spent(what: Callable[[], object]) -> float:
    """Seconds of CPU of this process and the drawing process."""
    children, since = _children(), time.process_time()
    before = _cpu_of(children)
    what()
    return time.process_time() - since + _cpu_of(children | _children()) - before


def _children() -> frozenset[int]:
    """Processes that this one has started and that still run."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            found.add(int(stat.parent.name))
    return frozenset(found)


def _cpu_of(pids: frozenset[int]) -> float:
    """Seconds of CPU of other processes: clock_getcpuclockid(3) by the kernel's own formula."""
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)


def _poppler(path: Path, folder: Path) -> float:
    """Bilevel pages as `pdftoppm` makes them, at the resolution of fine."""
    before = os.times()
    words = ["pdftoppm", "-mono", "-rx", "204", "-ry", "196", path, folder / "page"]
    subprocess.run(list(map(str, words)), check=True, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _libtiff(pages: Sequence[Page]) -> float:
    """The same pages coded as MMR by libtiff, through Pillow."""
    images = [Image.fromarray(~page.pels()) for page in pages]
    since = time.process_time()
    for image in images:
        image.save(io.BytesIO(), "TIFF", compression="group4")
    return time.process_time() - since
