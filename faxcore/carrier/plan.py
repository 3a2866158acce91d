"""What an audio terminal will put on the line and when: a queue of sources on the transmit clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from faxcore import modem, units
from faxcore.carrier.timing import BRIDGE_SECONDS, ECM_FLAGS_SECONDS, TCF_SECONDS, too_late
from faxcore.carrier.work import Send, Work
from faxcore.hdlc import frame_octets
from faxcore.modem import tones, v21
from faxcore.signals import Modulation
from faxcore.t30 import orders

Samples = npt.NDArray[np.int16]

FILL_STEP = 64  # octets of FILL a time while a page is not ready


def framed(modulation: Modulation, frames: tuple[bytes, ...]) -> bytes:
    """The octets of a burst of frames: flags for 200 ms, the frames, a flag and the last octet filled with ones."""
    flags = round(ECM_FLAGS_SECONDS * modulation.bit_rate / 8)
    octets, bits = frame_octets(frames, preamble_flags=flags)
    octets[-1] |= 0xFF << (bits - 1) % 8 + 1 & 0xFF
    return octets.tobytes()


class Source(Protocol):
    """Something that makes samples."""

    @property
    def total(self) -> int | None:
        """Length in samples; None while it is not known."""
        ...

    def pulling(self, n: int) -> Work[Samples]:
        """Exactly n samples; never asked beyond `total`."""
        ...


class _Made:
    """Samples that cost nothing to make, by their pull function (total None: endless)."""

    def __init__(self, pull: Callable[[int], Samples], total: int | None) -> None:
        self._pull, self.total = pull, total

    def pulling(self, n: int) -> Work[Samples]:
        """The next n samples."""
        return self._pull(n)
        yield  # nothing is asked of anybody: what makes this a generator is never reached


class _Burst:
    """A burst of a fast modem whose octets are known: `share` of a page, after what was sent of it `before`."""

    def __init__(
        self, modulation: Modulation, octets: bytes, *, level_dbm0: float, before: float = 0.0, share: float = 0.0
    ) -> None:
        self._transmitter = modem.transmitter(modulation, level_dbm0=level_dbm0)
        self._transmitter.feed(octets)
        self._transmitter.finish()
        self.total = modem.samples_for(modulation, len(octets))
        self.before, self.share = before, share

    def pulling(self, n: int) -> Work[Samples]:
        """The next n samples."""
        samples: Samples = yield Send(self._transmitter, n)
        return samples


class _Cut:
    """The beginning of a source."""

    def __init__(self, source: Source, total: int) -> None:
        self.pulling, self.total = source.pulling, total


class PageBurst:
    """The burst of a page that may still be in the making: FILL bridges the time [T.4 4.1.3]."""

    before, share = 0.0, 1.0

    def __init__(self, image: orders.Image, *, level_dbm0: float) -> None:
        self._modulation, self._source = image.modulation, image.source
        self._transmitter = modem.transmitter(image.modulation, level_dbm0=level_dbm0)
        self._filled = 0
        self.total: int | None = None

    def advance(self, *, wait: bool) -> None:
        """Take the page if it is ready, or wait for it. DocumentError where it cannot be had."""
        if self.total is None and (wait or self._source.ready()):
            octets = self._source.octets()
            self.total = modem.samples_for(self._modulation, self._filled + len(octets))
            self._transmitter.feed(octets)
            self._transmitter.finish()

    def pulling(self, n: int) -> Work[Samples]:
        """The next n samples: training, FILL while the page is awaited, the page."""
        while self.total is None and self._transmitter.samples_ready < n:
            if self._filled * 8 >= BRIDGE_SECONDS * self._modulation.bit_rate:
                raise too_late()
            self._transmitter.feed(bytes(FILL_STEP))
            self._filled += FILL_STEP
        samples: Samples = yield Send(self._transmitter, n)
        return samples


class PageAwaited:
    """Silence until a page is there: what error correction mode sends in place of FILL."""

    def __init__(self, source: orders.ImageSource) -> None:
        self._source = source
        self._pulled = 0
        self.total: int | None = None

    def advance(self, *, wait: bool) -> None:
        """See whether the page is ready, or wait for it. DocumentError where it cannot be had."""
        if self.total is None and (wait or self._source.ready()):
            self._source.octets()
            self.total = self._pulled

    def pulling(self, n: int) -> Work[Samples]:
        """The next n samples. DocumentError when the far end would give up."""
        if n and self._pulled > units.samples(BRIDGE_SECONDS):
            raise too_late()
        self._pulled += n
        return np.zeros(n, np.int16)
        yield


@dataclass(slots=True)
class _Entry:
    """A source on the line from sample `start`."""

    start: int
    source: Source
    pulled: int = 0

    @property
    def end(self) -> int | None:
        return None if self.source.total is None else self.start + self.source.total

    def pulling(self, until: int) -> Work[Samples]:
        end = until if self.end is None else min(self.end, until)
        samples = yield from self.source.pulling(end - self.start - self.pulled)
        self.pulled += len(samples)
        return samples


class Plan:
    """A schedule of transmissions. `sent` counts the samples pulled so far: the transmit clock.

    `wait_for_pages` is for virtual time: a page that is not drawn yet is waited for, not bridged.
    """

    def __init__(self, *, level_dbm0: float) -> None:
        self.sent = 0
        self.wait_for_pages = False
        self._level = level_dbm0
        self._entries: deque[_Entry] = deque()
        self._unplaced: deque[orders.Transmission] = deque()
        self._end: int | None = 0
        self._earliest = 0

    @property
    def end(self) -> int | None:
        """Where the last transmission ends; None while that is not known."""
        return self._end

    @property
    def endless(self) -> bool:
        """True while a tone goes on until it is cut."""
        return self._end is None and not isinstance(self._entries[-1].source, PageBurst | PageAwaited)

    @property
    def fraction(self) -> float | None:
        """How much of the page that is on the line was sent; None where there is none."""
        entry = self._entries[0] if self._entries else None
        if entry is None or not entry.source.total or not isinstance(entry.source, PageBurst | _Burst):
            return None
        before, share = entry.source.before, entry.source.share
        return before + share * entry.pulled / entry.source.total if share else None

    def schedule(self, transmissions: tuple[orders.Transmission, ...], *, begin: int, earliest: int) -> None:
        """Queue transmissions from sample `begin` on; nothing but silence before `earliest`."""
        self._end, self._earliest = begin, max(earliest, self.sent)
        self._unplaced.extend(transmissions)
        self.advance()

    def advance(self) -> None:
        """Place what can be placed: all that follows a page waits for the page's length."""
        if self._end is None and isinstance(source := self._entries[-1].source, PageBurst | PageAwaited):
            source.advance(wait=self.wait_for_pages)
            self._end = self._entries[-1].end
        while self._unplaced and self._end is not None:
            self._place(self._unplaced.popleft(), self._end)

    def _place(self, item: orders.Transmission, at: int) -> None:
        if isinstance(item, orders.Silence):
            self._end = at + units.samples(item.seconds)
            return
        entry = _Entry(max(at, self._earliest), self._source(item))
        self._entries.append(entry)
        if isinstance(entry.source, PageBurst | PageAwaited):
            entry.source.advance(wait=self.wait_for_pages)
        self._end = entry.end

    def _source(self, item: orders.Transmission) -> Source:
        level = self._level
        match item:
            case orders.Frames(frames):
                v21_burst = v21.Transmitter(frames, level_dbm0=level)
                return _Made(v21_burst.pull, v21_burst.total)
            case orders.AnswerTone():
                ced = tones.AnswerTone(level_dbm0=level)
                return _Made(ced.pull, ced.total)
            case orders.CallingTone():
                return _Made(tones.CallingTone(level_dbm0=level).pull, None)
            case orders.TrainingCheck(modulation):
                return _Burst(modulation, bytes(round(TCF_SECONDS * modulation.bit_rate / 8)), level_dbm0=level)
            case orders.FastFrames(modulation, frames, before, share):
                octets = framed(modulation, frames)
                return _Burst(modulation, octets, level_dbm0=level, before=before, share=share)
            case orders.Await(source):
                return PageAwaited(source)
            case orders.Image():
                return PageBurst(item, level_dbm0=level)
            case _:
                raise TypeError(f"{item!r} cannot be sent as audio")

    def pulling(self, n: int) -> Work[Samples]:
        """The next n samples; silence where nothing is planned. DocumentError where a page cannot be had."""
        out: Samples | None = None
        until = self.sent + n
        while self._entries and self._entries[0].start < until:
            self.advance()
            entry = self._entries[0]
            offset = entry.start + entry.pulled - self.sent
            samples = yield from entry.pulling(until)
            if len(samples) == n and samples.flags.writeable:  # tones are shared by all calls
                out = samples
            else:
                out = np.zeros(n, np.int16) if out is None else out
                out[offset : offset + len(samples)] = samples
            if entry.end is None or entry.end > until:
                break
            self._entries.popleft()
        self.sent = until
        return np.zeros(n, np.int16) if out is None else out

    def cut(self, at: int) -> None:
        """Drop what is planned from sample `at` on, in the middle of a signal where need be."""
        at = max(at, self.sent)
        self._unplaced.clear()
        while self._entries and self._entries[-1].start >= at:
            self._entries.pop()
        if self._entries:
            last = self._entries[-1]
            if last.end is None or last.end > at:
                last.source = _Cut(last.source, at - last.start)
        self._end = at
