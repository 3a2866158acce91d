"""Trying again: with growing pauses, and only where another try may help."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from faxcore.net import extra


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a request is tried; pauses are in seconds, double each time and get up to `jitter` more."""

    attempts: int = 4
    first_pause: float = 0.25
    longest_pause: float = 8.0
    jitter: float = 0.5

    def tries(self) -> AsyncIterator[AbstractContextManager[Any]]:
        """One context after another in which to try, until one raises no transient fault or the last has failed."""
        stamina = extra.load("stamina")
        tries: AsyncIterator[AbstractContextManager[Any]] = aiter(
            stamina.retry_context(
                on=lambda fault: bool(getattr(fault, "transient", False)),
                attempts=self.attempts,
                timeout=None,
                wait_initial=self.first_pause,
                wait_max=self.longest_pause,
                wait_jitter=self.jitter,
            )
        )
        return tries
