"""Faxes of a service carried over a simulated line, many of them in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import faxcore
from faxcore.net import AddressPolicy, Fax, Retries
from tests.document_support import pdf, text

ALLOWED = AddressPolicy(allow_hosts=frozenset({"127.0.0.1"}))
QUICK = Retries(attempts=3, first_pause=0.01, longest_pause=0.02, jitter=0.0)
OUR_NUMBER, FAR_NUMBER = "+15551231234", "+15553214321"
STEP = 32000


def letter(pages: int = 1) -> bytes:
    """A PDF with a few lines on each page."""
    return pdf(*(text(3) for _ in range(pages)))


async def carry(
    fax: Fax,
    far: faxcore.FaxCall,
    *,
    line: faxcore.Line | None = None,
    each: Callable[[float], None] | None = None,
    turns: asyncio.Lock | None = None,
) -> None:
    """Runs a call to its end in virtual time; `each` is told the line time after every step.

    Calls that share `turns` make their steps in turn, the sockets of the loop being served after each one: it is
    virtual time that makes hundreds of calls as busy as they would be in an hour.
    """
    call, line = fax.call, line or faxcore.Line()
    assert call
    forth, back = line.direction(0), line.direction(1)
    for end in (call, far):
        end.wait_for_pages()
    after = 8000
    while not (call.finished and far.finished):
        async with turns or contextlib.nullcontext():
            await asyncio.sleep(0)
        step = min(STEP, max(call.lookahead, far.lookahead))
        if call.finished or far.finished:
            step, after = min(step, after), after - min(step, after)
        if call.lookahead >= far.lookahead:
            far.push_audio(forth.carry(call.pull_audio(step)))
            call.push_audio(back.carry(far.pull_audio(step)))
        else:
            call.push_audio(back.carry(far.pull_audio(step)))
            far.push_audio(forth.carry(call.pull_audio(step)))
        fax.poll()
        if each is not None:
            each(call.line_time)
        if not after:
            for end in (call, far):
                if not end.finished:
                    end.line_dropped()


def left_behind(folder: Path) -> list[str]:
    """Files in a folder for temporary files."""
    return sorted(path.name for path in folder.iterdir())
