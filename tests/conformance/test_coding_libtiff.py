"""Bit for bit as libtiff codes (the one inside Pillow), on real pages, in both directions."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from PIL import Image

from benchmarks.pages import pages
from faxcore.coding import decode, encode
from faxcore.kernels import cpu_level, cpu_levels, select_cpu_level
from faxcore.page import FINE, STANDARD, Page, Resolution

PAGES = pages()
# TIFF 6.0: compression 3 with T4Options (292) bit 0 for MR, compression 4 for MMR
TIFF_CODINGS = {"mh": ("group3", 3, 0), "mr": ("group3", 3, 1), "mmr": ("group4", 4, 0)}


@cache
def libtiff_coded(page: Page, coding: str) -> bytes:
    name, _, options = TIFF_CODINGS[coding]
    file = io.BytesIO()
    tags = {278: page.height, 262: 0, 292: options} if name == "group3" else {278: page.height, 262: 0}
    dpi = (page.resolution.x_dpi, page.resolution.y_dpi)
    Image.fromarray(~page.pels()).save(file, "TIFF", compression=name, dpi=dpi, tiffinfo=tags)
    image = Image.open(file)
    offsets, counts = image.tag_v2[273], image.tag_v2[279]
    assert len(offsets) == 1
    return file.getvalue()[offsets[0] : offsets[0] + counts[0]]


def libtiff_decoded(octets: bytes, coding: str, page: Page, fill_order: int) -> Page:
    _, compression, options = TIFF_CODINGS[coding]
    tags = [(256, page.width), (257, page.height), (258, 1), (259, compression), (262, 0), (266, fill_order), (273, 8),
            (277, 1), (278, page.height), (279, len(octets))] + ([(292, options)] if compression == 3 else [])
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    octets += bytes(len(octets) % 2)
    file = b"II*\0" + struct.pack("<I", 8 + len(octets)) + octets + directory + bytes(4)
    return Page.from_pels(~np.asarray(Image.open(io.BytesIO(file))), page.resolution)


@pytest.fixture(params=cpu_levels())
def level(request: pytest.FixtureRequest) -> Iterator[str]:
    before = cpu_level()
    select_cpu_level(request.param)
    yield request.param
    select_cpu_level(before)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("resolution", [STANDARD, FINE], ids=lambda resolution: resolution.name)
@pytest.mark.parametrize("coding", TIFF_CODINGS)
def test_coded_pages_are_equal(name: str, coding: str, resolution: Resolution, level: str) -> None:
    page = Page(PAGES[name].rows, PAGES[name].width, resolution)
    theirs = libtiff_coded(page, coding)
    ours = encode(page, coding, bit_order="msb")
    if coding == "mmr":
        assert ours == theirs
    else:  # libtiff leaves the RTC out
        assert ours.startswith(theirs)
        assert len(ours) - len(theirs) <= 10
    result = decode(theirs, coding, page.width, resolution, bit_order="msb")
    assert (result.page, result.bad_rows) == (page, 0)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("bit_order", "fill_order"), [("msb", 1), ("lsb", 2)])
@pytest.mark.parametrize("coding", TIFF_CODINGS)
def test_libtiff_reads_ours(name: str, coding: str, bit_order: str, fill_order: int) -> None:
    page = PAGES[name]
    octets = encode(page, coding, bit_order=bit_order, min_line_bits=0 if coding == "mmr" else 96)
    assert libtiff_decoded(octets, coding, page, fill_order) == page
