"""Times of T.30 that both carriers keep."""

from __future__ import annotations

from faxcore.errors import DocumentError

TCF_SECONDS = 1.5  # [T.30 5.3.1.4]
ECM_FLAGS_SECONDS = 0.2  # [T.4 A.3.1]
BRIDGE_SECONDS = 4.5  # a receiver waits 5 s for the first line after training [T.4 3.3]


def too_late() -> DocumentError:
    """A page was not there when the far end would give up."""
    return DocumentError("document", f"a page was not drawn within {BRIDGE_SECONDS} s of its turn", code=46)
