"""Documents in and out: PDF, TIFF, PNG and JPEG become pages, pages become PDF and TIFF.

Foreign files are opened in processes of their own and nowhere else; see `faxcore.document.pool` for who gets what to
draw, `faxcore.document.client` for our end of such a process and `faxcore.document.worker` for the other.
"""

from __future__ import annotations

from faxcore.document.documents import AnyDocument, Document, PageRequest, open_document
from faxcore.document.files import save_document
from faxcore.document.header import Header
from faxcore.document.joined import JoinedDocument
from faxcore.document.limits import Limits
from faxcore.document.received import CodedPage, ReceivedDocument

__all__ = [
    "AnyDocument",
    "CodedPage",
    "Document",
    "Header",
    "JoinedDocument",
    "Limits",
    "PageRequest",
    "ReceivedDocument",
    "open_document",
    "save_document",
]
