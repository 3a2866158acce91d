"""The documents of a sweep: drawn once, carried to every worker as MMR, never drawn in a call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import faxcore
from faxcore.document import CodedPage, open_document
from faxcore.sweep.plan import Plan, SweepError

SAMPLE = Path(faxcore.__file__).with_name("cli") / "sample.pdf"

Drawn = dict[tuple[str, str], tuple[CodedPage, ...]]
"""The coded pages by document and resolution."""


def drawn(plan: Plan, progress: Callable[[str], None] = lambda name: None) -> Drawn:
    """Every document of a plan at every resolution that it is wanted at. SweepError, DocumentError."""
    found: Drawn = {}
    for name in plan.documents:
        path, numbers = _chosen(name)
        progress(name)
        for resolution in sorted(plan.resolutions()):
            document = open_document(path, resolution=resolution)
            if numbers and max(numbers) >= len(document.pages):
                raise SweepError(f"documents: {path.name} has {len(document.pages)} pages, not {max(numbers) + 1}")
            pages = document.pages if numbers is None else [document.pages[number] for number in numbers]
            found[name, resolution] = tuple(CodedPage.of(page) for page in pages)
    return found


def _chosen(name: str) -> tuple[Path, list[int] | None]:
    """A name as the file and, where it says so, its pages from 0: "letter.pdf:1-3"."""
    stem, colon, pages = name.rpartition(":")
    if not colon or not pages.replace("-", "").isdigit():
        stem, pages = name, ""
    path = SAMPLE if stem == "sample" else Path(stem)
    if not pages:
        return path, None
    first, _, last = pages.partition("-")
    try:
        numbers = list(range(int(first) - 1, int(last or first)))
    except ValueError:
        numbers = []
    if not numbers or numbers[0] < 0:
        raise SweepError(f"documents: {pages} is no range of pages, as in letter.pdf:1-3")
    return path, numbers
