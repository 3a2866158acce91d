"""What an audio terminal hears: receivers side by side on the same samples, and the Report they lead to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from faxcore import modem, units
from faxcore.carrier.collecting import Collector
from faxcore.carrier.work import Hear, Work
from faxcore.events import BurstReceived, Event
from faxcore.hdlc import Deframer
from faxcore.modem import qam, v21
from faxcore.modem.acquisition import Lock
from faxcore.signals import FrameEnds, Modulation, Octets, SignalBegins, SignalEnds, SignalItem
from faxcore.t30 import orders


def _fast_receiver(fast: Modulation, learnt: dict[Modulation, Lock], at: int) -> qam.Receiver:
    """A short training can be heard only after the long one: without it the far end may yet send that."""
    trained = learnt.get(fast._replace(short=False)) if fast.short else None
    return modem.receiver(fast if trained else fast._replace(short=False), trained=trained, at=at)


class Listener:
    """Carries out one Listen, from sample `at` of the line on."""

    def __init__(
        self,
        listen: orders.Listen,
        *,
        at: int,
        learnt: dict[Modulation, Lock],
        flags: Callable[[int], None],
        emit: Callable[[Event], None],
    ) -> None:
        self.listen, self._collector = listen, Collector(listen, at=at)
        self.continues = self._collector.continues
        self._flags, self._emit = flags, emit
        self._v21 = v21.Receiver(at=at)
        self._fast = _fast_receiver(listen.fast, learnt, at) if listen.fast else None
        self._learnt = learnt
        self._heard = at
        self._items: deque[tuple[bool, SignalItem]] = deque()
        self._deframer = Deframer() if listen.framed else None

    @property
    def horizon(self) -> int:
        """The sample at which a timer decides, if nothing is heard before."""
        return self._collector.deadline

    def feeding(self, samples: npt.NDArray[np.int16]) -> Work[None]:
        """Hear samples; they must not reach beyond `horizon`."""
        self._heard += len(samples)
        items: list[tuple[bool, SignalItem]] = [(False, item) for item in self._v21.push(samples)]
        if self._fast:
            heard: list[SignalItem] = yield Hear(self._fast, samples)
            items += [(True, item) for item in heard]
            items.sort(key=lambda pair: pair[1].at)
        self._items.extend(items)

    def report(self) -> tuple[int, orders.Report] | None:
        """The Report that what was heard leads to, and the sample at which it was known."""
        while self._items:
            fast, item = self._items.popleft()
            for part in self._parts(item) if fast else (item,):
                found = self._collector.hear(part, fast=fast)
                if found is not None:
                    return item.at, found
            if not fast and isinstance(item, SignalBegins):
                self._flags(item.at)
        return (self._heard, self._collector.run_out(self._heard)) if self._heard >= self.horizon else None

    def _parts(self, item: SignalItem) -> Iterator[SignalItem]:
        """An item of the fast carrier; its octets as frames where it brings those."""
        if isinstance(item, SignalEnds):
            self._tell(item)
        if self._deframer is None or not isinstance(item, Octets):
            yield item
            return
        for octets, good, _ in self._deframer.push_octets(item.data):
            yield Octets(item.at, octets)
            yield FrameEnds(item.at, good)

    def _tell(self, end: SignalEnds) -> None:
        assert self._fast is not None
        assert self.listen.fast is not None
        points = tuple(self._fast.symbols.tolist()) if end.trained else ()
        if end.trained and not self.listen.fast.short and self._fast.lock:
            self._learnt[self.listen.fast] = self._fast.lock
        self._emit(BurstReceived(units.seconds(end.at), self.listen.fast, end.trained, end.quality, points))
