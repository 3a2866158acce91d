"""The header line: in the margin where there is one, above the page where not, and nothing of the page is lost."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import faxcore
from faxcore.document import Header
from faxcore.document.header import with_header
from faxcore.page import RESOLUTIONS, Page
from tests.document_support import pdf, random_pels, text

WHEN = datetime(2026, 11, 24, 8, 5)
HEADER = Header(WHEN, "+15551230001", "ACME Größe & Söhne", 12)


def page_of(pels: np.ndarray, resolution: str) -> Page:
    return Page.from_pels(pels, RESOLUTIONS[resolution])


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_it_goes_into_a_white_margin(resolution: str) -> None:
    document = faxcore.open_document(pdf(text(30)), resolution=resolution)
    plain = document.pages[0]
    headed = document.request(0, plain.resolution, HEADER).page()
    assert headed.height == plain.height
    added = headed.pels() & ~plain.pels()
    rows = np.nonzero(added.any(axis=1))[0]
    tall = (rows.max() - rows.min() + 1) / plain.resolution.y_dpi * 25.4
    assert 2.0 < tall < 3.1
    assert rows.max() / plain.resolution.y_dpi * 25.4 < 6
    assert np.array_equal(headed.pels() & ~added, plain.pels())


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_it_is_put_above_a_page_without_a_margin(resolution: str) -> None:
    page = page_of(random_pels(1, 100), resolution)
    headed = with_header(page, HEADER, 0)
    assert np.array_equal(headed.rows[-100:], page.rows)
    assert 4 < (headed.height - 100) / page.resolution.y_dpi * 25.4 < 6


def test_no_header_no_change() -> None:
    page = page_of(random_pels(2, 50), "fine")
    assert with_header(page, None, 3) is page


def test_it_is_legible() -> None:
    """Each letter correlates better with itself, drawn by Pillow, than with any other digit."""
    font = ImageFont.truetype("DejaVuSans.ttf", 20) if _has_dejavu() else ImageFont.load_default(20)
    for digit in "0123456789":
        header = Header(WHEN, digit * 8, "", 1)
        strip = with_header(page_of(np.zeros((60, 1728), bool), "fine"), header, 0).pels()
        empty = with_header(page_of(np.zeros((60, 1728), bool), "fine"), Header(WHEN, "", "", 1), 0).pels()
        rows, columns = np.nonzero(strip & ~empty)
        glyph = Image.fromarray(strip[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
        scores = {other: _likeness(glyph, other * 8, font) for other in "0123456789"}
        assert max(scores, key=scores.__getitem__) == digit, scores


def _has_dejavu() -> bool:
    try:
        ImageFont.truetype("DejaVuSans.ttf", 20)
    except OSError:
        return False
    return True


def _likeness(glyph: Image.Image, letters: str, font: ImageFont.ImageFont) -> float:
    drawn = Image.new("L", (400, 60))
    ImageDraw.Draw(drawn).text((10, 10), letters, 255, font)
    other = drawn.crop(drawn.getbbox()).resize(glyph.size, Image.Resampling.BICUBIC)
    return float(np.corrcoef(np.asarray(glyph, float).ravel(), np.asarray(other, float).ravel())[0, 1])


def test_the_page_number_is_at_the_right_and_the_text_never_reaches_it() -> None:
    blank = page_of(np.zeros((100, 1728), bool), "fine")
    short = with_header(blank, Header(WHEN, "", "", 9), 1).pels()
    long = with_header(blank, Header(WHEN, "+1555", "W" * 500, 9), 1).pels()
    columns = np.nonzero(short.any(axis=0))[0]
    number = columns[columns > 1000]
    assert 1640 < number.min() < number.max() < 1700
    assert np.array_equal(long[:, number.min() - 20 :], short[:, number.min() - 20 :])


def test_strange_text_and_narrow_pages_do_no_harm() -> None:
    for width in (1, 50, 200, 1728):
        page = page_of(random_pels(3, 40, width), "standard")
        headed = with_header(page, Header(WHEN, "\0\n", "日本 \U0001f4e0 ﷽", 10**9), 10**8)
        assert headed.width == width
        assert np.array_equal(headed.rows[-40:], page.rows)


def test_what_it_says_is_checked() -> None:
    for wrong in ({"date": "today"}, {"identity": None}, {"text": b""}):
        with pytest.raises(TypeError):
            Header(**({"date": WHEN, "identity": "", "text": "", "pages": 1} | wrong))
    with pytest.raises(ValueError, match="pages"):
        Header(WHEN, "", "", 0)
