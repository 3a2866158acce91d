"""Trying again: with growing pauses, and only where another try may help."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from faxcore import extras
from faxcore.errors import FaxcoreError


class ExchangeError(FaxcoreError):
    """A request that brought no good answer; `transient` if another try may."""

    def __init__(self, cause: str, *, transient: bool = False) -> None:
        super().__init__(cause)
        self.transient = transient


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a request is tried; pauses are in seconds, double each time and get up to `jitter` more."""

    attempts: int = 4
    first_pause: float = 0.25
    longest_pause: float = 8.0
    jitter: float = 0.5

    def tries(self) -> AsyncIterator[AbstractContextManager[Any]]:
        """One context after another in which to try, until one raises no transient fault or the last has failed."""
        stamina = extras.load("stamina")
        tries: AsyncIterator[AbstractContextManager[Any]] = aiter(
            stamina.retry_context(
                on=lambda fault: isinstance(fault, ExchangeError) and fault.transient,
                attempts=self.attempts,
                timeout=None,
                wait_initial=self.first_pause,
                wait_max=self.longest_pause,
                wait_jitter=self.jitter,
            )
        )
        return tries
