"""The calls of a sweep: a batch of cases in, a row of facts for each out, the same for any batch and worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from faxcore import kernels
from faxcore.call import FaxCall
from faxcore.document import ReceivedDocument
from faxcore.events import Event, FramesAskedFor, Retrain
from faxcore.simulation import Outcome, simulate, simulate_many
from faxcore.sweep.documents import Drawn
from faxcore.sweep.plan import Case, Plan

Row = dict[str, Any]
"""A call's facts by column: text, whole numbers, numbers, truth values."""

IDENTITIES = ("+15551230001", "+15551230002")


def run_batch(plan: Plan, documents: Drawn, indices: Iterable[int]) -> list[Row]:
    """The rows of some cases of a plan."""
    cases = [plan.case(index) for index in indices]
    ends = [_ends(case, documents) for case in cases]
    calls = [(*both, case.way()) for both, case in zip(ends, cases, strict=True)]
    rows = {number: _row(cases[number], outcome, *ends[number]) for number, outcome in simulate_many(calls)}
    return [rows[number] for number in range(len(cases))]


def replay(plan: Plan, documents: Drawn, index: int, watch: Callable[[FaxCall, FaxCall], None]) -> Outcome:
    """Run one case alone; `watch(sender, receiver)` sees both ends after every step and takes their events."""
    sender, receiver, case = *_ends(plan.case(index), documents), plan.case(index)
    outcome = simulate(sender, receiver, line=case.way(), progress=lambda _: watch(sender, receiver))
    watch(sender, receiver)
    return outcome


def _ends(case: Case, documents: Drawn) -> tuple[FaxCall, FaxCall]:
    options, carrier = case.options(), case.carrier()
    document = ReceivedDocument(case.document, documents[case.document, options.resolution])
    sender = FaxCall.send(document, identity=IDENTITIES[0], options=options, carrier=carrier)
    return sender, FaxCall.receive(identity=IDENTITIES[1], options=options, carrier=carrier)


def _row(case: Case, outcome: Outcome, sender: FaxCall, receiver: FaxCall) -> Row:
    """`damaged`: a page that was confirmed differs from what was sent; settings are columns of their own."""
    ours, theirs = outcome.sender, outcome.receiver
    events: list[Event] = list(sender.events())
    return {
        "case": case.index,
        "document": case.document,
        "packets": case.packets,
        "line": case.line.label,
        "offer": case.offer.label,
        "seed": case.seed,
        "success": ours.success,
        "code": int(ours.code),
        "text": ours.text,
        "note": ours.note,
        "pages": ours.pages,
        "pages_received": len(receiver.document.pages),
        "receiver_code": int(theirs.code),
        "damaged": _damaged(sender, receiver),
        "modulation": ours.modulation,
        "bit_rate": ours.bit_rate,
        "coding": ours.coding,
        "ecm": ours.ecm,
        "retrains": sum(isinstance(event, Retrain) for event in events),
        "frames_again": sum(event.frames for event in events if isinstance(event, FramesAskedFor)),
        "bad_rows": theirs.bad_rows,
        "snr_db": round(theirs.quality.snr_db, 2) if theirs.quality else None,
        "line_time": round(outcome.line_time, 6),
        "cpu_level": kernels.cpu_level(),
        **dict(_words(case)),
    }


def _words(case: Case) -> Iterator[tuple[str, Any]]:
    """The case's settings as columns of their own, to be filtered by."""
    for prefix, words in (("line", case.line.words), ("offer", case.offer.words)):
        for name, value in words.items():
            for key, item in value.items() if isinstance(value, dict) else [("", value)]:
                column = "_".join(filter(None, (prefix, name, key)))
                yield column, "+".join(item) if isinstance(item, list) else item


def _damaged(sender: FaxCall, receiver: FaxCall) -> bool:
    """A confirmed page that is not what was sent; without error correction that is allowed, with it never."""
    sent, received = sender.document, receiver.document
    assert isinstance(sent, ReceivedDocument)
    assert isinstance(received, ReceivedDocument)
    confirmed = sender.result.pages if sender.result else 0
    if confirmed > len(received.pages):
        return True
    return any(not _same(sent, received, number) for number in range(confirmed))


def _same(sent: ReceivedDocument, received: ReceivedDocument, number: int) -> bool:
    if sent.coded[number] == received.coded[number]:
        return True
    page = received.pages[number]
    return sent.request(number, page.resolution).page() == page
