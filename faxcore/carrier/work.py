"""Work for fast modems that calls hand out, so that those of many calls are done side by side.

What a carrier does with samples is a generator: where a fast modem is to work it yields a Request and is sent the
answer. `alone` carries out one such generator, `together` many, which then share native calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from faxcore.modem import bank, qam
from faxcore.signals import SignalItem

Samples = npt.NDArray[np.int16]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Hear:
    """Samples for a receiver; the answer is what they bring."""

    receiver: qam.Receiver
    samples: Samples

    @property
    def kind(self) -> Hashable:
        """Requests of one kind can be done at once."""
        return "hear", self.receiver.modulation[:2]

    def alone(self) -> list[SignalItem]:
        """The answer."""
        return self.receiver.push(self.samples)

    @staticmethod
    def each(requests: Sequence[Hear]) -> list[list[SignalItem]]:
        """The answers to requests of one kind."""
        return bank.receive_each([one.receiver for one in requests], [one.samples for one in requests])


@dataclass(frozen=True, slots=True)
class Send:
    """Samples wanted of a transmitter; the answer is at most `n` of them."""

    transmitter: qam.Transmitter
    n: int

    @property
    def kind(self) -> Hashable:
        """Requests of one kind can be done at once."""
        return "send", self.transmitter.modulation[:2]

    def alone(self) -> Samples:
        """The answer."""
        return self.transmitter.pull(self.n)

    @staticmethod
    def each(requests: Sequence[Send]) -> list[Samples]:
        """The answers to requests of one kind."""
        return bank.transmit_each([one.transmitter for one in requests], [one.n for one in requests])


Request = Hear | Send
Work = Generator[Request, Any, Value]


def alone(work: Work[Value]) -> Value:
    """Carry out one piece of work."""
    try:
        request = next(work)
        while True:
            request = work.send(request.alone())
    except StopIteration as end:
        value: Value = end.value
        return value


def together(works: Iterable[Work[Value]], at_once: int) -> Iterator[tuple[int, Value]]:
    """Carry out many pieces of work, at most `at_once` side by side; (number, value) of each as it is done."""
    coming = enumerate(works)
    running: dict[int, Work[Value]] = {}
    answers: dict[int, Any] = {}
    while True:
        for number, work in islice(coming, at_once - len(running)):
            running[number], answers[number] = work, None
        if not running:
            return
        requests: dict[int, Request] = {}
        for number, answer in answers.items():
            try:
                requests[number] = running[number].send(answer)
            except StopIteration as end:
                del running[number]
                yield number, end.value
        answers = _answers(requests)


def _answers(requests: dict[int, Request]) -> dict[int, Any]:
    """What all the requests bring, those of a kind done at once."""
    kinds: dict[Hashable, list[int]] = defaultdict(list)
    for number, request in requests.items():
        kinds[request.kind].append(number)
    answers: dict[int, Any] = {}
    for numbers in kinds.values():
        alike: list[Any] = [requests[number] for number in numbers]
        answers.update(zip(numbers, alike[0].each(alike), strict=True))
    return answers
