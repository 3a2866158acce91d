"""Several documents as one, for a call that sends them one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate

from faxcore.document.documents import AnyDocument, PageRequest, Pages, check_index
from faxcore.document.header import Header
from faxcore.page import Page, Paper, Resolution


class JoinedDocument:
    """The pages of some documents in turn; each counts its own pages in the header line."""

    def __init__(self, documents: Sequence[AnyDocument]) -> None:
        self.name = ", ".join(document.name for document in documents)
        self._documents = tuple(documents)
        self._places = [(document, index) for document in documents for index in range(len(document.pages))]
        self.pages: Sequence[Page] = Pages(lambda: len(self._places), lambda index: partial(self._page, index))
        self.ends = frozenset(accumulate(len(document.pages) for document in documents))
        """How many pages there are up to the end of each document."""

    def _page(self, index: int) -> Page:
        document, own = self._places[index]
        return document.pages[own]

    def paper(self, index: int) -> Paper:
        """What a page, counted from 0, needs of the far end's paper."""
        check_index(index, self.name, len(self._places))
        document, own = self._places[index]
        return document.paper(own)

    def request(
        self,
        index: int,
        resolution: Resolution,
        header: Header | None = None,
        *,
        line_mm: int = 215,
        longest_mm: float | None = None,
    ) -> PageRequest:
        """Begins to draw a page, counted from 0, as its document does."""
        check_index(index, self.name, len(self._places))
        document, own = self._places[index]
        header = header and replace(header, pages=len(document.pages))
        return document.request(own, resolution, header, line_mm=line_mm, longest_mm=longest_mm)

    def __repr__(self) -> str:
        return f"JoinedDocument({self.name!r}, {len(self._documents)} documents, {len(self._places)} pages)"
