"""The one room with sockets, clocks and asyncio: what an owner of calls may use, or bring his own instead."""

from __future__ import annotations

from faxcore.net.background import Background
from faxcore.net.carry import over_udptl
from faxcore.net.fetch import FetchLimits
from faxcore.net.guard import AddressPolicy
from faxcore.net.loopback import LoopbackStation
from faxcore.net.poster import HttpPoster, Poster, Undelivered
from faxcore.net.retry import ExchangeError, Retries
from faxcore.net.runtime import Runtime, ScriptOutcome
from faxcore.net.service import Fax, FaxOutcome, FaxService
from faxcore.net.storage import FolderStorage, Storage
from faxcore.net.udptl import UdptlCall

__all__ = [
    "AddressPolicy",
    "Background",
    "ExchangeError",
    "Fax",
    "FaxOutcome",
    "FaxService",
    "FetchLimits",
    "FolderStorage",
    "HttpPoster",
    "LoopbackStation",
    "Poster",
    "Retries",
    "Runtime",
    "ScriptOutcome",
    "Storage",
    "UdptlCall",
    "Undelivered",
    "over_udptl",
]
