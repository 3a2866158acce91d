"""Fetching the document of `send_fax`: to disk, within limits, from nowhere that the owner would not allow."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from faxcore import extras
from faxcore.errors import FetchError
from faxcore.net.retry import ExchangeError, Retries
from faxcore.result import DETAIL_NOT_FETCHED, DETAIL_TOO_BIG

if TYPE_CHECKING:
    import httpx2

    from faxcore.net.transport import Http

REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADERS = {"Accept": "application/pdf, image/tiff, image/png, image/jpeg", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """What a document may cost to fetch.

    `max_octets` of the file; `seconds` in all, with every try; `timeout` in seconds for connecting and for each
    read; `redirects` that are followed; `retries` after transient faults. `files` are the folders from which
    file:// may take documents, none by default.
    """

    max_octets: int = 50_000_000
    seconds: float = 60.0
    timeout: float = 10.0
    redirects: int = 3
    retries: Retries = field(default_factory=Retries)
    files: tuple[Path, ...] = ()


@contextlib.asynccontextmanager
async def fetched(url: str, http: Http, limits: FetchLimits | None = None) -> AsyncIterator[Path]:
    """The document of a URL as a file that is gone at the end. FetchError says why it cannot be had."""
    limits = limits or FetchLimits()
    name = document_name(url)
    if urlsplit(url).scheme == "file":
        yield _local(url, name, limits)
        return
    with tempfile.NamedTemporaryFile(prefix="faxcore-") as file:
        try:
            async with asyncio.timeout(limits.seconds):
                await _download(url, name, file, http, limits)
        except TimeoutError as fault:
            raise FetchError(name, f"took longer than {limits.seconds:g} s", detail=DETAIL_NOT_FETCHED) from fault
        yield Path(file.name)


def document_name(url: str) -> str:
    """The last part of a URL, for messages."""
    parts = urlsplit(url)
    return unquote(parts.path).rpartition("/")[2][:100] or parts.hostname or "document"


def _local(url: str, name: str, limits: FetchLimits) -> Path:
    """The file of a file:// URL, links followed, if it is in a folder that the owner allows."""
    path = Path(url2pathname(urlsplit(url).path)).resolve()
    if not any(path.is_relative_to(folder.resolve()) for folder in limits.files):
        raise FetchError(name, "is a file:// URL that the owner has not allowed", detail=DETAIL_NOT_FETCHED)
    return path


async def _download(url: str, name: str, file: IO[bytes], http: Http, limits: FetchLimits) -> None:
    transport = extras.load("faxcore.net.transport")
    try:
        async for attempt in limits.retries.tries():
            with attempt:
                file.seek(0)
                file.truncate()
                await _follow(transport.parse_url(url), name, file, http, limits)
    except ExchangeError as fault:
        raise FetchError(name, str(fault), detail=DETAIL_NOT_FETCHED) from fault


async def _follow(url: httpx2.URL, name: str, file: IO[bytes], http: Http, limits: FetchLimits) -> None:
    """One try: the answer, or that of the URL to which it leads."""
    transport = extras.load("faxcore.net.transport")
    for _ in range(limits.redirects + 1):
        async with http.exchange("GET", url, headers=HEADERS, timeout=limits.timeout) as response:
            if response.status_code not in REDIRECTS:
                transport.check_status(response)
                await _save(response, name, file, limits.max_octets)
                return
            url = _next(url, response)
    raise ExchangeError(f"is redirected more than {limits.redirects} times")


def _next(url: httpx2.URL, response: httpx2.Response) -> httpx2.URL:
    """Where a redirect leads, without anybody's credentials."""
    transport = extras.load("faxcore.net.transport")
    there = transport.parse_url(response.headers.get("Location", ""), base=url)
    if (url.scheme, there.scheme) == ("https", "http"):
        raise ExchangeError("is redirected from https to http")
    following: httpx2.URL = there.copy_with(username=None, password=None)
    return following


async def _save(response: httpx2.Response, name: str, file: IO[bytes], most: int) -> None:
    """Writes the body to disk as it arrives."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchError(name, "came compressed, which was not asked for", detail=DETAIL_NOT_FETCHED)
    too_big = FetchError(name, f"is larger than {most} octets", detail=DETAIL_TOO_BIG)
    told = response.headers.get("Content-Length", "")
    if told.isdecimal() and int(told) > most:
        raise too_big
    async for chunk in response.aiter_raw():
        if file.tell() + len(chunk) > most:
            raise too_big
        file.write(chunk)
    file.flush()
