"""A document that grows page by page: what a call has received."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from faxcore import coding
from faxcore.document.documents import PageRequest, Pages, check_index
from faxcore.document.geometry import MM_PER_INCH, Size, longest_lines, paper
from faxcore.document.header import Header, with_header
from faxcore.document.rescale import rescale
from faxcore.page import Page, Paper, Resolution, line_pels


@dataclass(frozen=True, slots=True)
class CodedPage:
    """A page as MMR octets, the first bit the most significant, as PDF and TIFF hold it [T.6]."""

    octets: bytes
    width: int
    height: int
    resolution: Resolution

    @classmethod
    def of(cls, page: Page) -> CodedPage:
        """A page coded."""
        octets = coding.encode(page, "mmr", bit_order="msb")
        return cls(octets, page.width, page.height, page.resolution)

    def page(self) -> Page:
        """The page decoded."""
        return _decoded(self)


@lru_cache(maxsize=4)
def _decoded(coded: CodedPage) -> Page:
    """A page that goes to many far ends is decoded once: a page never changes, and few are as much as 1 MB."""
    width, rows = coded.width, coded.height
    return coding.decode(coded.octets, "mmr", width, coded.resolution, bit_order="msb", rows=rows).page


class ReceivedDocument:
    """Received pages, kept coded: hundreds of them stay small."""

    def __init__(self, name: str = "received", coded: Iterable[CodedPage] = ()) -> None:
        self.name = name
        self._coded = list(coded)
        self.pages: Sequence[Page] = Pages(lambda: len(self._coded), lambda index: self._coded[index].page)

    def append(self, page: Page) -> None:
        """Adds a page at the end."""
        self._coded.append(CodedPage.of(page))

    @property
    def coded(self) -> Sequence[CodedPage]:
        """The pages as they are kept."""
        return tuple(self._coded)

    def paper(self, index: int) -> Paper:
        """What a page, counted from 0, needs of the far end's paper."""
        check_index(index, self.name, len(self._coded))
        page = self._coded[index]
        across, down = page.width / page.resolution.x_dpi, page.height / page.resolution.y_dpi
        return paper(Size(across * MM_PER_INCH, down * MM_PER_INCH, as_it_lies=True))

    def request(
        self,
        index: int,
        resolution: Resolution,
        header: Header | None = None,
        *,
        line_mm: int = 215,
        longest_mm: float | None = None,
    ) -> PageRequest:
        """A page, counted from 0, that is always ready; `header` draws a header line."""
        check_index(index, self.name, len(self._coded))
        coded, longest = self._coded[index], longest_lines(longest_mm, resolution)
        return PageRequest(
            lambda: True, lambda: with_header(_at(coded.page(), resolution, line_mm, longest), header, index)
        )

    def __repr__(self) -> str:
        return f"ReceivedDocument({self.name!r}, {len(self._coded)} pages)"


def _at(page: Page, resolution: Resolution, line_mm: int, longest: int | None) -> Page:
    fits = page.width == line_pels(line_mm, resolution) and (longest is None or page.height <= longest)
    return page if fits and page.resolution == resolution else rescale(page, resolution, line_mm, longest)
