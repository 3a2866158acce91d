"""A TIFF class F of fax pages: the MMR octets as they are, one strip a page [RFC 2306, RFC 3949]."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from faxcore.document.received import CodedPage

SHORT, LONG, RATIONAL = 3, 4, 5
RATIONAL_SIZE = 8
TAGS = 18
DIRECTORY = 2 + 12 * TAGS + 4
LARGEST = 0xFFFFFFFF


def write_tiff(file: BinaryIO, pages: Iterator[CodedPage], count: int) -> None:
    """Writes `count` pages; OverflowError where they do not fit into the 4 GB of a TIFF."""
    file.write(b"II*\0" + struct.pack("<I", 8))
    for number, page in enumerate(pages):
        start = file.tell()
        numbers = start + DIRECTORY  # two resolutions, then the strip
        strip = numbers + 2 * RATIONAL_SIZE
        end = strip + len(page.octets) + len(page.octets) % 2
        if end > LARGEST:
            raise OverflowError("more than a TIFF can hold")
        file.write(_directory(page, number, count, numbers, strip, end if number + 1 < count else 0))
        file.write(struct.pack("<4I", page.resolution.x_dpi, 1, page.resolution.y_dpi, 1))
        file.write(page.octets.ljust(end - strip, b"\0"))


def _directory(page: CodedPage, number: int, count: int, numbers: int, strip: int, following: int) -> bytes:
    tags = (
        (254, LONG, 2),  # NewSubfileType: a page of several
        (256, LONG, page.width),
        (257, LONG, page.height),
        (258, SHORT, 1),  # BitsPerSample
        (259, SHORT, 4),  # Compression: T.6
        (262, SHORT, 0),  # PhotometricInterpretation: 0 is white
        (266, SHORT, 1),  # FillOrder: the first bit is the most significant
        (273, LONG, strip),
        (274, SHORT, 1),  # Orientation: top left
        (277, SHORT, 1),  # SamplesPerPixel
        (278, LONG, page.height),  # RowsPerStrip
        (279, LONG, len(page.octets)),
        (282, RATIONAL, numbers),
        (283, RATIONAL, numbers + RATIONAL_SIZE),
        (293, LONG, 0),  # T6Options: no uncompressed mode
        (296, SHORT, 2),  # ResolutionUnit: inch
        (297, SHORT, number | count << 16),  # PageNumber
        (327, SHORT, 0),  # CleanFaxData: every line is good
    )
    entries = [_entry(*tag, values=2 if tag[0] == 297 else 1) for tag in tags]
    return struct.pack("<H", TAGS) + b"".join(entries) + struct.pack("<I", following)


def _entry(tag: int, kind: int, value: int, *, values: int) -> bytes:
    return struct.pack("<HHII", tag, kind, values, value)
