"""Documents made by hand for the tests: no library between the test and the octets."""

from __future__ import annotations

import io
import os
import select
from typing import Any

import numpy as np
from PIL import Image

import faxcore
from faxcore.document import pool
from faxcore.document.pool import DrawingPool

A4 = (595.2756, 841.8898)  # 210 x 297 mm in points
LETTER, LEGAL = (612.0, 792.0), (612.0, 1008.0)
MM = 72 / 25.4


def pdf(
    *contents: bytes, size: tuple[float, float] = A4, image: Image.Image | None = None, extra: bytes = b""
) -> bytes:
    """A PDF with one page for each content stream; /F is Helvetica, /I the image, `extra` goes into each page."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    kids = []
    resources = b"/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    if image is not None:
        objects.append(jpeg_object(image))
        resources += b" /XObject << /I %d 0 R >>" % len(objects)
    for content in contents:
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %f %f] /Contents %d 0 R /Resources << %b >> %b >>"
            % (*size, len(objects), resources, extra)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%b] >>" % (len(kids), b" ".join(kids))
    return assemble(objects)


def assemble(objects: list[bytes], trailer: bytes = b"") -> bytes:
    """Objects, numbered from 1, as a PDF file."""
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R %b >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(out)


def jpeg_object(image: Image.Image) -> bytes:
    data = encoded(image, "JPEG", quality=90)
    return (
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace /DeviceGray "
        b"/Filter /DCTDecode /Length %d >>\nstream\n%b\nendstream" % (*image.size, len(data), data)
    )


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """An image as a file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def random_pels(seed: int, height: int, width: int = 1728) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Noise; true = black."""
    return np.random.default_rng(seed).random((height, width)) < 0.3


def bilevel_image(pels: np.ndarray[Any, np.dtype[np.bool_]]) -> Image.Image:
    """A Pillow image in which true is black."""
    return Image.fromarray(~pels)


def photograph(seed: int, side: int = 400) -> Image.Image:
    """Something with all greys: smooth random hills."""
    rng = np.random.default_rng(seed)
    rough = Image.fromarray(rng.integers(40, 230, (9, 9)).astype(np.uint8))
    return rough.resize((side, side), Image.Resampling.BICUBIC)


def text(lines: int, *, left: float = 60, top: float = 780, size: float = 9, leading: float = 11) -> bytes:
    """Lines of print."""
    body = b" ".join(b"(Line %d: quick brown foxes, 0123456789 & co.) Tj T*" % n for n in range(lines))
    return b"BT /F %f Tf %f TL %f %f Td %b ET\n" % (size, leading, left, top, body)


def start_drawing() -> None:
    """From now on no document starts a process: all that may draw do."""
    document = faxcore.open_document(pdf(*[text(60)] * 8))
    while len(drawing(pool.drawing_pool)) < pool.drawing_pool.most:
        assert document.pages[:]


def drawing(processes: DrawingPool) -> list[int]:
    """The one private thing: the processes that draw."""
    return [process._process.pid for process in processes._processes if process._process]


def ended(pid: int) -> bool:
    """Waits for the end of a process that is not ours; it was asked to end by the end of its socket."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with open(descriptor, closefd=True), select.epoll() as poller:
        poller.register(descriptor, select.EPOLLIN)
        return bool(poller.poll(20))
