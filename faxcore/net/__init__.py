"""The one room with sockets, clocks and asyncio: what an owner of calls may use, or bring his own instead."""

from __future__ import annotations
