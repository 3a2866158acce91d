"""faxcore: a software G3 fax engine.

    import faxcore

    document = faxcore.open_document("letter.pdf")
    sender = faxcore.FaxCall.send(document, identity="+15551230001")
    receiver = faxcore.FaxCall.receive(identity="+15551230002")
    faxcore.simulate(sender, receiver, line=faxcore.Line(noise_dbm0=-50, seed=7))
    faxcore.save_document(receiver.document, "received.pdf")

Names are loaded when first used, so that importing faxcore costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from faxcore.call import CallGroup, FaxCall, Gateway
    from faxcore.document import Document, open_document, save_document
    from faxcore.errors import CallError, DocumentError, FaxcoreError
    from faxcore.line import Line, Network
    from faxcore.options import T38, Audio, Options
    from faxcore.page import Page, Resolution
    from faxcore.result import FaxResult, ResultCode
    from faxcore.simulation import Outcome, simulate, simulate_many
    from faxcore.stations import FarStation

_HOMES = {
    "Audio": "options",
    "CallGroup": "call",
    "CallError": "errors",
    "Document": "document",
    "DocumentError": "errors",
    "FarStation": "stations",
    "FaxCall": "call",
    "FaxResult": "result",
    "FaxcoreError": "errors",
    "Gateway": "call",
    "Line": "line",
    "Network": "line",
    "Options": "options",
    "Outcome": "simulation",
    "Page": "page",
    "Resolution": "page",
    "ResultCode": "result",
    "T38": "options",
    "open_document": "document",
    "save_document": "document",
    "simulate": "simulation",
    "simulate_many": "simulation",
}

__all__ = [  # noqa: RUF022 - in the order of _HOMES; a test holds the two together
    "Audio",
    "CallGroup",
    "CallError",
    "Document",
    "DocumentError",
    "FarStation",
    "FaxCall",
    "FaxResult",
    "FaxcoreError",
    "Gateway",
    "Line",
    "Network",
    "Options",
    "Outcome",
    "Page",
    "Resolution",
    "ResultCode",
    "T38",
    "open_document",
    "save_document",
    "simulate",
    "simulate_many",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'faxcore' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"faxcore.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
