"""What a document may cost before it is refused."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on a foreign document; more than that is a DocumentError, never a stuck process.

    `max_pages` of a document, `max_octets` of its file, `max_pels` of a drawn page or of an image in it,
    `max_page_mm` of either side of a page, `seconds` of wall and of CPU time to open it or to draw a page,
    `address_space` of the drawing process in octets.
    """

    max_pages: int = 1000
    max_octets: int = 100_000_000
    max_pels: int = 100_000_000
    max_page_mm: float = 5100.0  # 14400 pt, the longest page of PDF 1.x
    seconds: float = 20.0
    address_space: int = 2_000_000_000

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise ValueError(f"{field.name} must be greater than 0, not {getattr(self, field.name)!r}")
