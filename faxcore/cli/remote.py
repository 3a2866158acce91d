"""One fax with a station elsewhere: T.38 over UDP, in real time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import click

from faxcore.call import Progress
from faxcore.cli.capture import writing
from faxcore.cli.report import Report
from faxcore.cli.station import Request, Watch, opened, store
from faxcore.net.udptl import UdptlCall

if TYPE_CHECKING:
    from faxcore.call import FaxCall
    from faxcore.events import Event
    from faxcore.options import Options

LOOK = 0.1
"""Seconds between two looks at the call for who watches it."""


class _Elsewhere:
    """Stands where the far end's call would: what it knows is not told here."""

    progress = Progress(0, 0, None, None)

    def events(self) -> Iterator[Event]:
        return iter(())


def transfer(request: Request, options: Options, report: Report, watch: Watch) -> None:
    """Call or wait for a call, send or store."""
    if request.far is None:
        raise AssertionError("a call elsewhere has an address")
    if request.sending:
        document = opened(request, report)
        if document is None:
            return
        call = request.sender(document, options)
    else:
        call = request.receiver(options)
    try:
        with writing(request.pcap) as capture:
            ours = (
                UdptlCall(call, remote=request.far, capture=capture)
                if request.sending
                else UdptlCall(call, local=request.far, capture=capture)
            )
            asyncio.run(_call(ours, watch, request))
    except OSError as error:
        raise click.UsageError(f"{request.far[0]}:{request.far[1]}: {error.strerror or error}") from error
    finally:
        _tell(call, request, report)


def _tell(call: FaxCall, request: Request, report: Report) -> None:
    report.line_time = call.line_time
    if call.result is not None and request.sending:
        report.sender = replace(call.result, document=request.document)
    elif call.result is not None:
        report.receiver = call.result
        if len(call.document.pages):
            store(call.document, request.output, report)


async def _call(ours: UdptlCall, watch: Watch, request: Request) -> None:
    """The call to its end; Ctrl-C hangs up and waits for that."""
    far = cast("FaxCall", _Elsewhere())
    async with ours:
        over = asyncio.ensure_future(ours.finished())
        try:
            while not over.done():
                await asyncio.wait((over,), timeout=LOOK)
                watch(*((ours.call, far) if request.sending else (far, ours.call)))
        except asyncio.CancelledError:
            ours.hang_up()
            await over
            raise
