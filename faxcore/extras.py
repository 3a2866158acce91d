"""The packages of the extra `swml`, asked for when they are needed and not before."""

from __future__ import annotations

import importlib
from types import ModuleType

PACKAGES = {"httpx2": "httpx2", "httpcore2": "httpx2", "stamina": "stamina", "yaml": "pyyaml"}


def load(module: str) -> ModuleType:
    """A module that needs packages of the extra `swml`. ImportError says how to get them."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as fault:
        package = PACKAGES.get((fault.name or "").partition(".")[0])
        if package is None:
            raise
        raise ImportError(f"this needs {package}: pip install 'faxcore[swml]'", name=fault.name) from fault
