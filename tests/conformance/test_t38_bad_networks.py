"""Seeded T.38 calls over bad networks, with three earlier packets in each datagram: nearly all succeed, and none that
does is damaged."""

from __future__ import annotations

import pytest

import faxcore
from tests.support_calls import small_document, small_page

NETWORKS = (
    {"loss": 0.1},
    {"loss": 0.05, "burst": 3},
    {"jitter": 0.1, "reorder": 0.1, "duplicate": 0.02},
    {"loss": 0.05, "jitter": 0.1, "delay": 0.3, "reorder": 0.05},
)


def succeeds(seed: int, *, ecm: bool) -> bool:
    """Whether a call succeeds; AssertionError where it says so and the pages are not those that were sent."""
    options, carrier = faxcore.Options(ecm=ecm), faxcore.T38(redundancy=3, version=seed % 4)
    sender = faxcore.FaxCall.send(small_document(2), options=options, carrier=carrier)
    receiver = faxcore.FaxCall.receive(options=options, carrier=carrier)
    network = faxcore.Network(seed=seed, **NETWORKS[seed % len(NETWORKS)])  # type: ignore[arg-type]
    outcome = faxcore.simulate(sender, receiver, line=network, limit=900)
    if not outcome.sender.success:
        return False
    assert outcome.receiver.success
    if ecm or not outcome.receiver.bad_rows:
        assert list(receiver.document.pages) == [small_page(0), small_page(1)], f"seed {seed}: damaged"
    return ecm or not outcome.receiver.bad_rows


@pytest.mark.parametrize("first", range(0, 60, 12))
def test_calls_with_error_correction(first: int) -> None:
    assert all(succeeds(seed, ecm=True) for seed in range(first, first + 12))


def test_calls_without_error_correction() -> None:
    assert sum(succeeds(seed, ecm=False) for seed in range(1000, 1012)) >= 11


def test_lines_that_no_packet_brought_are_counted() -> None:
    """Packets lost from where one line ended to where another began: what is decoded has no fault in it. The page was
    once confirmed seven lines short; now it is asked for again."""
    assert succeeds(101, ecm=False)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
def test_a_thousand_calls(ecm: bool) -> None:
    assert sum(succeeds(seed, ecm=ecm) for seed in range(1000)) >= 990
