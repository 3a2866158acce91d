"""Where received documents go."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Protocol

from faxcore.document import AnyDocument, save_document


class Storage(Protocol):
    """Keeps a received document and gives its URL; `name` is new each time. Any exception: it was not kept."""

    async def store(self, document: AnyDocument, name: str) -> str: ...


class FolderStorage:
    """PDF files in a folder; their URLs begin with `base_url`, or are file:// where there is none."""

    def __init__(self, folder: str | os.PathLike[str], base_url: str = "") -> None:
        self._folder, self._base_url = Path(folder), base_url

    async def store(self, document: AnyDocument, name: str) -> str:
        path = self._folder.resolve() / f"{re.sub(r'[^A-Za-z0-9_-]', '_', name)}.pdf"
        await asyncio.to_thread(save_document, document, path)
        return f"{self._base_url.rstrip('/')}/{path.name}" if self._base_url else path.as_uri()
