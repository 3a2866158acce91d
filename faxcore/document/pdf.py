"""PDF drawn by PDFium straight at the pels of a fax line, or by poppler. Runs in the drawing process.

PDFium is called through its C functions: it draws at any width and height, so pels need not be square and
nothing is scaled afterwards. The build has no JavaScript, and nothing here follows a link.
"""

from __future__ import annotations

import ctypes
import math
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pypdfium2.raw as pdfium

from faxcore.document.bilevel import Box, Grey, bilevel
from faxcore.document.drawing import Drawing, UnreadableError
from faxcore.document.geometry import MM_PER_INCH, Layout, Size

POINTS_PER_INCH = 72
MAX_FORM_DEPTH = 8
MAX_PAGES = 100_000  # of any document, whatever the limits of those who send it
CLOCKWISE = 1

CAUSES = {
    pdfium.FPDF_ERR_PASSWORD: "is encrypted and needs a password",
    pdfium.FPDF_ERR_SECURITY: "is encrypted in a way that is not supported",
    pdfium.FPDF_ERR_FORMAT: "is damaged: no PDF could be read from it",
}

Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1, 0, 0, 1, 0, 0)


class PdfFile:
    """An opened PDF; UnreadableError where PDFium cannot open it."""

    def __init__(self, octets: mmap.mmap, max_pels: int) -> None:
        self._octets = np.frombuffer(octets, np.uint8)  # PDFium reads from it as long as the document is open
        self._max_pels = max_pels
        pdfium.FPDF_InitLibrary()
        address = self._octets.ctypes.data_as(ctypes.c_void_p)
        self._document = pdfium.FPDF_LoadMemDocument64(address, self._octets.size, None)
        if not self._document:
            raise UnreadableError(CAUSES.get(pdfium.FPDF_GetLastError(), "cannot be read as PDF"))
        self._form = self._open_form()

    def close(self) -> None:
        """Gives PDFium's memory back."""
        if self._form:
            pdfium.FPDFDOC_ExitFormFillEnvironment(self._form)
        pdfium.FPDF_CloseDocument(self._document)

    def sizes(self) -> list[Size]:
        """Of each page, as it is shown; the first page has been opened once."""
        count = pdfium.FPDF_GetPageCount(self._document)
        if count > MAX_PAGES:
            raise UnreadableError(f"claims to have {count} pages")
        sizes = [self._size(page) for page in range(count)]
        if sizes:
            with self._page(0) as page:
                self._refuse_huge_images(page, 1)
        return sizes

    def draw(self, page: int, how: Drawing) -> npt.NDArray[np.uint8]:
        """Packed rows of a page."""
        place = how.layout(self._size(page))
        with self._page(page) as handle:
            self._refuse_huge_images(handle, page + 1)
            grey = self._grey(handle, place)
            return bilevel(grey, how.tile, lambda: _images(handle, place))

    def _size(self, page: int) -> Size:
        size = pdfium.FS_SIZEF()
        if not pdfium.FPDF_GetPageSizeByIndexF(self._document, page, size):
            raise UnreadableError("is missing from the file", page + 1, 46)
        return Size(size.width * MM_PER_INCH / POINTS_PER_INCH, size.height * MM_PER_INCH / POINTS_PER_INCH)

    @contextmanager
    def _page(self, page: int) -> Iterator[Any]:
        handle = pdfium.FPDF_LoadPage(self._document, page)
        if not handle:
            raise UnreadableError("is damaged", page + 1, 46)
        try:
            yield handle
        finally:
            pdfium.FPDF_ClosePage(handle)

    def _open_form(self) -> Any:
        if pdfium.FPDF_GetFormType(self._document) == pdfium.FORMTYPE_NONE:
            return None
        self._form_info = pdfium.FPDF_FORMFILLINFO(version=2)
        return pdfium.FPDFDOC_InitFormFillEnvironment(self._document, self._form_info)

    def _grey(self, page: Any, place: Layout) -> Grey:
        grey = np.full((place.height, place.line), 255, np.uint8)
        address = grey.ctypes.data_as(ctypes.c_void_p)
        bitmap = pdfium.FPDFBitmap_CreateEx(place.line, place.height, pdfium.FPDFBitmap_Gray, address, place.line)
        if not bitmap:
            raise MemoryError
        where = (place.left, 0, place.width, place.height, CLOCKWISE if place.turned else 0)
        flags = pdfium.FPDF_ANNOT | pdfium.FPDF_GRAYSCALE | pdfium.FPDF_PRINTING | pdfium.FPDF_RENDER_LIMITEDIMAGECACHE
        pdfium.FPDF_RenderPageBitmap(bitmap, page, *where, flags)
        if self._form:
            pdfium.FPDF_FFLDraw(self._form, bitmap, page, *where, flags)
        pdfium.FPDFBitmap_Destroy(bitmap)
        return grey

    def _refuse_huge_images(self, page: Any, number: int) -> None:
        width, height = ctypes.c_uint(), ctypes.c_uint()
        for image, _ in _image_objects(page):
            pdfium.FPDFImageObj_GetImagePixelSize(image, width, height)
            if width.value * height.value > self._max_pels:
                cause = f"holds an image of {width.value} x {height.value} pels, more than {self._max_pels}"
                raise UnreadableError(cause, number)


class PopplerFile(PdfFile):
    """A PDF opened and measured by PDFium and drawn by poppler."""

    def __init__(self, octets: mmap.mmap, max_pels: int, descriptor: int, seconds: float) -> None:
        super().__init__(octets, max_pels)
        self._descriptor, self._seconds = descriptor, seconds

    def draw(self, page: int, how: Drawing) -> npt.NDArray[np.uint8]:
        """Packed rows of a page."""
        place = how.layout(self._size(page))
        with self._page(page) as handle:
            self._refuse_huge_images(handle, page + 1)
            grey = self._painted(page + 1, place)
            return bilevel(grey, how.tile, lambda: _images(handle, place))

    def _painted(self, number: int, place: Layout) -> Grey:
        size = (place.height, place.width) if place.turned else (place.width, place.height)
        content = self._content(number, size)
        grey = np.full((place.height, place.line), 255, np.uint8)
        grey[:, place.left : place.left + place.width] = np.rot90(content, -1) if place.turned else content
        return grey

    def _content(self, number: int, size: tuple[int, int]) -> Grey:
        import pdf2image  # 40 ms that only poppler's friends should pay
        from pdf2image.exceptions import PDFInfoNotInstalledError, PDFPopplerTimeoutError

        path = f"/proc/{os.getpid()}/fd/{self._descriptor}"  # poppler reads files; this one has no name
        try:
            images = pdf2image.convert_from_path(
                path, first_page=number, last_page=number, size=size, grayscale=True, timeout=math.ceil(self._seconds)
            )
        except PDFInfoNotInstalledError:
            raise UnreadableError("cannot be drawn: poppler is not installed") from None
        except PDFPopplerTimeoutError:
            raise UnreadableError(f"took longer than {self._seconds:g} s to draw", number, 46) from None
        if len(images) != 1 or images[0].size != size:
            raise UnreadableError("could not be drawn by poppler", number, 46)
        return np.asarray(images[0].convert("L"))


def _images(page: Any, place: Layout) -> Iterator[Box]:
    """Where the page's images lie on the drawn page."""
    for image, matrix in _image_objects(page):
        own = pdfium.FS_MATRIX()
        if pdfium.FPDFPageObj_GetMatrix(image, own):
            total = _multiply(_matrix(own), matrix)
            corners = [_device(page, place, *_apply(total, x, y)) for x, y in ((0, 0), (0, 1), (1, 0), (1, 1))]
            xs, ys = zip(*corners, strict=True)
            upright = math.isclose(total[1], 0, abs_tol=1e-3) and math.isclose(total[2], 0, abs_tol=1e-3)
            quarter = math.isclose(total[0], 0, abs_tol=1e-3) and math.isclose(total[3], 0, abs_tol=1e-3)
            # PDFium rounds the corners down but paints every pel that an image touches
            yield Box(min(xs) - 1, min(ys) - 1, max(xs) + 1, max(ys) + 1, solid=upright or quarter)


def _image_objects(page: Any) -> Iterator[tuple[Any, Matrix]]:
    """Every image object of a page, also within forms, with the matrix of what it lies in."""
    return _images_within(page, pdfium.FPDFPage_CountObjects, pdfium.FPDFPage_GetObject, IDENTITY, MAX_FORM_DEPTH)


def _images_within(owner: Any, count: Any, get: Any, matrix: Matrix, depth: int) -> Iterator[tuple[Any, Matrix]]:
    kind_of = pdfium.FPDFPageObj_GetType  # a map has 100 000 objects
    for index in range(count(owner)):
        item = get(owner, index)
        kind = kind_of(item)
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            yield item, matrix
        elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth:
            own = pdfium.FS_MATRIX()
            pdfium.FPDFPageObj_GetMatrix(item, own)
            inner = _multiply(_matrix(own), matrix)
            yield from _images_within(
                item, pdfium.FPDFFormObj_CountObjects, pdfium.FPDFFormObj_GetObject, inner, depth - 1
            )


def _device(page: Any, place: Layout, x: float, y: float) -> tuple[int, int]:
    column, row = ctypes.c_int(), ctypes.c_int()
    turn = CLOCKWISE if place.turned else 0
    pdfium.FPDF_PageToDevice(page, place.left, 0, place.width, place.height, turn, x, y, column, row)
    return column.value, row.value


def _matrix(of: Any) -> Matrix:
    return of.a, of.b, of.c, of.d, of.e, of.f


def _multiply(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u


def _apply(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f
