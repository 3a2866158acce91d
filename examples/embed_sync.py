"""receive_fax in a program that knows no asyncio: the network has a thread of its own, the call stays in yours.

    python examples/embed_sync.py letter.pdf folder

lets a far station send a document, and keeps what arrives in a folder.
"""

from __future__ import annotations

import sys

from far_station import FRAME, FarStation

import faxcore
from faxcore.net import Background, Fax, FaxService, FolderStorage
from faxcore.swml import CallInfo, ReceiveFax


def receive_fax(background: Background, service: FaxService, rtp: FarStation, info: CallInfo) -> dict[str, str | int]:
    """One `receive_fax` step; gives the variables that it sets."""
    method = ReceiveFax.parse({})  # with status_url: each page is posted as soon as it is confirmed
    with background.enter(service.fax(method, info)) as fax:
        carry_audio(fax, rtp)
    return fax.outcome.variables


def carry_audio(fax: Fax, rtp: FarStation) -> None:
    """Carries a call in frames of 20 ms."""
    call = fax.call
    while call is not None and not call.finished:
        try:
            frame = rtp.read_now()
        except EOFError:
            call.line_dropped()
            break
        if frame is None:
            call.push_missing(FRAME)
        else:
            call.push_audio(frame)
        rtp.write_now(call.pull_audio(FRAME))
        for notice in fax.poll():
            print(notice.params.fax)


def main(document: str, folder: str) -> None:
    """One call."""
    rtp = FarStation("+15553214321", faxcore.open_document(document))
    info = CallInfo(call_id="call-1", from_="+15553214321", to="+15551231234")
    with Background() as background, background.enter(FaxService(storage=FolderStorage(folder))) as service:
        for name, value in receive_fax(background, service, rtp, info).items():
            print(f"{name}: {value}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
