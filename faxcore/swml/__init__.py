"""SWML's `send_fax` and `receive_fax`: parameters, variables, events and scripts, without any input or output.

    method = SendFax.parse({"document": "https://example.com/letter.pdf", "status_url": "https://example.com/fax"})
    operation = method.prepare(faxcore.open_document(path), info)      # the document was fetched by its owner
    ... the owner carries operation.call; operation.events() tells of pages and of the end
    operation.variables                                                # send_fax_document ... send_fax_result

`faxcore.net.FaxService` does the same with fetching, status callbacks and storage.
"""

from __future__ import annotations

from faxcore.errors import SwmlError
from faxcore.swml.info import CallInfo
from faxcore.swml.methods import ReceiveFax, SendFax
from faxcore.swml.operation import Operation
from faxcore.swml.payloads import FaxEvent, Notice

__all__ = ["CallInfo", "FaxEvent", "Notice", "Operation", "ReceiveFax", "SendFax", "SwmlError"]
