"""Whole T.38 calls with SpanDSP's terminal, in both directions: what one sends the other must store to the pel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import faxcore
from faxcore.t38 import udptl
from tests.interop import spandsp
from tests.interop.spandsp_t38 import T38Terminal, converse

pytestmark = pytest.mark.peer("spandsp")

OURS, THEIRS = "+15551230001", "+1 555 999 0002"
Pages = list[npt.NDArray[np.bool_]]


@pytest.fixture
def pages(pages: Pages) -> Pages:
    return pages[1:]


@pytest.fixture
def sent(tmp_path: Path, pages: Pages) -> Path:
    return spandsp.write_tiff(tmp_path / "sent.tif", pages)


@pytest.fixture
def received(tmp_path: Path) -> Path:
    return tmp_path / "received.tif"


def we_send(
    sent: Path, received: Path, options: dict[str, Any], carrier: dict[str, Any],
    network: faxcore.Network | None = None, **settings: Any,
) -> tuple[faxcore.FaxCall, Pages]:  # fmt: skip
    """Our sender to their receiver: our call, and the pages that they stored."""
    call = faxcore.FaxCall.send(
        faxcore.open_document(sent), identity=OURS, options=faxcore.Options(**options), carrier=faxcore.T38(**carrier)
    )
    call.wait_for_pages()
    theirs = udptl_sender(carrier)
    with T38Terminal(calling=False, rx_tiff=received, identity=THEIRS, sender=theirs, **settings) as peer:
        converse(call, peer, network=network)
        assert_both(call, peer)
    return call, spandsp.read_tiff(received)


def they_send(
    sent: Path, received: Path, options: dict[str, Any], carrier: dict[str, Any],
    network: faxcore.Network | None = None, **settings: Any,
) -> tuple[faxcore.FaxCall, Pages]:  # fmt: skip
    """Their sender to our receiver: our call, and the pages that we stored."""
    call = faxcore.FaxCall.receive(identity=OURS, options=faxcore.Options(**options), carrier=faxcore.T38(**carrier))
    with T38Terminal(calling=True, tx_tiff=sent, identity=THEIRS, sender=udptl_sender(carrier), **settings) as peer:
        converse(peer, call, network=network)
        assert_both(call, peer)
    return call, [page.pels() for page in call.document.pages]


Way = Callable[..., tuple[faxcore.FaxCall, Pages]]
both_ways = pytest.mark.parametrize("way", [we_send, they_send])


def udptl_sender(carrier: dict[str, Any]) -> udptl.Sender:
    """SpanDSP has no UDPTL: its packets go out as ours do."""
    settings = faxcore.T38(**carrier)
    return udptl.Sender(settings.error_correction, redundancy=settings.redundancy)


def assert_both(call: faxcore.FaxCall, peer: T38Terminal) -> None:
    assert call.result is not None
    assert call.result.success, f"{call.result.code!r} {call.result.note}"
    assert peer.code == 0, "\n".join(peer.log[-20:])
    assert (call.result.remote_identity, peer.stats.remote_identity) == (THEIRS, OURS)


def assert_same(got: Pages, pages: Pages) -> None:
    assert len(got) == len(pages)
    for mine, page in zip(got, pages, strict=True):
        np.testing.assert_array_equal(mine, page)


@both_ways
@pytest.mark.parametrize("version", [0, 1, 2, 3])
@pytest.mark.parametrize("tcf", ["transferred", "local"])
@pytest.mark.parametrize("ecm", [False, True], ids=["plain", "ecm"])
def test_versions_and_training_checks(
    way: Way, sent: Path, received: Path, pages: Pages, version: int, tcf: str, ecm: bool
) -> None:
    call, got = way(sent, received, {"ecm": ecm}, {"version": version, "tcf": tcf}, version=version, tcf=tcf, ecm=ecm)
    assert_same(got, pages)
    assert call.result is not None
    assert call.result.ecm is ecm


@both_ways
@pytest.mark.parametrize("coding", ["mh", "mr", "mmr"])
@pytest.mark.parametrize("fill_removal", [False, True], ids=["fill", "no-fill"])
def test_codings(way: Way, sent: Path, received: Path, pages: Pages, coding: str, fill_removal: bool) -> None:
    """Fill is there to be removed: their receiver asks for 20 ms a line."""
    options = {"codings": (coding,) if coding in ("mh", "mmr") else (coding, "mh"), "ecm": coding == "mmr"}
    settings: dict[str, Any] = {"minimum_scan_ms": 20} if way is we_send else {"codings": ("mh", coding)}
    settings |= {"ecm": coding == "mmr", "fill_removal": fill_removal}
    call, got = way(sent, received, options, {"fill_removal": fill_removal}, **settings)
    assert_same(got, pages)
    assert call.result is not None
    assert call.result.coding == coding


RATES = [
    *(("v17", rate) for rate in (14400, 12000, 9600, 7200)), ("v29", 9600), ("v29", 7200),
    ("v27ter", 4800), ("v27ter", 2400),
]  # fmt: skip


@both_ways
@pytest.mark.parametrize(("modulation", "rate"), RATES)
@pytest.mark.parametrize("ecm", [False, True], ids=["plain", "ecm"])
def test_rates(
    way: Way, sent: Path, received: Path, pages: Pages, modulation: str, rate: int, ecm: bool
) -> None:
    call, got = way(sent, received, {"modulations": (modulation,), "max_rate": rate, "ecm": ecm}, {}, ecm=ecm)
    assert_same(got, pages)
    assert call.result is not None
    assert (call.result.modulation, call.result.bit_rate) == (modulation, rate)


@both_ways
@pytest.mark.parametrize(
    "carrier",
    [
        *({"redundancy": depth} for depth in range(4)), {"error_correction": "fec"}, {"error_correction": "none"},
        {"max_datagram": 58}, {"chunk": 0.06}, {"chunk": 0.01}, {"internet_aware": True},
    ],
    ids=str,
)  # fmt: skip
def test_error_correction(way: Way, sent: Path, received: Path, pages: Pages, carrier: dict[str, Any]) -> None:
    network = faxcore.Network(jitter=0.02, seed=1)
    if carrier.get("redundancy") == 3 or "error_correction" in carrier:
        network = faxcore.Network(loss=0.02 if carrier.get("error_correction") != "none" else 0.0, delay=0.1, seed=5)
    call, got = way(sent, received, {}, carrier, network, ecm=True)
    assert_same(got, pages)
    assert call.result is not None
    assert call.result.ecm


def test_a_sender_that_does_not_pace(sent: Path, received: Path, pages: Pages) -> None:
    """As over TCP: everything of a signal at once, and no waiting for modems."""
    _, got = they_send(sent, received, {}, {}, ecm=True, no_pacing=True)
    assert_same(got, pages)
