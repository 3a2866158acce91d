"""A PDF of fax pages: each page one image whose MMR octets are embedded as they are [ISO 32000-1 7.4.6]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from faxcore.document.received import CodedPage

POINTS_PER_INCH = 72
CATALOG, TREE, FIRST_PAGE = 1, 2, 3
OBJECTS_PER_PAGE = 3


def write_pdf(file: BinaryIO, pages: Iterator[CodedPage], count: int) -> None:
    """Writes `count` pages, each as large on paper as its resolution says."""
    offsets: list[int] = []

    def add(body: bytes) -> None:
        offsets.append(file.tell())
        file.write(b"%d 0 obj\n%b\nendobj\n" % (len(offsets), body))

    file.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    numbers = range(FIRST_PAGE, FIRST_PAGE + OBJECTS_PER_PAGE * count, OBJECTS_PER_PAGE)
    add(b"<< /Type /Catalog /Pages %d 0 R >>" % TREE)
    add(b"<< /Type /Pages /Count %d /Kids [%b] >>" % (count, b" ".join(b"%d 0 R" % number for number in numbers)))
    for number, page in zip(numbers, pages, strict=True):
        for body in _page_objects(number, page):
            add(body)
    _finish(file, offsets)


def _page_objects(number: int, page: CodedPage) -> tuple[bytes, bytes, bytes]:
    width = page.width / page.resolution.x_dpi * POINTS_PER_INCH
    height = page.height / page.resolution.y_dpi * POINTS_PER_INCH
    content = b"%.4f 0 0 %.4f 0 0 cm /Fax Do" % (width, height)
    return (
        b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %.4f %.4f] /Contents %d 0 R\n"
        b"/Resources << /XObject << /Fax %d 0 R >> >> >>" % (TREE, width, height, number + 1, number + 2),
        _stream(b"", content),
        # 0 is black in DeviceGray and in what the filter gives by default.
        _stream(
            b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 1 /ColorSpace /DeviceGray\n"
            b"/Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns %d /Rows %d >> "
            % (page.width, page.height, page.width, page.height),
            page.octets,
        ),
    )


def _stream(entries: bytes, octets: bytes) -> bytes:
    return b"<< %b/Length %d >>\nstream\n%b\nendstream" % (entries, len(octets), octets)


def _finish(file: BinaryIO, offsets: list[int]) -> None:
    start = file.tell()
    file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1))
    file.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
    file.write(b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(offsets) + 1, CATALOG, start))
