"""TIFF, PNG and JPEG by Pillow. Runs in the drawing process.

A bilevel image that already is a fax page is handed on pel for pel.
"""

from __future__ import annotations

import io
import mmap
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from faxcore.document.bilevel import Box, bilevel
from faxcore.document.drawing import Drawing, UnreadableError
from faxcore.document.geometry import MM_PER_INCH, Size, longest_lines
from faxcore.document.rescale import rescale
from faxcore.page import A4_WIDTH, FINE, LINES_MM, RESOLUTIONS, Page, Resolution, line_pels

SUBFILE_TYPE, STRIP_OFFSETS, ORIENTATION, STRIP_OCTETS = 254, 273, 274, 279
REDUCED = 1
SCREEN_DPI = (72, 96)  # what programs write that know nothing
NEAR_X, NEAR_Y = 0.035, 0.03  # files say 203 for 204, and 96 for 98 lines per inch
DRAFT = (2 * A4_WIDTH, 4 * A4_WIDTH)  # a JPEG larger than this is decoded at a half, a quarter or an eighth
DPI = (10, 10_000)  # what can be meant; 1 is the "no unit" of TIFF and JFIF
LINE_MM = A4_WIDTH / FINE.x_dpi * MM_PER_INCH  # what fills a line of A4
BANNER = 2  # an image this much wider than high is not turned


class ImageFile:
    """An opened image file; UnreadableError or one of Pillow's many exceptions where it is damaged."""

    def __init__(self, octets: mmap.mmap, kind: str, max_pels: int) -> None:
        Image.MAX_IMAGE_PIXELS = None  # we have our own limit, with the page's number in its words
        try:
            self._image = Image.open(io.BytesIO(octets), formats=[kind])
        except UnidentifiedImageError:
            raise UnreadableError(f"is damaged: no {kind} could be read from it") from None
        self._octets, self._max_pels = len(octets), max_pels
        self._frames = self._find_frames() if kind == "TIFF" else [0]
        self._drawn: tuple[int, Image.Image] | None = None

    def close(self) -> None:
        """Gives memory back."""
        self._image.close()

    def sizes(self) -> list[Size]:
        """Of each page; the first page has been decoded."""
        sizes = [self._size(page) for page in range(len(self._frames))]
        if sizes:
            self._load(0)
        return sizes

    def draw(self, page: int, how: Drawing) -> npt.NDArray[np.uint8]:
        """Packed rows of a page."""
        size = self._size(page)
        image = self._load(page)
        own = _fax_resolution(image)
        if own is not None:
            as_it_is = Page(_packed(image), image.width, own)
            return rescale(as_it_is, how.resolution, how.line_mm, longest_lines(how.longest_mm, how.resolution)).rows
        place = how.layout(size)
        flat = _grey(image)
        if place.turned:
            flat = flat.transpose(Image.Transpose.ROTATE_270)
        flat = flat.resize((place.width, place.height), Image.Resampling.BICUBIC)
        grey = np.full((place.height, place.line), 255, np.uint8)
        grey[:, place.left : place.left + place.width] = np.asarray(flat)
        images = [] if image.mode == "1" else [Box(place.left, 0, place.left + place.width, place.height)]
        return bilevel(grey, how.tile, lambda: images)

    def _find_frames(self) -> list[int]:
        """The frames of a TIFF that are pages, not thumbnails of pages."""
        frames = []
        for frame in range(getattr(self._image, "n_frames", 1)):
            self._image.seek(frame)
            if not _tag(self._image, SUBFILE_TYPE, 0) & REDUCED:
                frames.append(frame)
        return frames

    def _size(self, page: int) -> Size:
        """Size on paper; one that does not know fills the line.

        It does so with its shorter side, or if it is a banner with its longer.
        """
        self._image.seek(self._frames[page])
        width, height = self._image.size
        if width * height > self._max_pels:
            raise UnreadableError(f"is an image of {width} x {height} pels, more than {self._max_pels}", page + 1)
        self._refuse_cut_strips(page)
        if _swaps_sides(self._image):
            width, height = height, width
        x_dpi, y_dpi = _dpi(self._image)
        own = _fax_resolution(self._image)
        if own is not None:
            x_dpi, y_dpi = own.x_dpi, own.y_dpi
        if not x_dpi or (x_dpi == y_dpi and round(x_dpi) in SCREEN_DPI):
            across = width if width < height or width > BANNER * height else height
            return Size(width * LINE_MM / across, height * LINE_MM / across)
        return Size(width / x_dpi * MM_PER_INCH, height / y_dpi * MM_PER_INCH, as_it_lies=own is not None)

    def _refuse_cut_strips(self, page: int) -> None:
        offsets, octets = _tag(self._image, STRIP_OFFSETS, ()), _tag(self._image, STRIP_OCTETS, ())
        if any(start + length > self._octets for start, length in zip(offsets, octets, strict=False)):
            raise UnreadableError("is cut off: the file ends before the image does", page + 1, 46)

    def _load(self, page: int) -> Image.Image:
        if self._drawn is None or self._drawn[0] != page:
            self._image.seek(self._frames[page])
            self._image.draft("L", DRAFT)
            self._image.load()
            upright = self._image.getexif().get(ORIENTATION, 1) == 1
            self._drawn = page, self._image if upright else ImageOps.exif_transpose(self._image)
        return self._drawn[1]


def _fax_resolution(image: Image.Image) -> Resolution | None:
    """The resolution of an image that is a fax page as it stands, else None."""
    if image.mode != "1":
        return None
    x_dpi, y_dpi = _dpi(image)
    if not x_dpi:
        return FINE if image.width == A4_WIDTH else None
    fits = (r for r in RESOLUTIONS.values() if image.width in (line_pels(line, r) for line in LINES_MM.values()))
    near = (r for r in fits if abs(y_dpi / r.y_dpi - 1) < NEAR_Y and abs(x_dpi / r.x_dpi - 1) < NEAR_X)
    return min(near, key=lambda r: abs(x_dpi - r.x_dpi) + abs(y_dpi - r.y_dpi), default=None)


def _packed(image: Image.Image) -> npt.NDArray[np.uint8]:
    rows = np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, -1)
    return ~rows  # a multiple of 8 pels wide: no bits behind the last pel


def _grey(image: Image.Image) -> Image.Image:
    """The image in 256 greys, on white paper."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        values = np.asarray(image).astype(np.float64)
        white = next((white for white in (1, 255) if values.max(initial=0) <= white), 65535)
        return Image.fromarray(np.clip(values * (255 / white), 0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        if not image.mode.endswith("A"):
            image = image.convert("RGBA")
        paper = Image.new("L", image.size, 255)
        paper.paste(image.convert("L"), mask=image.getchannel("A"))
        return paper
    return image.convert("L")


def _dpi(image: Image.Image) -> tuple[float, float]:
    """Pels per inch across and down; zeros where the image does not say or talks nonsense."""
    x, y = image.info.get("dpi", (0, 0))
    return (float(x), float(y)) if all(DPI[0] <= dpi <= DPI[1] for dpi in (x, y)) else (0.0, 0.0)


def _swaps_sides(image: Image.Image) -> bool:
    return image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)


def _tag(image: Image.Image, number: int, default: Any) -> Any:
    tags = getattr(image, "tag_v2", None)
    return default if tags is None else tags.get(number, default)
