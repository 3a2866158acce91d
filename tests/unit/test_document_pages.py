"""Pages come out true in size, and bilevel images pel for pel."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import faxcore
from faxcore.document import Limits, ReceivedDocument
from faxcore.page import FINE, RESOLUTIONS, STANDARD, SUPERFINE, Page
from tests.document_support import A4, LEGAL, LETTER, MM, bilevel_image, encoded, pdf, random_pels, text

DPI = {"standard": (204, 98), "fine": (204, 196), "superfine": (204, 391)}


@pytest.mark.parametrize("resolution", DPI)
@pytest.mark.parametrize(
    ("size", "inches"),
    [(A4, 297 / 25.4), (LETTER, 11), (LEGAL, 14), ((A4[0], 1200 * MM), 1200 / 25.4), ((100 * MM, 50 * MM), 50 / 25.4),
     ((297 * MM, 210 * MM), 297 / 25.4), ((297 * MM, 420 * MM), 420 / 297 * 1728 / 204)],
    ids=["A4", "letter", "legal", "1.2 m", "ticket", "landscape", "A3"],
)  # fmt: skip
def test_the_height_is_true(size: tuple[float, float], inches: float, resolution: str) -> None:
    page = faxcore.open_document(pdf(b"", size=size), resolution=resolution).pages[0]
    assert page.width == 1728
    assert page.height == pytest.approx(inches * DPI[resolution][1], abs=0.51)
    assert page.resolution == RESOLUTIONS[resolution]


def corner_mark(size: tuple[float, float]) -> bytes:
    """A black square of 10 mm in the upper left corner and none elsewhere."""
    return b"0 %f %f %f re f\n" % (size[1] - 10 * MM, 10 * MM, 10 * MM)


def extent(page: Page) -> tuple[int, int, int, int]:
    """First column, first row, width and height of what is black."""
    rows, columns = np.nonzero(page.pels())
    return columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1


def test_an_a4_page_fills_the_line() -> None:
    left, top, width, height = extent(faxcore.open_document(pdf(corner_mark(A4))).pages[0])
    assert (left, top) == (0, 0)
    assert width == pytest.approx(1728 * 10 / 210, abs=1)
    assert height == pytest.approx(10 * 196 / 25.4, abs=1)


def test_a_landscape_page_is_turned_clockwise() -> None:
    size = (297 * MM, 210 * MM)
    page = faxcore.open_document(pdf(corner_mark(size), size=size)).pages[0]
    left, top, width, height = extent(page)
    assert (left + width, top) == (1728, 0)
    assert height == pytest.approx(10 * 196 / 25.4, abs=1)


def test_a_narrow_page_keeps_its_scale_in_the_middle() -> None:
    size = (100 * MM, 150 * MM)
    left, _, width, _ = extent(faxcore.open_document(pdf(corner_mark(size), size=size)).pages[0])
    assert left == pytest.approx((1728 - 100 * 204 / 25.4) / 2, abs=1)
    assert width == pytest.approx(10 * 204 / 25.4, abs=1)


def test_a_rotated_page_is_taken_as_it_is_shown() -> None:
    document = faxcore.open_document(pdf(corner_mark(A4), extra=b"/Rotate 90"))  # shown as landscape, so turned again
    left, top, width, height = extent(document.pages[0])
    assert (left + width, top + height) == (1728, document.pages[0].height)


@pytest.mark.parametrize("resolution", DPI)
@pytest.mark.parametrize("kind", ["TIFF raw", "TIFF group3", "TIFF group4", "TIFF min-is-black", "PNG"])
def test_a_fax_page_is_sent_pel_for_pel(kind: str, resolution: str) -> None:
    pels = random_pels(1, 300)
    image, dpi = bilevel_image(pels), DPI[resolution]
    if kind == "PNG":
        octets = encoded(image, "PNG", dpi=dpi)
    elif kind == "TIFF min-is-black":
        octets = encoded(image, "TIFF", dpi=dpi, tiffinfo={262: 1}, compression="group4")
    else:
        octets = encoded(image, "TIFF", dpi=dpi, compression=kind.split()[1], tiffinfo={262: 0})
    page = faxcore.open_document(octets, resolution=resolution).pages[0]
    assert np.array_equal(page.pels(), pels)


@pytest.mark.parametrize(
    ("dpi", "own"), [((200, 100), STANDARD), ((200, 200), FINE), ((200, 400), SUPERFINE), (None, FINE)]
)
def test_other_ways_to_write_a_fax_resolution(dpi: tuple[int, int] | None, own: object) -> None:
    pels = random_pels(2, 100)
    octets = encoded(bilevel_image(pels), "TIFF", **({"dpi": dpi} if dpi else {}))
    document = faxcore.open_document(octets)
    assert np.array_equal(document.request(0, own).page().pels(), pels)


def test_a_fax_page_at_another_resolution_has_doubled_or_merged_lines() -> None:
    pels = random_pels(3, 101)
    document = faxcore.open_document(encoded(bilevel_image(pels), "TIFF", dpi=DPI["fine"]))
    assert np.array_equal(document.request(0, SUPERFINE).page().pels(), np.repeat(pels, 2, axis=0))
    merged = document.request(0, STANDARD).page().pels()
    assert np.array_equal(merged[:50], pels[0:100:2] | pels[1:100:2])
    assert np.array_equal(merged[50], pels[100])


def test_a_tiff_has_pages_but_its_thumbnails_are_none() -> None:
    pages = [bilevel_image(random_pels(seed, 60 + seed)) for seed in range(3)]
    thumbnail = bilevel_image(random_pels(9, 20, 100))
    thumbnail.encoderinfo = {"tiffinfo": {254: 1}}
    octets = encoded(pages[0], "TIFF", save_all=True, append_images=[thumbnail, *pages[1:]], dpi=(204, 196))
    assert [page.height for page in faxcore.open_document(octets).pages] == [60, 61, 62]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation: int) -> None:
    upright = Image.new("L", (400, 600), 255)
    upright.paste(0, (0, 0, 100, 50))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that the camera did
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    page = faxcore.open_document(encoded(stored, "JPEG", exif=exif, quality=95)).pages[0]
    left, top, width, height = extent(page)
    assert page.height == pytest.approx(600 / 400 * 1728 * 196 / 204, abs=1)
    assert (left, top) == (0, 0)
    assert width == pytest.approx(1728 / 4, abs=3)
    assert height == pytest.approx(1728 / 8 * 196 / 204, abs=3)


def test_dots_per_inch_give_the_size() -> None:
    image = Image.new("L", (300, 600), 0)
    left, _, width, height = extent(faxcore.open_document(encoded(image, "PNG", dpi=(150, 150))).pages[0])
    assert (left, width) == (660, 408)
    assert height == pytest.approx(4 * 196, abs=1)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_paper(mode: str) -> None:
    image = Image.new("RGBA", (864, 400), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 432, 400))
    page = faxcore.open_document(encoded(image.convert(mode), "PNG")).pages[0].pels()
    assert page[:, :860].all()
    assert not page[:, 868:].any()


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_deep_greys(dtype: type) -> None:
    values = np.full((100, 216), 60_000).astype(dtype)
    values[:50] = 1000
    page = faxcore.open_document(encoded(Image.fromarray(values), "TIFF", dpi=(25.5, 25.5))).pages[0].pels()
    assert page[:350].all()
    assert not page[400:].any()


def test_pages_are_a_sequence_and_can_be_chosen() -> None:
    octets = pdf(*(text(number + 1) for number in range(5)))
    document = faxcore.open_document(octets, pages=[4, -5, 2])
    whole = faxcore.open_document(octets)
    assert len(document.pages) == 3
    assert list(document.pages) == [whole.pages[4], whole.pages[0], whole.pages[2]]
    assert document.pages[-1] == document.pages[1:][1] == whole.pages[2]
    with pytest.raises(IndexError):
        document.pages[3]
    with pytest.raises(IndexError):
        document.request(3, FINE)


def test_the_content_decides_not_the_name(tmp_path: object) -> None:
    path = tmp_path / "letter.pdf"
    path.write_bytes(encoded(bilevel_image(random_pels(4, 50)), "PNG"))
    document = faxcore.open_document(path)
    assert (document.name, document.pages[0].height) == ("letter.pdf", 50)
    assert faxcore.open_document(str(path), name="other").name == "other"


def test_arguments_are_checked() -> None:
    for wrong in ({"rasterizer": "cairo"}, {"resolution": "ultra"}):
        with pytest.raises(ValueError, match=next(iter(wrong.values()))):
            faxcore.open_document(b"", **wrong)
    with pytest.raises(TypeError):
        faxcore.open_document(io.BytesIO(b""))
    with pytest.raises(ValueError, match="pages: document has 2 pages, none of index 2"):
        faxcore.open_document(pdf(b"", b""), pages=[0, 2])
    with pytest.raises(ValueError, match="standard, fine, superfine"):
        faxcore.open_document(pdf(b"")).request(0, "fine")
    with pytest.raises(ValueError, match="max_pages"):
        Limits(max_pages=0)


@pytest.mark.parametrize(
    ("size", "line_mm"),
    [((210, 297), 215), ((215.9, 279.4), 215), ((250, 353), 255), ((257, 364), 255), ((297, 420), 303),
     ((420, 297), 303), ((297, 210), 215), ((279.4, 431.8), 303), ((100, 50), 215), ((600, 900), 303)],
)  # fmt: skip
def test_the_paper_that_a_page_needs(size: tuple[float, float], line_mm: int) -> None:
    """Landscape pages are turned; what is wider than A3 needs A3 [T.4 2.1]."""
    paper = faxcore.open_document(pdf(b"", size=(size[0] * MM, size[1] * MM))).paper(0)
    assert paper.width_mm == line_mm
    length = {100: 50, 600: 900 * 303 / 600}.get(size[0], max(size))
    assert paper.length_mm == pytest.approx(length, rel=1e-3)


PELS = {"fine": (1728, 2048, 2432), "200x200": (1728, 2048, 2432), "300x300": (2592, 3072, 3648),
        "R16x15.4": (3456, 4096, 4864), "400x400": (3456, 4096, 4864)}  # fmt: skip
"""T.4 clause 2: pels of a line of A4, B4 and A3."""


@pytest.mark.parametrize("resolution", PELS)
@pytest.mark.parametrize(("line_mm", "width"), [(215, 210), (255, 257), (303, 297)])
def test_a_page_is_drawn_at_the_line_and_resolution_asked_for(resolution: str, line_mm: int, width: float) -> None:
    """A square of 10 mm has 10 mm at every resolution: the page is drawn, not enlarged."""
    size = (width * MM, 200 * MM + width * MM)
    document = faxcore.open_document(pdf(corner_mark(size), size=size))
    wanted = RESOLUTIONS[resolution]
    page = document.request(0, wanted, line_mm=line_mm).page()
    assert (page.width, page.resolution) == (PELS[resolution][(215, 255, 303).index(line_mm)], wanted)
    assert page.height == pytest.approx((200 + width) / 25.4 * wanted.y_dpi, abs=0.51)
    left, top, across, down = extent(page)
    assert (left, top) == (0, 0)
    assert across == pytest.approx(page.width * 10 / width, abs=1)
    assert down == pytest.approx(10 / 25.4 * wanted.y_dpi, abs=1)


def test_a_page_longer_than_the_paper_is_made_smaller() -> None:
    size = (210 * MM, 356 * MM)
    page = faxcore.open_document(pdf(corner_mark(size), size=size)).request(0, FINE, longest_mm=297).page()
    left, _, width, height = extent(page)
    assert page.height == pytest.approx(297 / 25.4 * 196, abs=1)
    assert left == pytest.approx((1728 - 1728 * 210 / 215.15 * 297 / 356) / 2, abs=2)
    assert width == pytest.approx(10 / 25.4 * 204 * 297 / 356, abs=1)
    assert height == pytest.approx(10 / 25.4 * 196 * 297 / 356, abs=1)


@pytest.mark.parametrize(("resolution", "line_mm"), [("fine", 255), ("R16x15.4", 303), ("300x300", 215)])
def test_a_fax_page_of_any_size_is_sent_pel_for_pel(resolution: str, line_mm: int) -> None:
    own = RESOLUTIONS[resolution]
    width = PELS[resolution][(215, 255, 303).index(line_mm)]
    pels = random_pels(7, 200, width)
    octets = encoded(bilevel_image(pels), "TIFF", dpi=own[1:], compression="group4", tiffinfo={262: 0})
    document = faxcore.open_document(octets)
    assert document.paper(0).width_mm == line_mm
    assert np.array_equal(document.request(0, own, line_mm=line_mm).page().pels(), pels)


def test_black_survives_where_a_fax_page_becomes_smaller() -> None:
    pels = np.zeros((200, 2048), bool)
    pels[50], pels[:, 1000], pels[120:130, 300:310] = True, True, True
    page = Page.from_pels(pels, FINE)
    document = ReceivedDocument()
    document.append(page)
    assert document.paper(0) == (255, pytest.approx(200 / 196 * 25.4))
    smaller = document.request(0, FINE).page()
    assert (smaller.width, smaller.height) == (1728, 169)
    assert smaller.pels()[42].all()
    assert smaller.pels()[:, 843].all()
    coarser = document.request(0, STANDARD, line_mm=255).page().pels()
    assert np.array_equal(coarser, pels[::2] | pels[1::2])
    wider = document.request(0, RESOLUTIONS["R16x15.4"], line_mm=255).page().pels()
    assert np.array_equal(wider, np.repeat(np.repeat(pels, 2, axis=0), 2, axis=1))
    centred = document.request(0, FINE, line_mm=303).page().pels()
    assert np.array_equal(centred[:, 192:-192], pels)
