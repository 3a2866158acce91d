"""The packet carrier: carries out the Orders of a T.30 procedure as T.38 packets.

Time is what the owner says it is, in seconds; nothing happens between two deadlines, so that the same datagrams
at the same times give the same answers however often the owner looks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable

from faxcore import units
from faxcore.carrier.bulk import Batch, Burst, unwrap
from faxcore.carrier.hearing import PacketListener
from faxcore.carrier.modulations import TRAINED
from faxcore.carrier.schedule import Schedule
from faxcore.carrier.sending import NO_SIGNAL, Emission, Signals
from faxcore.carrier.stream import Heard, PacketStream
from faxcore.errors import DocumentError, FrameError
from faxcore.events import Event, ToneHeard
from faxcore.options import T38
from faxcore.signals import SignalBegins
from faxcore.t30 import orders
from faxcore.t38 import ifp, udptl
from faxcore.t38.detection import FormDetector
from faxcore.t38.ifp import Indicator, IndicatorKind

KEEP_ALIVE = 4.0
"""Seconds after which a silent end says no-signal again: address translation forgets silent ports."""

PATIENCE = 0.2
"""Seconds that a missing packet is waited for while later ones are there."""

HOLD = 32
"""Later packets that do not wait longer for a missing one. Gateways send a whole frame at once, and with jitter its
packets overtake each other: it is PATIENCE that ends the wait."""

GRAIN = 1e-6
"""Seconds that are no difference: the owner's clock may count from 1970, and a double has 53 bits."""

MOST_EARLY = 1 << 14
"""Items that wait for an Order that listens: some blocks of a sender that keeps no time."""

HEADER = 8  # octets of an IFP packet around the data of its one long field

Duty = tuple[float, Callable[[float], None]]

_TONES = {IndicatorKind.CNG: "cng", IndicatorKind.CED: "ced"}
_COMMANDS = {IndicatorKind.V21_PREAMBLE, *TRAINED}


class PacketCarrier:
    """One terminal's end of a T.38 session. `now` is line time in seconds.

    `order` takes over an Order that another carrier has begun, at line time `now`.
    """

    def __init__(
        self, procedure: orders.Procedure, settings: T38, *, emit: Callable[[Event], None],
        order: orders.Order | None = None, now: float = 0.0,
    ) -> None:  # fmt: skip
        self.now = now
        self._procedure, self._settings, self._emit = procedure, settings, emit
        self._sender = udptl.Sender(
            settings.error_correction, redundancy=settings.redundancy, span=settings.fec_span,
            entries=settings.fec_entries, max_datagram=settings.max_datagram,
        )  # fmt: skip
        self._receiver = udptl.Receiver(HOLD)
        self._forms = FormDetector(ifp.Form.of_version(settings.version))
        self._stream = PacketStream(local_tcf=settings.tcf == "local")
        largest = min(self._sender.longest_packet - HEADER, settings.max_buffer)
        self.signals = Signals(settings, largest=largest)
        self._schedule = Schedule(self.signals, now)
        self._batch: Batch | None = None
        self._out: list[bytes] = []
        self._out_at: list[float] = []
        self._until = now
        self._queue: deque[Heard] = deque()
        self._listener: PacketListener | None = None
        self._order = orders.Order()
        self._began = self._command_began = self._spoke = now
        self._said: ifp.Packet = NO_SIGNAL
        self._flush_at: float | None = None
        self._tones: set[str] = set()
        self._ended = False
        self._changed = True
        self._next: Duty | None = None
        self._next_order(lambda: next(procedure) if order is None else order)

    @property
    def finished(self) -> bool:
        """True once T.30 has ended and its last packet is out."""
        return self._ended and self._schedule.due is None and self._batch is None

    @property
    def deadline(self) -> float | None:
        """When `advance` has something to do, if nothing arrives before; None: the call is finished."""
        due = self._due()
        return None if due is None else due[0]

    def _due(self) -> Duty | None:
        """What is to be done next, and when; looked for again only when something has happened."""
        if self._changed:
            self._changed = False
            self._next = self._first_duty()
        return self._next

    def _first_duty(self) -> Duty | None:
        heard = self._first_to_hear()
        if self._batch is not None:
            said: Duty = self._batch.due, self._speak_on
        elif (due := self._schedule.due) is not None:
            said = due, self._speak
        elif self._ended:
            return None
        else:
            said = self._spoke + KEEP_ALIVE, self._keep_alive
        return said if heard is None or said[0] <= heard[0] else heard

    def _first_to_hear(self) -> Duty | None:
        """The first duty of what is heard."""
        first: Duty | None = None
        if self._ended:
            return first
        silence, flush, listener = self._stream.deadline, self._flush_at, self._listener
        if flush is not None:
            first = flush, self._flush
        if silence is not None and (first is None or units.seconds(silence) < first[0]):
            first = units.seconds(silence), self._silence
        if listener is not None and (first is None or units.seconds(listener.deadline) < first[0]):
            first = units.seconds(listener.deadline), self._run_out
        return first

    def advance(self, now: float) -> None:
        """Do all that is due until `now`."""
        self._until = now
        while (due := self._due()) is not None and due[0] <= now + GRAIN:
            self.now = max(self.now, due[0])
            self._changed = True
            due[1](self.now)
        self.now = max(self.now, now)

    def pull(self, now: float) -> list[bytes]:
        """The datagrams to be sent by `now`."""
        self.advance(now)
        out, self._out, self._out_at = self._out, [], []
        return out

    def pull_ahead(self, now: float, ahead: float) -> list[tuple[float, bytes]]:
        """The datagrams to be sent by `now` with their times, and where nothing that may be heard can change them
        those of up to `ahead` seconds more."""
        self.advance(now)
        if self._batch is not None and self._flush_at is None and self._stream.open is None:
            self.advance(min(now + ahead, self._batch.last))
        out = list(zip(self._out_at, self._out, strict=True))
        self._out, self._out_at = [], []
        return out

    def push_many(self, datagrams: list[bytes], times: list[float]) -> None:
        """Hear datagrams in the order of their times."""
        at = 0
        while at < len(datagrams):
            taken = self._take_plain(datagrams, times, at)
            if not taken:
                self.push(datagrams[at], times[at])
            at += taken or 1

    def _take_plain(self, datagrams: list[bytes], times: list[float], begin: int) -> int:
        """Take the data of a burst that goes on as it began; how many datagrams that are."""
        self.advance(times[begin])
        plain, expected, listener, duty = self._stream.plain, self._receiver.expected, self._listener, self._due()
        if plain is None or expected is None or listener is None or not listener.takes(raw=plain[1]):
            return 0
        end = len(times) if duty is None else bisect_left(times, duty[0], begin)
        if end - begin < 2:
            return 0
        found = unwrap(datagrams[begin:end], expected, plain[0], self._forms.form, raw=plain[1])
        if found.datagrams:
            self._receiver.skip(found.datagrams)
            last = times[begin + found.datagrams - 1]
            self.now, self._changed = max(self.now, last), True
            if plain[1]:
                self._hear(self._stream.go_on(found.octets, units.samples(times[begin]), units.samples(last)))
            elif found.ends:
                ended = units.samples(times[begin + found.within[-1]])
                listener.hear_frames(ended, self._stream.frames(found.octets, found.ends, units.samples(last)))
            else:
                self._stream.frames(found.octets, [], units.samples(last))
        return found.datagrams

    def push(self, datagram: bytes, now: float) -> None:
        """Hear a datagram; what is none of T.38 is ignored."""
        self.advance(now)
        if self._ended:
            return
        self._changed = True
        self._take(self._receiver.push(datagram))
        if not self._receiver.waiting:
            self._flush_at = None
        elif self._flush_at is None:
            self._flush_at = self.now + PATIENCE
        self.advance(now)

    # What is heard

    def _flush(self, now: float) -> None:
        self._flush_at = None
        self._take(self._receiver.flush())

    def _take(self, packets: list[udptl.Arrived | udptl.Lost]) -> None:
        at = units.samples(self.now)
        for item in packets:
            if isinstance(item, udptl.Lost):
                self._hear(self._stream.lost(at))
                continue
            try:
                packet = self._forms.decode(item.octets)
            except FrameError:
                continue
            if isinstance(packet, Indicator) and packet.kind in _TONES:
                self._tone(_TONES[packet.kind])
            elif isinstance(packet, Indicator) and packet.kind in TRAINED and self._listener is not None:
                self._listener.signal_is_near(at)
            self._hear(self._stream.push(packet, at))

    def _tone(self, tone: str) -> None:
        """For information only: peers report tones that nobody heard."""
        if tone not in self._tones:
            self._tones.add(tone)
            self._emit(ToneHeard(self.line_time, tone))

    def _silence(self, now: float) -> None:
        self._hear(self._stream.silence(units.samples(now)))

    def _hear(self, items: list[Heard]) -> None:
        if len(self._queue) < MOST_EARLY:
            self._queue.extend(items)
        self._listen_on()

    def _listen_on(self) -> None:
        """Let the Order that listens have what is there, until a Report ends it."""
        while self._queue and self._listener is not None:
            heard = self._queue.popleft()
            if not heard.fast and isinstance(heard.item, SignalBegins):
                self._schedule.end_tone(self.now)
            report = self._listener.take(heard)
            if report is not None:
                self._report(report)

    def _run_out(self, now: float) -> None:
        assert self._listener is not None
        self._report(self._listener.run_out(units.samples(now)))

    # What is said

    def _speak(self, now: float) -> None:
        try:
            step = self._schedule.pop()
        except DocumentError as error:
            self.interrupt(error)
            return
        match step:
            case Burst():
                self._batch = Batch(step, self._sender)
                self._speak_on(now)
            case Emission(packet=packet):
                if packet is not None:
                    self._send(packet)
            case _:
                self._all_said(step.at)

    def _speak_on(self, now: float) -> None:
        """Send of a burst what is due, no farther than what else is due."""
        assert self._batch is not None
        heard = self._first_to_hear()
        until = self._until if heard is None else min(self._until, heard[0])
        datagrams, times = self._batch.take(until + GRAIN)
        self._out += datagrams
        self._out_at += times
        self.now = self._spoke = max(now, times[-1])
        self.signals.fraction = self._batch.fraction
        if self._batch.done:
            self._close_batch()

    def _close_batch(self) -> None:
        if self._batch is not None:
            self._batch.close()
            self._batch = None

    def _send(self, packet: ifp.Packet) -> None:
        if self._settings.version == 1 and self._forms.settled:
            self.signals.form = self._forms.form  # nobody agrees which form version 1 has: the partner's
        if packet != self._said and isinstance(packet, Indicator) and packet.kind in _COMMANDS:
            self._command_began = self.now
        self._said, self._spoke = packet, self.now
        self._out.append(self._sender.datagram(ifp.encode(packet, self.signals.form)))
        self._out_at.append(self.now)

    def _keep_alive(self, now: float) -> None:
        self._send(NO_SIGNAL)

    def _all_said(self, at: float) -> None:
        if self._order.listen is None:
            self._report(orders.Sent(self._began, at))
        else:
            self._listen()

    def _listen(self) -> None:
        """Begin to listen. What began before our last command is a repeat of what led to it."""
        assert self._order.listen is not None
        self._listener = PacketListener(self._order.listen, at=units.samples(self.now))
        before = units.samples(self._command_began)
        self._queue = deque(heard for heard in self._queue if heard.began >= before)
        self._listen_on()

    # Orders and Reports

    def _report(self, report: orders.Report) -> None:
        self._next_order(lambda: self._procedure.send(report), report)

    def interrupt(self, error: BaseException) -> None:
        """Throw an exception into the procedure: what is being said is cut, the procedure says what follows."""
        if self._ended:
            return
        self._changed = True
        self._close_batch()
        self._schedule.cut(self.now)
        self._next_order(lambda: self._procedure.throw(error))

    def drop(self) -> None:
        """The line is gone: nothing is said any more."""
        self.interrupt(orders.LineDropped())
        self._schedule.clear()
        self._changed = True

    @property
    def line_time(self) -> float:
        """Seconds since the call began, in whole samples as all times that are told."""
        return units.seconds(units.samples(self.now))

    @property
    def fraction(self) -> float | None:
        """How much of the page that is on the line was sent; None where there is none."""
        return self.signals.fraction

    def wait_for_pages(self) -> None:
        """Virtual time: a page that is not drawn yet is waited for."""
        self.signals.wait_for_pages = True

    def _next_order(self, step: Callable[[], orders.Order], report: orders.Report | None = None) -> None:
        """Get the next Order, and begin it; one that only goes on listening after `report` keeps its listener."""
        self._schedule.end_tone(self.now)
        listener, self._listener = self._listener, None
        try:
            self._order = step()
        except StopIteration:
            self._ended = True
            return
        if listener is not None and report is not None and listener.continues(self._order, report):
            self._listener = listener
            return
        self._began = self.now
        try:
            self._schedule.add(self._order, self.now)
        except DocumentError as error:
            self.interrupt(error)
            return
        if self._order.listen is not None and (self._schedule.endless or not self._order.transmit):
            self._listen()
