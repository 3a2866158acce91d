"""Chains of calls, gateways and peers: telephone lines and networks in virtual time, in steps of 20 ms."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import faxcore
from tests.support_calls import small_document

TICK = 160
Samples = npt.NDArray[np.int16]


class Wire:
    """A telephone line between two ends that have pull_audio and push_audio. `delay` in steps of 20 ms."""

    def __init__(self, one: Any, other: Any, *, delay: int = 0, noise: float = 0.0, seed: int = 0) -> None:
        self.ends = one, other
        self.late = [[np.zeros(TICK, np.int16)] * delay for _ in range(2)]
        self.noise, self.random = noise, np.random.default_rng(seed)

    def step(self, now: float) -> None:
        sent = [end.pull_audio(TICK) for end in self.ends]
        for end, line, samples in zip(reversed(self.ends), self.late, sent, strict=True):
            line.append(samples)
            end.push_audio(self._disturbed(line.pop(0)))

    def _disturbed(self, samples: Samples) -> Samples:
        if not self.noise:
            return samples
        return (samples + self.random.normal(0, self.noise, len(samples))).clip(-32768, 32767).astype(np.int16)


class Link:
    """A network between two ends that have pull_datagrams and push_datagram."""

    def __init__(
        self, one: Any, other: Any, *, delay: float = 0.04, jitter: float = 0.0, loss: float = 0.0, seed: int = 0,
    ) -> None:
        self.ends = one, other
        self.delay, self.jitter, self.loss = delay, jitter, loss
        self.random = random.Random(seed)
        self.queue: list[tuple[float, int, int, bytes]] = []
        self.sent: list[tuple[float, int, bytes]] = []

    def step(self, now: float) -> None:
        for side, end in enumerate(self.ends):
            for datagram in end.pull_datagrams(now):
                self.sent.append((now, side, datagram))
                if self.random.random() >= self.loss:
                    at = now + self.delay + self.random.uniform(0, self.jitter)
                    heapq.heappush(self.queue, (at, len(self.sent), 1 - side, datagram))
        while self.queue and self.queue[0][0] <= now:
            _, _, side, datagram = heapq.heappop(self.queue)
            self.ends[side].push_datagram(datagram, now)


def run(chain: Sequence[Wire | Link], calls: Sequence[Any], *, limit_s: float = 300.0) -> float:
    """Run until the calls are finished; the seconds that it took."""
    for tick in range(round(limit_s * 8000 / TICK)):
        now = tick * TICK / 8000
        for part in chain:
            part.step(now)
        if all(call.finished for call in calls):
            return now
    raise AssertionError(f"not finished after {limit_s} s")


class Calls:
    """A sender and a receiver with gateways between them.

    `way`: "in" from a telephone line to a T.38 terminal, "out" from a T.38 terminal to a line, "through" from line
    to line over two gateways.
    """

    def __init__(
        self, way: str, *, pages: int = 1, rows: int = 60, t38: dict[str, Any] | None = None,
        link: dict[str, Any] | None = None, wire: dict[str, Any] | None = None,
        gateway: faxcore.Options | None = None, **options: Any,
    ) -> None:
        carrier, chosen = faxcore.T38(**t38 or {}), faxcore.Options(**options)
        self.document = small_document(pages, rows=rows)
        here, there = (carrier if way == "out" else None), (carrier if way == "in" else None)
        self.sender = faxcore.FaxCall.send(self.document, identity="1", options=chosen, carrier=here)
        self.receiver = faxcore.FaxCall.receive(identity="2", options=chosen, carrier=there)
        self.gateways = [faxcore.Gateway(carrier=carrier, options=gateway) for _ in range(1 + (way == "through"))]
        ends = [self.sender, *self.gateways, self.receiver]
        kinds = {"in": (Wire, Link), "out": (Link, Wire), "through": (Wire, Link, Wire)}[way]
        self.chain = [kind(*ends[n:n + 2], **((link if kind is Link else wire) or {})) for n, kind in enumerate(kinds)]

    @property
    def link(self) -> Link:
        """The network."""
        (link,) = [part for part in self.chain if isinstance(part, Link)]
        return link

    def run(self) -> float:
        """Run the call; the seconds that it took."""
        return run(self.chain, [self.sender, self.receiver, *self.gateways])

    def check(self) -> None:
        """Every page was confirmed and is what was sent."""
        assert self.sender.result.success, self.sender.result
        assert self.receiver.result.success, self.receiver.result
        assert len(self.receiver.document.pages) == len(self.document.pages)
        for sent, got in zip(self.document.pages, self.receiver.document.pages, strict=True):
            assert np.array_equal(sent.pels(), got.pels())
