"""Gateways and SpanDSP: its gateway between our terminal and its modem, ours between its terminal and its modem, and
one of each between two of its modems. What one end sends the other stores to the pel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import faxcore
from tests.gateway_support import Link, Wire, run
from tests.interop import spandsp
from tests.interop.spandsp import FaxTerminal
from tests.interop.spandsp_gateway import OnTheLine, SpanGateway
from tests.interop.spandsp_t38 import T38Terminal

pytestmark = pytest.mark.peer("spandsp")

Pages = list[npt.NDArray[np.bool_]]
ALL = ("v17", "v29", "v27ter")
MODEMS = [ALL, ("v29", "v27ter"), ("v27ter",)]


@pytest.fixture
def pages(pages: Pages) -> Pages:
    return [pages[2], pages[1][:120]]


@pytest.fixture
def sent(tmp_path: Path, pages: Pages) -> Path:
    return spandsp.write_tiff(tmp_path / "sent.tif", pages)


@pytest.fixture
def received(tmp_path: Path) -> Path:
    return tmp_path / "received.tif"


def options(modems: tuple[str, ...], ecm: bool) -> faxcore.Options:
    return faxcore.Options(modulations=modems, ecm=ecm, codings=("mmr", "mr", "mh") if ecm else ("mr", "mh"))


def on_the_line(modems: tuple[str, ...], ecm: bool, **settings: Any) -> FaxTerminal:
    return FaxTerminal(modems=modems, ecm=ecm, codings=("mh", "mr", "mmr"), identity="+1 555 2", **settings)


def our_gateway(**settings: Any) -> faxcore.Gateway:
    return faxcore.Gateway(carrier=faxcore.T38(**settings))


def ended_well(peer: FaxTerminal | T38Terminal) -> None:
    assert peer.code == 0, "\n".join(peer.log[-20:])


@pytest.mark.parametrize(("modems", "version"), [(modems, 3 * (len(modems) > 2)) for modems in MODEMS], ids=str)
@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("we_send", [True, False], ids=["out", "in"])
def test_their_gateway_between_our_terminal_and_their_modem(
    we_send: bool, modems: tuple[str, ...], ecm: bool, version: int, sent: Path, received: Path, pages: Pages,
) -> None:
    chosen, carrier = options(modems, ecm), faxcore.T38(version=version)
    gateway = SpanGateway(modems=modems, version=version)
    if we_send:
        call = faxcore.FaxCall.send(faxcore.open_document(sent), options=chosen, carrier=carrier)
        call.wait_for_pages()
        peer = on_the_line(modems, ecm, calling=False, rx_tiff=received)
    else:
        call = faxcore.FaxCall.receive(options=chosen, carrier=carrier)
        peer = on_the_line(modems, ecm, calling=True, tx_tiff=sent)
    with peer:
        run([Link(call, gateway), Wire(gateway, OnTheLine(peer))], [call, OnTheLine(peer)])
        ended_well(peer)
    gateway.close()
    assert call.result.success, call.result
    assert call.result.modulation == modems[0]
    stored = spandsp.read_tiff(received) if we_send else [page.pels() for page in call.document.pages]
    same(stored, pages)


@pytest.mark.parametrize(("modems", "case"), [
    (MODEMS[0], {"version": 3}), (MODEMS[1], {"version": 0}), (MODEMS[1], {"tcf": "local"}),
    (MODEMS[1], {"fill_removal": True}),
    (MODEMS[2], {"version": 2}),
], ids=str)
@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("in_", [True, False], ids=["in", "out"])
def test_our_gateway_between_their_terminal_and_their_modem(
    in_: bool, modems: tuple[str, ...], ecm: bool, case: dict[str, Any], sent: Path, received: Path, pages: Pages,
) -> None:
    gateway = our_gateway(**case)
    settings = {"modems": modems, "ecm": ecm, "codings": ("mh", "mr", "mmr"), "minimum_scan_ms": 20, **case}
    if in_:
        peer = on_the_line(modems, ecm, calling=True, tx_tiff=sent)
        far = T38Terminal(calling=False, rx_tiff=received, identity="+1 555 3", **settings)
    else:
        peer = on_the_line(modems, ecm, calling=False, rx_tiff=received, minimum_scan_ms=20)
        far = T38Terminal(calling=True, tx_tiff=sent, identity="+1 555 3", **settings)
    with peer, far:
        run([Link(far, gateway), Wire(gateway, OnTheLine(peer))], [far, OnTheLine(peer)])
        ended_well(peer)
        ended_well(far)
    same(spandsp.read_tiff(received), pages)


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("modems", MODEMS, ids="-".join)
@pytest.mark.parametrize("ours_first", [True, False], ids=["ours-theirs", "theirs-ours"])
def test_one_gateway_of_each(
    ours_first: bool, modems: tuple[str, ...], ecm: bool, sent: Path, received: Path, pages: Pages,
) -> None:
    ours, theirs = our_gateway(), SpanGateway(modems=modems)
    here, there = (ours, theirs) if ours_first else (theirs, ours)
    caller = on_the_line(modems, ecm, calling=True, tx_tiff=sent)
    answerer = on_the_line(modems, ecm, calling=False, rx_tiff=received)
    ends = OnTheLine(caller), OnTheLine(answerer)
    with caller, answerer:
        run([Wire(ends[0], here), Link(here, there), Wire(there, ends[1])], ends)
        ended_well(caller)
        ended_well(answerer)
    theirs.close()
    same(spandsp.read_tiff(received), pages)


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("modems", MODEMS, ids="-".join)
def test_two_of_our_gateways_between_their_modems(
    modems: tuple[str, ...], ecm: bool, sent: Path, received: Path, pages: Pages,
) -> None:
    here, there = our_gateway(), our_gateway()
    caller = on_the_line(modems, ecm, calling=True, tx_tiff=sent)
    answerer = on_the_line(modems, ecm, calling=False, rx_tiff=received)
    ends = OnTheLine(caller), OnTheLine(answerer)
    with caller, answerer:
        run([Wire(ends[0], here), Link(here, there, jitter=0.05), Wire(there, ends[1])], ends)
        ended_well(caller)
        ended_well(answerer)
    same(spandsp.read_tiff(received), pages)


def same(stored: Pages, pages: Pages) -> None:
    assert len(stored) == len(pages)
    for got, wanted in zip(stored, pages, strict=True):
        assert np.array_equal(got, wanted)
