"""Saving: pages as MMR octets into a PDF or a TIFF, each written by the parent itself without a library."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from faxcore.document.documents import AnyDocument
from faxcore.document.pdf_file import write_pdf
from faxcore.document.received import CodedPage, ReceivedDocument
from faxcore.document.tiff_file import write_tiff
from faxcore.errors import DocumentError

Writer = Callable[[BinaryIO, Iterator[CodedPage], int], None]
WRITERS: dict[str, Writer] = {".pdf": write_pdf, ".tif": write_tiff, ".tiff": write_tiff}


def save_document(document: AnyDocument, path: str | os.PathLike[str]) -> None:
    """Writes a document as PDF or TIFF class F, by the ending of the name; pels and resolution are kept.

    The file appears whole or not at all. ValueError: another ending. DocumentError: no pages, or the file
    cannot be written.
    """
    target = Path(path)
    writer = WRITERS.get(target.suffix.lower())
    if writer is None:
        raise ValueError(f"a document is saved as {', '.join(WRITERS)}, not as {target.name!r}")
    pages = len(document.pages)
    if not pages:
        raise DocumentError(document.name, "has no pages to save", code=42)
    try:
        with _whole_file(target) as file:
            writer(file, _coded(document), pages)
    except OSError as fault:
        raise DocumentError(target.name, f"cannot be written: {fault.strerror}", code=41) from fault


def _coded(document: AnyDocument) -> Iterator[CodedPage]:
    if isinstance(document, ReceivedDocument):
        return iter(document.coded)
    return (CodedPage.of(page) for page in document.pages)


@contextlib.contextmanager
def _whole_file(target: Path) -> Iterator[BinaryIO]:
    """A new file beside the target that takes its name when all went well and is gone when not."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with open(part, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
