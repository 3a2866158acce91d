"""One `send_fax` or `receive_fax` from its call to its variables: which event follows when."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from faxcore.call import FaxCall
from faxcore.errors import CallError
from faxcore.events import Event, Finished, PageReceived, PageSent
from faxcore.result import FaxResult, ResultCode
from faxcore.swml.payloads import FaxEvent


class Operation:
    """A fax on a call that its owner carries. It never blocks and reads no clock.

    `call` is None where no call can be made; the operation has then ended. `events()` gives a `page` for each
    confirmed page, in rising order, and `finished` or `error` last. A received document must be stored before
    the last event can name it: when `to_store` is true, store `call.document` and say so with `stored()`.
    """

    def __init__(
        self, method: str, direction: str, call: FaxCall | None, *, identity: str = "", document: str = ""
    ) -> None:
        self.method, self.direction, self.call = method, direction, call
        self.result: FaxResult | None = None
        """How the fax ended; None before the last event."""
        self.watch: Callable[[Event], None] | None = None
        """Is told each event of the call as it is taken: T38Wanted, frames, trainings."""
        self._identity, self._document = identity, document
        self._events: deque[FaxEvent] = deque()
        self._ended: FaxResult | None = None
        self._page = 0

    @classmethod
    def failed(cls, method: str, direction: str, result: FaxResult, description: str) -> Operation:
        """An operation that could not be tried."""
        operation = cls(method, direction, None)
        operation._end(result, FaxEvent.error(description))
        return operation

    def events(self) -> Iterator[FaxEvent]:
        """The events since the last time, oldest first."""
        self._take()
        while self._events:
            yield self._events.popleft()

    @property
    def to_store(self) -> bool:
        """True when a received document waits to be stored."""
        self._take()
        return self._ended is not None and self.result is None

    def stored(self, document: str) -> None:
        """The received pages can be had from this URL."""
        ended = self._waiting()
        self._finish(replace(ended, document=document))

    def not_stored(self, cause: str) -> None:
        """The received pages are lost to us, so the fax failed, whatever the far end believes."""
        self._finish(replace(self._waiting(), code=ResultCode.FILEERROR, note=f"not stored: {cause}"))

    def not_answered(self, cause: str | int) -> None:
        """The call never reached the far end: `cause` is a hang-up cause as `FaxResult.not_answered` takes it."""
        if self.result is None and self._ended is None:
            self.call = None
            self._finish(FaxResult.not_answered(cause, identity=self._identity, document=self._document))

    @property
    def variables(self) -> dict[str, str | int]:
        """The seven variables of the method. CallError before the operation has ended."""
        if self.result is None:
            raise CallError(f"{self.method} has no variables before its end")
        return self.result.variables(self.method)

    def _take(self) -> None:
        """Takes the events of the call."""
        if self.call is None or self._ended is not None:
            return
        for event in self.call.events():
            if self.watch is not None:
                self.watch(event)
            match event:
                case PageSent(number=number) | PageReceived(number=number) if number > self._page:
                    self._page = number
                    self._events.append(FaxEvent.page(self.direction, number))
                case Finished(result=result):
                    self._end_call(result)

    def _end_call(self, result: FaxResult) -> None:
        self._ended = replace(result, identity=self._identity, document=self._document)
        received = self.direction == "receive" and self.call is not None and len(self.call.document.pages)
        if not received:
            self._finish(self._ended)

    def _waiting(self) -> FaxResult:
        if not self.to_store or self._ended is None:
            raise CallError(f"{self.method} has nothing to store now")
        return self._ended

    def _finish(self, result: FaxResult) -> None:
        self._end(result, FaxEvent.finished(self.direction, result))

    def _end(self, result: FaxResult, event: FaxEvent) -> None:
        self._ended = self.result = result
        self._events.append(event)
