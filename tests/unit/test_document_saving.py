"""What is saved has the pels, the resolution and the very octets of the pages."""

from __future__ import annotations

import errno
import io
import os
import subprocess
from pathlib import Path

import numpy as np
import pypdf
import pypdfium2
import pytest
from PIL import Image

import faxcore
from faxcore import coding
from faxcore.document import Header, ReceivedDocument, files
from faxcore.errors import DocumentError
from faxcore.page import FINE, RESOLUTIONS, STANDARD, SUPERFINE, Page, line_pels
from tests.document_support import pdf, random_pels, text
from tests.unit.test_document_header import WHEN

HEIGHTS = {"standard": 1146, "fine": 2292}


def received(*pages: Page) -> ReceivedDocument:
    document = ReceivedDocument("from +1555")
    for page in pages:
        document.append(page)
    return document


def pages_of_all_kinds() -> list[Page]:
    return [
        Page.from_pels(random_pels(seed, HEIGHTS.get(name, 700), line_pels(215, resolution)), resolution)
        for seed, (name, resolution) in enumerate(RESOLUTIONS.items())
    ]


def odd_pages() -> list[Page]:
    return [Page.from_pels(random_pels(width, 37, width), FINE) for width in (1, 7, 200, 2048, 2432)]


@pytest.mark.parametrize("ending", [".pdf", ".PDF", ".tif", ".tiff"])
def test_saved_and_opened_again(ending: str, tmp_path: Path) -> None:
    pages = pages_of_all_kinds()
    faxcore.save_document(received(*pages), tmp_path / f"saved{ending}")
    again = faxcore.open_document(tmp_path / f"saved{ending}")
    assert [again.request(index, page.resolution).page() for index, page in enumerate(pages)] == pages
    assert os.listdir(tmp_path) == [f"saved{ending}"]


def test_a_drawn_document_is_saved_too(tmp_path: Path) -> None:
    document = faxcore.open_document(pdf(text(50), text(3)), resolution="superfine")
    faxcore.save_document(document, tmp_path / "drawn.tif")
    assert list(faxcore.open_document(tmp_path / "drawn.tif", resolution="superfine").pages) == list(document.pages)


def test_the_octets_in_a_pdf_are_the_coder_s(tmp_path: Path) -> None:
    pages = pages_of_all_kinds() + odd_pages()
    faxcore.save_document(received(*pages), tmp_path / "saved.pdf")
    saved = pypdf.PdfReader(tmp_path / "saved.pdf", strict=True)
    assert len(saved.pages) == len(pages)
    for page, shown in zip(pages, saved.pages, strict=True):
        image = shown["/Resources"]["/XObject"]["/Fax"].get_object()
        assert image._data == coding.encode(page, "mmr", bit_order="msb")
        assert (image["/Width"], image["/Height"], image["/DecodeParms"]["/K"]) == (page.width, page.height, -1)
        assert float(shown.mediabox.width) == pytest.approx(page.width / page.resolution.x_dpi * 72, abs=1e-3)
        assert float(shown.mediabox.height) == pytest.approx(page.height / page.resolution.y_dpi * 72, abs=1e-3)


def test_pdfium_reads_the_pels_of_a_pdf(tmp_path: Path) -> None:
    pages = pages_of_all_kinds() + odd_pages()
    faxcore.save_document(received(*pages), tmp_path / "saved.pdf")
    document = pypdfium2.PdfDocument(tmp_path / "saved.pdf")
    for page, shown in zip(pages, document, strict=True):
        (image,) = shown.get_objects()
        assert np.array_equal(image.get_bitmap().to_pil().convert("L"), np.where(page.pels(), 0, 255))
    document.close()


def test_pillow_reads_a_tiff(tmp_path: Path) -> None:
    pages = pages_of_all_kinds() + odd_pages()
    faxcore.save_document(received(*pages), tmp_path / "saved.tif")
    with Image.open(tmp_path / "saved.tif") as image:
        assert image.n_frames == len(pages)
        for number, page in enumerate(pages):
            image.seek(number)
            assert np.array_equal(~np.asarray(image), page.pels())
            assert image.info["dpi"] == (page.resolution.x_dpi, page.resolution.y_dpi)
            class_f = {254: 2, 259: 4, 262: 0, 266: 1, 278: page.height, 296: 2, 297: (number, len(pages))}
            assert {tag: image.tag_v2[tag] for tag in class_f} == class_f


@pytest.mark.peer("tiff-tools")
def test_libtiff_s_tools_read_a_tiff_without_a_word(tmp_path: Path) -> None:
    faxcore.save_document(received(*pages_of_all_kinds(), *odd_pages()), tmp_path / "saved.tif")
    done = subprocess.run(["tiffinfo", "-D", tmp_path / "saved.tif"], capture_output=True, check=True)
    assert done.stderr == b""
    assert done.stdout.count(b"CCITT Group 4") == len(pages_of_all_kinds() + odd_pages())
    assert done.stdout.count(b"204, 196") == 6


@pytest.mark.peer("poppler")
def test_poppler_reads_a_pdf(tmp_path: Path) -> None:
    pages = [page for page in pages_of_all_kinds() if page.resolution != SUPERFINE]
    faxcore.save_document(received(*pages), tmp_path / "saved.pdf")
    subprocess.run(["pdfimages", "-tiff", tmp_path / "saved.pdf", tmp_path / "image"], check=True)
    subprocess.run(["pdfimages", "-ccitt", tmp_path / "saved.pdf", tmp_path / "coded"], check=True)
    for number, page in enumerate(pages):
        with Image.open(tmp_path / f"image-{number:03}.tif") as image:
            assert np.array_equal(np.asarray(image.convert("L")) == 0, page.pels())
        assert (tmp_path / f"coded-{number:03}.ccitt").read_bytes() == coding.encode(page, "mmr", bit_order="msb")


def test_hundreds_of_received_pages_stay_small(tmp_path: Path) -> None:
    page = faxcore.open_document(pdf(text(60))).pages[0]
    document = received(*[page] * 700)
    assert sum(len(coded.octets) for coded in document.coded) < 700 * 60_000
    faxcore.save_document(document, tmp_path / "long.pdf")
    faxcore.save_document(document, tmp_path / "long.tif")
    for name in ("long.pdf", "long.tif"):
        again = faxcore.open_document(tmp_path / name)
        assert len(again.pages) == 700
        assert again.pages[699] == page


def test_a_received_document_can_be_sent_on() -> None:
    page = Page.from_pels(random_pels(5, 400), STANDARD)
    document = received(Page.from_pels(random_pels(6, 10), FINE), page)
    request = document.request(1, STANDARD)
    assert request.ready()
    assert request.page() == page == document.pages[1]
    doubled = document.request(1, FINE).page()
    assert np.array_equal(doubled.pels(), np.repeat(page.pels(), 2, axis=0))
    headed = document.request(1, STANDARD, Header(WHEN, "+1", "", 2)).page()
    assert np.array_equal(headed.rows[-400:], page.rows)
    with pytest.raises(IndexError):
        document.request(2, FINE)


def test_another_ending_is_the_caller_s_mistake(tmp_path: Path) -> None:
    for name in ("saved.png", "saved", "saved.pdf.gz"):
        with pytest.raises(ValueError, match=name):
            faxcore.save_document(received(*odd_pages()), tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_a_document_without_pages_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="has no pages to save"):
        faxcore.save_document(received(), tmp_path / "saved.pdf")
    assert os.listdir(tmp_path) == []


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "saved.pdf").mkdir()
    for path in (tmp_path / "saved.pdf", tmp_path / "missing" / "saved.pdf"):
        with pytest.raises(DocumentError, match=r"^saved.pdf: cannot be written: ") as failure:
            faxcore.save_document(received(*odd_pages()), path)
        assert failure.value.code == 41
    assert os.listdir(tmp_path) == ["saved.pdf"]


@pytest.mark.parametrize(
    "fault", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=["full", "stopped"]
)
def test_half_a_file_never_takes_the_name_of_a_whole_one(
    fault: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "saved.tif"
    path.write_bytes(b"old")

    def fill_up(file: io.BufferedWriter, *_: object) -> None:
        file.write(b"half")
        raise fault

    monkeypatch.setitem(files.WRITERS, ".tif", fill_up)
    with pytest.raises((DocumentError, KeyboardInterrupt)):
        faxcore.save_document(received(*odd_pages()), path)
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == {"saved.tif": b"old"}


def test_a_saved_file_may_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        faxcore.save_document(received(*odd_pages()), tmp_path / "saved.pdf")
    finally:
        os.umask(before)
    assert (tmp_path / "saved.pdf").stat().st_mode & 0o777 == 0o640
