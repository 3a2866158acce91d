"""Drop-outs of 10 ms to 3 s in long pages: error correction brings every line; without it lines are lost, no more."""

from __future__ import annotations

import numpy as np
import pytest

import faxcore
from faxcore.document import ReceivedDocument
from faxcore.events import BurstReceived, FramesAskedFor
from faxcore.page import Page
from tests.bad_lines import Muted
from tests.support_calls import small_page

KINDS = [("v27ter", 4800), ("v29", 9600), ("v17", 14400)]
GAPS = (0.01, 0.05, 0.15, 0.3, 0.5, 1.0, 3.0)


def dense_page(rows: int, seed: int = 1) -> Page:
    """A page that no coding makes small."""
    pels = np.random.default_rng(seed).random((rows, 1728)) < 0.2
    return Page.from_pels(pels, small_page(0).resolution)


def call(
    page: Page, spans: tuple[tuple[float, float], ...], **options: object
) -> tuple[faxcore.simulation.Outcome, faxcore.FaxCall, faxcore.FaxCall]:
    document = ReceivedDocument()
    document.append(page)
    chosen = faxcore.Options(**options)  # type: ignore[arg-type]
    sender, receiver = faxcore.FaxCall.send(document, options=chosen), faxcore.FaxCall.receive(options=chosen)
    line = Muted(faxcore.Line(law="mu", noise_dbm0=-50, seed=5), spans)
    return faxcore.simulate(sender, receiver, line=line), sender, receiver  # type: ignore[arg-type]


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize(("name", "rate"), KINDS)
def test_error_correction_asks_for_what_fell_out_and_no_more(name: str, rate: int, gap: float) -> None:
    page = dense_page(150)
    outcome, sender, receiver = call(page, ((20.0, gap),), modulations=(name,), max_rate=rate, min_rate=rate)
    assert outcome.sender.success, outcome.sender.note
    assert outcome.receiver.success
    assert list(receiver.document.pages) == [page]
    asked = [event.frames for event in sender.events() if isinstance(event, FramesAskedFor)]
    assert len(asked) == 1
    settling = 1.5 if gap > 1 else 0.0  # V.17's points are close: the carrier's phase is found again by and by
    assert asked[0] <= 3 + (1.2 * gap + settling) * rate / 8 / 256


def test_many_drop_outs_in_one_page() -> None:
    page = dense_page(250)
    spans = tuple((16.0 + 3.7 * i, (0.01, 0.06, 0.2, 0.5)[i % 4]) for i in range(30))
    outcome, _, receiver = call(page, spans)
    assert outcome.sender.success, outcome.sender.note
    assert list(receiver.document.pages) == [page]


@pytest.mark.parametrize("begin", [12.2, 12.7, 13.5])
def test_a_drop_out_over_the_training_of_a_page(begin: float) -> None:
    """The burst is not decoded at all: T2 waits until it is over, and all of it is asked for."""
    page = dense_page(150)
    outcome, _, receiver = call(page, ((begin, 1.5),), modulations=("v29",), max_rate=9600)
    assert outcome.sender.success, outcome.sender.note
    assert list(receiver.document.pages) == [page]


@pytest.mark.parametrize("gap", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("coding", ["mh", "mr"])
def test_without_error_correction_lines_are_lost_and_the_page_goes_on(coding: str, gap: float) -> None:
    rows = 400
    page = dense_page(rows)
    outcome, _, receiver = call(page, ((20.0, gap),), ecm=False, codings=(coding,), modulations=("v29",))
    assert outcome.sender.success, outcome.sender.note
    (got,) = receiver.document.pages
    bursts = [event for event in receiver.events() if isinstance(event, BurstReceived)]
    assert len(bursts) == 2
    lost_bits = gap * 9600 + 800
    assert rows - 2 - lost_bits / 900 - 8 <= got.height <= rows + 2
    # The lines before and after what was lost are those that were sent.
    mine, theirs = got.pels(), page.pels()
    assert (mine[:35] == theirs[:35]).all()
    assert (mine[-40:] == theirs[-40:]).all()


def test_a_page_that_lost_much_is_refused() -> None:
    """A fifth of it: lines that are not there count as bad ones, the page comes again."""
    page = dense_page(60)
    outcome, _, receiver = call(page, ((12.5, 3.3),), ecm=False, codings=("mh",), modulations=("v29",))
    assert outcome.sender.success, outcome.sender.note
    assert outcome.sender.attempts
    assert list(receiver.document.pages) == [page]
