"""What cannot be sent is refused before any call, with the file, the page and the cause."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pypdf
import pytest
from PIL import Image

import faxcore
from faxcore.document import Limits
from faxcore.errors import DocumentError
from faxcore.page import FINE
from tests.document_support import A4, assemble, bilevel_image, encoded, pdf, photograph, random_pels, text

SMALL = Limits(seconds=2, max_pels=10_000_000, max_pages=5, max_octets=1_000_000, max_page_mm=3000)


def encrypted(user: str, owner: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(text(20))))
    writer.encrypt(user, owner, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def png_bomb() -> bytes:
    """A PNG of 30000 x 30000 pels in a few thousand octets."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(bytes(30_000), 9) * 3
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )  # fmt: skip


def pdf_with_huge_image() -> bytes:
    data = zlib.compress(bytes(1_000_000), 9)
    image = (
        b"<< /Type /XObject /Subtype /Image /Width 50000 /Height 50000 /BitsPerComponent 8 /ColorSpace /DeviceGray"
        b" /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream" % (len(data), data)
    )
    content = b"q 500 0 0 500 0 0 cm /I Do Q"
    return assemble([
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R\n"
        b"/Resources << /XObject << /I 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content), image,
    ])  # fmt: skip


def tiff(pages: int, **options: object) -> bytes:
    images = [bilevel_image(random_pels(seed, 200)) for seed in range(pages)]
    return encoded(images[0], "TIFF", save_all=True, append_images=images[1:], dpi=(204, 196), **options)


BAD = {
    "empty": (b"", "is empty", None),
    "text": (b"Dear Sir or Madam,", "is neither PDF, TIFF, PNG nor JPEG", None),
    "only the head of a PDF": (b"%PDF-1.7\n", "is damaged", None),
    "PDF cut": (pdf(text(50))[:200], "is damaged", None),
    "PDF without pages": (pdf(), "has no pages", None),
    "PDF with a password": (encrypted("secret", "owner"), "is encrypted and needs a password", None),
    "too many pages": (pdf(*[b""] * 6), "has 6 pages, more than 5", None),
    "too many octets": (b"%PDF-1.7" + bytes(1_000_000), "is larger than 1000000 octets", None),
    "page too long": (pdf(b"", size=(595, 14_000)), "is 209.9 x 4939 mm large", 1),
    "page of no size": (pdf(b"", size=(0.1, 0.1)), "mm large", 1),
    "PDF with a huge image": (pdf_with_huge_image(), "an image of 50000 x 50000 pels", 1),
    "PNG bomb": (png_bomb(), "an image of 30000 x 30000 pels", 1),
    "PNG cut": (encoded(photograph(1), "PNG")[:5000], "cannot be read", None),
    "JPEG cut": (encoded(photograph(1), "JPEG")[:3000], "cannot be read", None),
    "JPEG head": (b"\xff\xd8\xff\xe0", "is damaged: no JPEG could be read from it", None),
    "TIFF cut": (tiff(3)[:-20_000], "", None),
    "TIFF strip cut": (encoded(photograph(1), "TIFF")[:-100], "", None),
    "TIFF with a loop": (b"II*\0\x08\0\0\0" + b"\0\0" + b"\x08\0\0\0", "is damaged", None),
}


@pytest.mark.parametrize("case", BAD)
def test_refused_when_opened(case: str) -> None:
    octets, cause, page = BAD[case]
    with pytest.raises(DocumentError) as refusal:
        faxcore.open_document(octets, name="letter", limits=SMALL)
    assert cause in refusal.value.cause
    assert refusal.value.page == page or case.startswith("TIFF")
    assert str(refusal.value).startswith("letter")
    assert 41 <= refusal.value.code <= 47


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "no.pdf", tmp_path):
        with pytest.raises(DocumentError, match=f"^{path.name}: cannot be opened") as refusal:
            faxcore.open_document(path)
        assert refusal.value.code == 41


def test_an_owner_password_alone_stops_nobody() -> None:
    plain = faxcore.open_document(pdf(text(20)))
    assert faxcore.open_document(encrypted("", "owner")).pages[0] == plain.pages[0]


def test_a_page_that_is_too_slow_is_named() -> None:
    forms = [b"/F%d Do " % (level + 1) * 12 for level in range(12)]
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 2 /Kids [4 0 R 3 0 R] >>"]
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %f %f]" % A4
    objects += [page + b" /Contents 5 0 R /Resources << /XObject << /F0 6 0 R >> >> >>", page + b" >>"]
    objects.append(b"<< /Length 6 >>\nstream\n/F0 Do\nendstream")
    for level, content in enumerate(forms):
        inner = b"/Resources << /XObject << /F%d %d 0 R >> >>" % (level + 1, 7 + level)
        objects.append(
            b"<< /Type /XObject /Subtype /Form /BBox [0 0 600 900] %b /Length %d >>\nstream\n%b\nendstream"
            % (inner, len(content), content)
        )
    objects.append(b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 12 >>\nstream\n0 0 9 9 re f\nendstream")
    document = faxcore.open_document(assemble(objects), name="maze", limits=Limits(seconds=0.5))
    assert not document.pages[0].rows.any()
    with pytest.raises(DocumentError, match=r"^maze, page 2: took longer than 0.5 s to draw$") as refusal:
        document.request(1, FINE).page()
    assert refusal.value.code == 46
    assert not document.pages[0].rows.any()


def test_a_page_that_needs_too_much_memory() -> None:
    octets = encoded(Image.new("RGB", (5000, 5000)), "PNG")
    with pytest.raises(DocumentError) as refusal:
        faxcore.open_document(octets, limits=Limits(address_space=200_000_000))
    assert refusal.value.code in (46, 47)
    assert faxcore.open_document(octets).pages[0].height == 1660


def test_a_damaged_page_is_named_and_the_others_are_drawn() -> None:
    octets = bytearray(tiff(3, compression="tiff_lzw"))
    with Image.open(io.BytesIO(octets)) as image:
        image.seek(1)
        start, length = image.tag_v2[273][0], image.tag_v2[279][0]
    octets[start : start + length] = b"\xff" * length
    document = faxcore.open_document(bytes(octets), name="three.tif")
    assert [document.pages[index].height for index in (0, 2)] == [200, 200]
    with pytest.raises(DocumentError, match=r"^three.tif, page 2: "):
        document.pages[1]
