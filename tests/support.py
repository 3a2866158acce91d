"""Helpers that tests import: vectors and the list of peers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parent / "vectors"

PEERS = {
    "spandsp": lambda: any(Path("/usr/include").rglob("spandsp.h")),
    "libtiff": lambda: any(Path("/usr/include").rglob("tiffio.h")),
    "tiff-tools": lambda: shutil.which("tiffinfo") is not None,
    "tshark": lambda: shutil.which("tshark") is not None,
    "poppler": lambda: shutil.which("pdftoppm") is not None,
}


def vectors(name: str) -> Any:
    """One file of test vectors."""
    return json.loads((VECTORS / f"{name}.json").read_text())
