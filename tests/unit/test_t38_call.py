"""Calls over T.38, both ends ours: what they bring, when they speak, and what a user may do with them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import faxcore
from faxcore.events import Finished, PageReceived, PageSent
from faxcore.result import ResultCode
from faxcore.simulation import Outcome, replay
from faxcore.t38 import ifp, udptl
from faxcore.t38.ifp import Data, Form, Indicator, IndicatorKind
from tests.support_calls import small_document, small_page


def pair(pages: int = 1, options: dict[str, Any] | None = None, **t38: Any) -> tuple[faxcore.FaxCall, faxcore.FaxCall]:
    chosen, carrier = faxcore.Options(**options or {}), faxcore.T38(**t38)
    sender = faxcore.FaxCall.send(small_document(pages), identity="+15551230001", options=chosen, carrier=carrier)
    return sender, faxcore.FaxCall.receive(identity="+15551230002", options=chosen, carrier=carrier)


def run(sender: faxcore.FaxCall, receiver: faxcore.FaxCall, network: faxcore.Network | None = None) -> Outcome:
    outcome = faxcore.simulate(sender, receiver, line=network, limit=600)
    assert outcome.sender.success, outcome.sender.note
    assert outcome.receiver.success, outcome.receiver.note
    assert list(receiver.document.pages) == [small_page(n) for n in range(len(sender.document.pages))]
    return outcome


@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_versions(version: int) -> None:
    outcome = run(*pair(2, version=version))
    assert (outcome.sender.pages, outcome.sender.ecm, outcome.sender.coding) == (2, True, "mmr")
    assert outcome.sender.remote_identity == "+15551230002"


@pytest.mark.parametrize("modulation", ["v17", "v29", "v27ter"])
@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
def test_modulations(modulation: str, ecm: bool) -> None:
    outcome = run(*pair(1, {"modulations": (modulation,), "ecm": ecm}))
    assert outcome.receiver.modulation == modulation


@pytest.mark.parametrize("coding", ["mh", "mr"])
@pytest.mark.parametrize("tcf", ["transferred", "local"])
@pytest.mark.parametrize("fill_removal", [False, True], ids=["fill", "no-fill"])
def test_pages_without_error_correction(coding: str, tcf: str, fill_removal: bool) -> None:
    options = {"codings": (coding,), "ecm": False}
    run(*pair(2, options, tcf=tcf, fill_removal=fill_removal))


@pytest.mark.parametrize("correction", ["redundancy", "fec", "none"])
@pytest.mark.parametrize("max_datagram", [58, 150, 400])
def test_the_far_ends_largest_datagram_is_kept(correction: str, max_datagram: int) -> None:
    sender, receiver = pair(1, error_correction=correction, max_datagram=max_datagram)
    longest = [0]

    def see(_: float, datagram: bytes) -> None:
        longest[0] = max(longest[0], len(datagram))

    watch(sender, see)
    watch(receiver, see)
    run(sender, receiver)
    assert longest[0] <= max_datagram


def watch(call: faxcore.FaxCall, see: Any) -> None:
    """Have `see(now, datagram)` called for all that a call says."""
    pull = call.pull_ahead

    def pulled(now: float, ahead: float) -> list[tuple[float, bytes]]:
        datagrams = pull(now, ahead)
        for at, datagram in datagrams:
            see(at, datagram)
        return datagrams

    call.pull_ahead = pulled  # type: ignore[method-assign]


def said_by(call: faxcore.FaxCall, form: Form) -> list[tuple[float, ifp.Packet]]:
    """A list that fills with the packets that a call sends, and when."""
    said: list[tuple[float, ifp.Packet]] = []
    watch(call, lambda now, datagram: said.append((now, ifp.decode(udptl.decode(datagram).primary, form))))
    return said


def test_a_sender_speaks_at_the_speed_of_the_line() -> None:
    """Indicators thrice, preamble and training as long as a modem's, 14400 bit/s of data in chunks of 30 ms."""
    sender, receiver = pair(1, {"ecm": False, "codings": ("mh",)})
    said = said_by(sender, Form.V1998)
    run(sender, receiver)
    kinds = [packet.kind for _, packet in said if isinstance(packet, Indicator)]
    assert kinds[:3] == [IndicatorKind.CNG] * 3
    first = {packet.kind: now for now, packet in reversed(said) if isinstance(packet, Indicator)}
    data = [(now, packet) for now, packet in said if isinstance(packet, Data)]
    for indicator, kind, seconds in (
        (IndicatorKind.V21_PREAMBLE, ifp.DataKind.V21, 1.0),
        (IndicatorKind.V17_14400_LONG_TRAINING, ifp.DataKind.V17_14400, 1.393),
    ):
        begins = min(now for now, packet in data if packet.kind is kind)
        assert begins - first[indicator] == pytest.approx(seconds)
        assert kinds.count(indicator) % 3 == 0
    octets = 0
    for now, packet in data:
        if packet.kind is ifp.DataKind.V17_14400:
            start = min(n for n, p in data if p.kind is ifp.DataKind.V17_14400)
            if now - start > 1.5:
                break
            assert octets <= (now - start) * 1800 + 1e-6
            octets += sum(len(field.octets) for field in packet.fields)
    assert octets == 2700


def test_the_far_end_may_be_as_far_as_two_seconds() -> None:
    outcome = run(*pair(1), faxcore.Network(delay=1.0))
    assert outcome.line_time < 40


LINES = [
    *(faxcore.Network(loss=0.1, seed=seed) for seed in range(6)),
    *(faxcore.Network(loss=0.05, burst=3, seed=seed) for seed in range(6)),
    *(faxcore.Network(jitter=0.1, reorder=0.1, duplicate=0.1, delay=0.1, seed=seed) for seed in range(4)),
]


@pytest.mark.parametrize("network", LINES, ids=repr)
def test_bad_networks(network: faxcore.Network) -> None:
    run(*pair(2), network)


@pytest.mark.parametrize("start", [0.0, 100.0, 1.8e9])
def test_the_same_datagrams_however_often_the_owner_looks(start: float) -> None:
    """A caller whom nobody answers is asked at its deadlines only, or every 30 ms, or every 2 s."""
    said: list[list[bytes]] = []
    for step in (None, 0.03, 2.0):
        sender, _ = pair(1)
        heard, now = sender.pull_datagrams(start), start
        while not sender.finished:
            now = now + step if step else sender.deadline or now
            heard += sender.pull_datagrams(now)
        said.append(heard)
        assert sender.result is not None
        assert sender.result.code == ResultCode.T0_EXPIRED
    assert said[0] == said[1] == said[2]


def test_events_and_results() -> None:
    sender, receiver = pair(2)
    run(sender, receiver)
    for call, kind in ((sender, PageSent), (receiver, PageReceived)):
        events = list(call.events())
        assert [event.number for event in events if isinstance(event, kind)] == [1, 2]
        assert isinstance(events[-1], Finished)
        assert [event.at for event in events] == sorted(event.at for event in events)
        assert call.deadline is None
        assert call.pull_datagrams(1e9) == []


@pytest.mark.parametrize("who", ["sender", "receiver"])
@pytest.mark.parametrize("after", [0.0, 1.0, 4.0, 7.0, 9.0, 12.0])
def test_hang_up_ends_within_three_seconds(who: str, after: float) -> None:
    sender, receiver = pair(2)
    call = {"sender": sender, "receiver": receiver}[who]
    asked: list[float] = []
    ended: list[float] = []

    def progress(_: faxcore.FaxCall) -> None:
        if call.line_time >= after and not asked:
            asked.append(call.line_time)
            call.hang_up()
        if call.finished and not ended:
            ended.append(call.line_time)

    faxcore.simulate(sender, receiver, progress=progress)
    assert ended[0] - asked[0] <= 3.0
    assert call.result is not None
    assert call.result.code == ResultCode.RETRYDCN


@pytest.mark.parametrize("after", [0.0, 2.0, 6.0, 9.0, 11.0])
def test_a_dropped_line_ends_the_call_at_once(after: float) -> None:
    sender, receiver = pair(2)

    def progress(_: faxcore.FaxCall) -> None:
        if sender.line_time >= after and not sender.finished:
            for end in (sender, receiver):
                end.line_dropped()
                assert end.finished
                assert end.pull_datagrams(end.line_time) == []

    outcome = faxcore.simulate(sender, receiver, progress=progress)
    assert (outcome.sender.code, outcome.receiver.code) == (ResultCode.CALLDROPPED,) * 2


def test_what_does_not_fit() -> None:
    sender, receiver = pair()
    audio = faxcore.FaxCall.receive()
    with pytest.raises(faxcore.CallError, match="datagrams"):
        sender.push_missing(160)
    with pytest.raises(faxcore.CallError, match="samples"):
        audio.pull_datagrams(0.0)
    with pytest.raises(TypeError, match="bytes"):
        sender.push_datagram("text", 0.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="now"):
        sender.advance(float("nan"))
    with pytest.raises(ValueError, match="Network"):
        faxcore.simulate(sender, audio)
    with pytest.raises(ValueError, match="Network"):
        faxcore.simulate(sender, receiver, line=faxcore.Line())
    with pytest.raises(ValueError, match="carrier"):
        faxcore.FaxCall.receive(carrier="t38")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("version", 5), ("tcf", "remote"), ("error_correction", "parity"), ("redundancy", 16), ("redundancy", -1),
        ("max_datagram", 10), ("chunk", 1.0), ("repeats", 0), ("fec_span", 6),
    ],
)  # fmt: skip
def test_settings_are_checked_by_name(setting: str, value: object) -> None:
    with pytest.raises(ValueError, match=setting):
        dataclasses.replace(faxcore.T38(), **{setting: value})


@pytest.mark.parametrize(
    ("setting", "value"), [("loss", 1.5), ("delay", -1), ("jitter", "x"), ("burst", 0), ("seed", -1), ("seed", 0.5)]
)
def test_networks_are_checked_by_name(setting: str, value: object) -> None:
    with pytest.raises(ValueError, match=setting):
        dataclasses.replace(faxcore.Network(), **{setting: value})


@pytest.mark.parametrize("burst", [1, 3])
def test_a_network_loses_what_it_says(burst: int) -> None:
    path = faxcore.Network(loss=0.1, burst=burst, seed=1).direction(0)
    lost = [not path.carry(float(n)) for n in range(20000)]
    assert sum(lost) / len(lost) == pytest.approx(0.1, abs=0.01)
    runs = "".join("x" if gone else " " for gone in lost).split()
    assert min(map(len, runs)) == burst


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("version", [0, 3])
def test_two_internet_aware_ends_lose_no_time(ecm: bool, version: int) -> None:
    """Four pages in the time that DIS and CED take; no training check, and nothing that far ends take amiss."""
    paced = run(*pair(4, {"ecm": ecm}, version=version))
    sender, receiver = pair(4, {"ecm": ecm}, version=version, internet_aware=True)
    said = said_by(sender, Form.of_version(version))
    fast = run(sender, receiver)
    assert fast.line_time < 8 < 20 < paced.line_time
    assert fast.receiver.bit_rate == 14400
    trained = [packet for _, packet in said if isinstance(packet, Indicator) and packet.kind.name.endswith("TRAINING")]
    assert len(trained) == 4


@pytest.mark.parametrize("aware", [0, 1], ids=["sender", "receiver"])
def test_one_aware_end_changes_nothing(aware: int) -> None:
    plain, ends = run(*pair(1)), (pair(1), pair(1, internet_aware=True))
    mixed = run(ends[aware == 0][0], ends[aware == 1][1])
    assert mixed.line_time == pytest.approx(plain.line_time, abs=0.5)


@pytest.mark.parametrize("network", LINES, ids=repr)
def test_aware_ends_on_bad_networks(network: faxcore.Network) -> None:
    run(*pair(2, internet_aware=True), network)


def test_a_capture_is_replayed_into_a_receiver() -> None:
    """What a sender said, at its times, is the same fax for a receiver that is alone with it."""
    sender, receiver = pair(2)
    said: list[tuple[float, bytes]] = []
    faxcore.simulate(
        sender, receiver, capture=lambda at, end, datagram: None if end else said.append((at, datagram))
    )
    _, alone = pair(2)
    assert replay(alone, said).success
    assert list(alone.document.pages) == list(receiver.document.pages)
    _, bereft = pair(2)
    assert not replay(bereft, said[: len(said) // 2]).success


@pytest.mark.parametrize("carrier", [{}, {"internet_aware": True}, {"error_correction": "fec"}], ids=str)
@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
def test_bursts_ahead_are_the_same_datagrams(ecm: bool, carrier: dict[str, Any]) -> None:
    """One by one at their times, or seconds of a burst at once: both ends say the same."""
    one_by_one: list[list[bytes]] = [[], []]
    faxcore.simulate(
        *pair(2, {"ecm": ecm}, **carrier), capture=lambda _, end, datagram: one_by_one[end].append(datagram)
    )
    ends, ahead = pair(2, {"ecm": ecm}, **carrier), ([], [])
    for end, call in enumerate(ends):
        watch(call, lambda _, datagram, end=end: ahead[end].append(datagram))
    faxcore.simulate(*ends)
    assert [len(said) for said in one_by_one] == [len(said) for said in ahead]
    assert one_by_one == list(ahead)


class SlowDocument:
    """A document whose pages take their time: ready when they were asked for so often."""

    def __init__(self, patience: int) -> None:
        self._document, self._patience = small_document(2), patience
        self.pages, self.name = self._document.pages, "slow"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._document, name)

    def request(self, *words: Any, **more: Any) -> Any:
        request, asked = self._document.request(*words, **more), [0]
        patience = self._patience

        class Waiting:
            def ready(self) -> bool:
                asked[0] += 1
                return asked[0] > patience

            def page(self) -> Any:
                return request.page()

        return Waiting()


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize(("patience", "comes"), [(60, True), (10_000, False)])
def test_a_page_that_is_not_drawn_yet(ecm: bool, patience: int, comes: bool) -> None:
    """Silence, or FILL, bridges its time, no longer than the far end bears it."""
    options, carrier = faxcore.Options(ecm=ecm), faxcore.T38()
    sender = faxcore.FaxCall.send(SlowDocument(patience), options=options, carrier=carrier)  # type: ignore[arg-type]
    receiver = faxcore.FaxCall.receive(options=options, carrier=carrier)
    sender.wait_for_pages = lambda: None  # type: ignore[method-assign]
    outcome = faxcore.simulate(sender, receiver)
    assert outcome.sender.success == comes
    if comes:
        assert list(receiver.document.pages) == [small_page(0), small_page(1)]
    else:
        assert outcome.sender.code == ResultCode.BADTIFFHDR


def relayed(change: Any, **t38: Any) -> tuple[faxcore.FaxCall, faxcore.FaxCall]:
    """A call whose datagrams pass through `change(now, end, datagram)`, which gives those that come out."""
    ends = pair(2, **t38)
    now = 0.0
    for end in ends:
        end.wait_for_pages()
    while not all(end.finished for end in ends):
        for number, end in enumerate(ends):
            for datagram in end.pull_datagrams(now):
                for out in change(now, number, datagram):
                    ends[1 - number].push_datagram(out, now)
        due = [end.deadline for end in ends if end.deadline is not None]
        now = max(now, min(due, default=now))
        assert now < 200, "the call does not end"
    return ends


class Renumbered:
    """Numbers as `number(now, n)` gives them, for the n-th datagram of an end."""

    def __init__(self, number: Any, again: Any = lambda packet: False) -> None:
        self._number, self._again, self._sent = number, again, [0, 0]

    def __call__(self, now: float, end: int, datagram: bytes) -> list[bytes]:
        apart = udptl.decode(datagram)
        out = []
        for _ in range(3 if self._again(ifp.decode(apart.primary, Form.V1998)) else 1):
            out.append(udptl.encode(apart._replace(sequence=self._number(now, self._sent[end]) & 0xFFFF)))
            self._sent[end] += 1
        return out


def is_key(packet: ifp.Packet) -> bool:
    return isinstance(packet, Indicator) or not packet.fields[0].octets or len(packet.fields) > 1


@pytest.mark.parametrize(
    ("number", "again"),
    [
        pytest.param(lambda now, n: n + 40000, None, id="any-first-number"),
        pytest.param(lambda now, n: n + 0xFFF0, None, id="wraps"),
        pytest.param(lambda now, n: n + 0xFFC0 + (n > 63), None, id="wraps-without-0"),
        pytest.param(lambda now, n: n if now < 6 else n + 20000, None, id="jumps"),
        pytest.param(lambda now, n: n, is_key, id="key-packets-thrice"),
    ],
)
def test_odd_numbers(number: Any, again: Any) -> None:
    """What makers do with numbers and repeats; the pages come in whole."""
    settings = {"redundancy": 0} if again else {}
    change = Renumbered(number, again or (lambda packet: False))
    for end in (ends := relayed(change, **settings)):
        assert end.result is not None
        assert end.result.success, end.result.note
    assert list(ends[1].document.pages) == [small_page(0), small_page(1)]


def test_numbers_that_begin_anew() -> None:
    """As after a re-INVITE: in the midst of a page the sender counts from 0 again."""
    begun: list[int] = []

    def number(now: float, n: int) -> int:
        if now > 9.5 and not begun:
            begun.append(n)
        return n - begun[0] if begun and n >= begun[0] else n

    class Anew(Renumbered):
        def __call__(self, now: float, end: int, datagram: bytes) -> list[bytes]:
            return [datagram] if end else super().__call__(now, end, datagram)

    ends = relayed(Anew(number), redundancy=0)
    assert begun
    assert all(end.result is not None and end.result.success for end in ends)
    assert list(ends[1].document.pages) == [small_page(0), small_page(1)]


def test_strays_do_no_harm() -> None:
    """RTP, empty packets and noise between the datagrams."""
    strays = (b"", b"\x80\x08" + bytes(170), b"\x00\x01\x00\x00\x00", bytes(range(60)), b"\xff" * 400)

    def change(now: float, end: int, datagram: bytes) -> list[bytes]:
        return [*strays, datagram, *strays]

    assert all(end.result is not None and end.result.success for end in relayed(change))
