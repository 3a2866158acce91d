"""The pages of the coding benchmark: three of the sample document as they are sent, and a blank one.

Dense text, a form of hairlines, words beside a dithered photograph; 1728 pels wide, fine.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np

from faxcore.document import open_document
from faxcore.page import FINE, Page


def pages() -> dict[str, Page]:
    """The four pages by name."""
    document = open_document(str(files("faxcore.cli") / "sample.pdf"))
    drawn = {name: document.request(number, FINE).page() for number, name in enumerate(("text", "form", "photo"))}
    text = drawn["text"]
    return drawn | {"blank": Page(np.zeros_like(text.rows), text.width, FINE)}
