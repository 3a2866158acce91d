"""Documents: a sequence of pages, drawn or decoded when they are asked for."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, overload

import numpy as np

from faxcore.document import client, pool, wire
from faxcore.document.drawing import Drawing
from faxcore.document.geometry import Size, layout, paper
from faxcore.document.header import Header, with_header
from faxcore.document.limits import Limits
from faxcore.errors import DocumentError
from faxcore.page import LINES_MM, RESOLUTIONS, Page, Paper, Resolution, line_pels

RASTERIZERS = ("pdfium", "poppler")
MAGIC = {
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
}
PDF_MAGIC_WITHIN = 1024


class PageRequest:
    """A page that was asked for; drop it when it is no longer wanted."""

    def __init__(self, ready: Callable[[], bool], make: Callable[[], Page]) -> None:
        self._ready, self._make = ready, make
        self._page: Page | None = None

    def ready(self) -> bool:
        """Whether `page()` would return, or raise, without waiting; never blocks."""
        return self._page is not None or self._ready()

    def page(self) -> Page:
        """The page, waiting for it. DocumentError where it cannot be drawn."""
        if self._page is None:
            self._page = self._make()
        return self._page


class AnyDocument(Protocol):
    """What can be sent and saved."""

    @property
    def name(self) -> str: ...

    @property
    def pages(self) -> Sequence[Page]: ...

    def paper(self, index: int) -> Paper: ...

    def request(
        self,
        index: int,
        resolution: Resolution,
        header: Header | None = None,
        *,
        line_mm: int = 215,
        longest_mm: float | None = None,
    ) -> PageRequest: ...


class Pages(Sequence[Page]):
    """The pages of a document: `len()` draws nothing, indexing draws or decodes and keeps nothing.

    `begin` begins to draw a page and gives what waits for it; in turn, pages are begun `ahead` of the one taken.
    """

    def __init__(
        self,
        length: Callable[[], int],
        begin: Callable[[int], Callable[[], Page]],
        ahead: Callable[[], int] = lambda: 0,
    ) -> None:
        self._length, self._begin, self._ahead = length, begin, ahead

    def __len__(self) -> int:
        return self._length()

    @overload
    def __getitem__(self, index: int) -> Page: ...
    @overload
    def __getitem__(self, index: slice) -> list[Page]: ...
    def __getitem__(self, index: int | slice) -> Page | list[Page]:
        numbers = range(len(self))[index]
        return self._begin(numbers)() if isinstance(numbers, int) else list(self._in_turn(numbers))

    def __iter__(self) -> Iterator[Page]:
        return self._in_turn(range(len(self)))

    def _in_turn(self, numbers: range) -> Iterator[Page]:
        begun: deque[Callable[[], Page]] = deque()
        for number in numbers:
            begun.append(self._begin(number))
            if len(begun) > self._ahead():
                yield begun.popleft()()
        while begun:
            yield begun.popleft()()


def check_index(index: int, name: str, pages: int) -> None:
    """IndexError unless the document has a page of this index."""
    if not 0 <= index < pages:
        raise IndexError(f"{name} has {pages} pages, none of index {index}")


class Document:
    """A foreign document, drawn by the drawing process page by page."""

    def __init__(
        self, source: client.Source, name: str, resolution: Resolution, numbers: Sequence[int], sizes: Sequence[Size]
    ) -> None:
        self.name, self.resolution = name, resolution
        self._source, self._numbers, self._sizes = source, numbers, sizes
        self._first: client.Job | None = None
        self._first_how = Drawing(resolution, self.paper(0).width_mm)
        self._first = self._submit(0, self._first_how)  # drawn while the call is set up

    @property
    def pages(self) -> Sequence[Page]:
        """Of the resolution that the document was opened with; some are drawn ahead in a loop over them."""
        return Pages(
            lambda: len(self._numbers),
            lambda index: self.request(index, self.resolution).page,
            lambda: pool.drawing_pool.ahead,
        )

    def paper(self, index: int) -> Paper:
        """What a page, counted from 0, needs of the far end's paper."""
        check_index(index, self.name, len(self._numbers))
        return paper(self._sizes[self._numbers[index]])

    def request(
        self,
        index: int,
        resolution: Resolution,
        header: Header | None = None,
        *,
        line_mm: int = 215,
        longest_mm: float | None = None,
    ) -> PageRequest:
        """Begins to draw a page, counted from 0, and returns at once; `header` draws a header line.

        Its lines are 215, 255 or 303 mm long (A4, B4, A3); a page that is longer than `longest_mm` is made smaller.
        """
        check_index(index, self.name, len(self._numbers))
        if resolution not in RESOLUTIONS.values():
            raise ValueError(f"a page is drawn at one of {', '.join(RESOLUTIONS)}, not at {resolution!r}")
        if line_mm not in LINES_MM.values():
            raise ValueError(f"line_mm is one of {', '.join(map(str, LINES_MM.values()))}, not {line_mm!r}")
        how = Drawing(resolution, line_mm, longest_mm)
        self._check_pels(index, how)
        job = self._submit(index, how)
        return PageRequest(lambda: _answered(job), lambda: with_header(self._drawn(job, how), header, index))

    def draw_first(self) -> None:
        """Waits for the first page, which is then ready for the call. DocumentError."""
        if self._first is not None:
            self._drawn(self._first, self._first_how)

    def _check_pels(self, index: int, how: Drawing) -> None:
        number, most = self._numbers[index], self._source.limits.max_pels
        place = how.layout(self._sizes[number])
        if place.line * place.height > most:
            raise DocumentError(self.name, f"would be more than {most} pels", page=number + 1)

    def _submit(self, index: int, how: Drawing) -> client.Job:
        order = wire.Draw(
            self._source.number, self._numbers[index], how.resolution.name, how.line_mm, how.longest_mm
        )
        first, self._first = self._first, None
        if first is not None and first.order == order:
            return first
        job = client.Job(self._source, order)
        pool.drawing_pool.submit(job)
        return job

    def _drawn(self, job: client.Job, how: Drawing) -> Page:
        answer = _answer(job, self.name)
        width = line_pels(how.line_mm, how.resolution)
        if not isinstance(answer, wire.Drawn) or answer.width != width:
            raise DocumentError(self.name, "the drawing process gave a wrong answer", code=46)
        rows = np.frombuffer(job.rows, np.uint8)
        if not 0 < answer.height == len(rows) / (width // 8):
            raise DocumentError(self.name, "the drawing process gave a page of a wrong size", code=46)
        return Page(rows.reshape(answer.height, -1), width, how.resolution)

    def __repr__(self) -> str:
        return f"Document({self.name!r}, {len(self._numbers)} pages)"


def open_document(
    source: str | os.PathLike[str] | bytes,
    *,
    rasterizer: str = "pdfium",
    resolution: str = "fine",
    name: str | None = None,
    limits: Limits | None = None,
    pages: Sequence[int] | None = None,
) -> Document:
    """A PDF, TIFF, PNG or JPEG as a document; its content says which of them it is.

    `source` is a path, or the octets of a file. `rasterizer` draws PDF: "pdfium" or "poppler". `document.pages` are
    drawn at `resolution`, one of those of `Options`, on lines of A4; a call draws each page anew, as the far end takes
    it. `pages` chooses some, counted from 0.
    DocumentError: the file cannot be read or passes the `limits`; said before anybody is called.
    """
    if rasterizer not in RASTERIZERS:
        raise ValueError(f"rasterizer must be one of {', '.join(RASTERIZERS)}, not {rasterizer!r}")
    if resolution not in RESOLUTIONS:
        raise ValueError(f"resolution must be one of {', '.join(RESOLUTIONS)}, not {resolution!r}")
    limits = Limits() if limits is None else limits
    octets, default_name = _read(source, name, limits)
    name = default_name if name is None else name
    origin = client.Source(octets, _kind(octets, name), rasterizer, limits)
    sizes = _sizes(origin, name)
    numbers = range(len(sizes)) if pages is None else _chosen(pages, name, len(sizes))
    _check_pages(name, sizes, numbers, RESOLUTIONS[resolution], limits)
    return Document(origin, name, RESOLUTIONS[resolution], numbers, sizes)


def _chosen(pages: Sequence[int], name: str, count: int) -> list[int]:
    for page in pages:
        if not -count <= page < count:
            raise ValueError(f"pages: {name} has {count} pages, none of index {page}")
    return [range(count)[page] for page in pages]


def _read(source: str | os.PathLike[str] | bytes, name: str | None, limits: Limits) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        octets, default_name = source, "document"
    elif isinstance(source, (str, os.PathLike)):
        default_name = Path(source).name
        try:
            with open(source, "rb") as file:
                octets = file.read(limits.max_octets + 1)
        except OSError as fault:
            raise DocumentError(name or default_name, f"cannot be opened: {fault.strerror}", code=41) from fault
    else:
        raise TypeError(f"a document is a path or bytes, not {type(source).__name__}")
    if len(octets) > limits.max_octets:
        raise DocumentError(name or default_name, f"is larger than {limits.max_octets} octets", code=41)
    return octets, default_name


def _kind(octets: bytes, name: str) -> str:
    for magic, kind in MAGIC.items():
        if octets.startswith(magic):
            return kind
    if b"%PDF-" in octets[:PDF_MAGIC_WITHIN]:
        return "PDF"
    raise DocumentError(name, "is neither PDF, TIFF, PNG nor JPEG" if octets else "is empty")


def _sizes(source: client.Source, name: str) -> list[Size]:
    job = client.Job(source, wire.Inspect(source.number))
    pool.drawing_pool.submit(job)
    answer = _answer(job, name)
    if not isinstance(answer, wire.Inspected):
        raise DocumentError(name, "the drawing process gave a wrong answer")
    return answer.sizes


def _check_pages(
    name: str, sizes: list[Size], numbers: Sequence[int], resolution: Resolution, limits: Limits
) -> None:
    if not numbers:
        raise DocumentError(name, "has no pages", code=42)
    if len(numbers) > limits.max_pages:
        raise DocumentError(name, f"has {len(numbers)} pages, more than {limits.max_pages}")
    for number in numbers:
        width, height, _ = sizes[number]
        if not (1 <= width <= limits.max_page_mm and 1 <= height <= limits.max_page_mm):
            raise DocumentError(name, f"is {width:.4g} x {height:.4g} mm large", page=number + 1)
        place = layout(width, height, resolution)
        if place.height * place.line > limits.max_pels:
            raise DocumentError(name, f"would be more than {limits.max_pels} pels", page=number + 1)


def _answered(job: client.Job) -> bool:
    if job.answer is None:
        pool.drawing_pool.poll()
    return job.answer is not None


def _answer(job: client.Job, name: str) -> wire.Answer:
    answer = pool.drawing_pool.wait(job)
    if isinstance(answer, wire.Failed):
        raise DocumentError(name, answer.cause, page=answer.page, code=answer.code)
    return answer
