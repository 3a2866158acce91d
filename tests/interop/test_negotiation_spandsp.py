"""Sizes, resolutions, polling and addresses with SpanDSP's fax terminal: what one sends the other stores to the pel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import faxcore
from faxcore.page import RESOLUTIONS, line_pels, steps
from tests.interop import spandsp
from tests.interop.spandsp import FaxTerminal, converse
from tests.interop.test_calls_spandsp import OURS, THEIRS, Ours, assert_ours, assert_same, assert_theirs, pels_of

pytestmark = pytest.mark.peer("spandsp")

Pels = npt.NDArray[np.bool_]
EVERYTHING = {"ecm": True, "codings": ("mh", "mr", "mmr"), "sizes": ("a4", "b4", "a3", "unlimited"),
              "resolutions": ("standard", "fine", "superfine", "300x300", "400x400", "r16")}  # fmt: skip


def strokes(seed: int, width: int, height: int = 200) -> Pels:
    """A page of short strokes, a frame around it, and a last line that is not empty."""
    random = np.random.default_rng(seed)
    pels = np.zeros((height, width), np.bool_)
    for row, left, length in zip(
        random.integers(0, height, 60), random.integers(0, width - 200, 60), random.integers(1, 200, 60), strict=True
    ):
        pels[row : row + 2, left : left + length] = True
    pels[0], pels[-1], pels[:, 0], pels[:, -1] = True, True, True, True
    return pels


def we_send(
    sent: Path, received: Path, options: faxcore.Options, **settings: Any
) -> tuple[faxcore.FaxCall, FaxTerminal]:
    call = faxcore.FaxCall.send(faxcore.open_document(sent), identity=OURS, options=options)
    with FaxTerminal(calling=False, rx_tiff=received, identity=THEIRS, **{**EVERYTHING, **settings}) as terminal:
        converse(Ours(call), terminal)
    return call, terminal


def they_send(
    sent: Path, options: faxcore.Options | None = None, **settings: Any
) -> tuple[faxcore.FaxCall, FaxTerminal]:
    call = faxcore.FaxCall.receive(identity=OURS, options=options)
    with FaxTerminal(calling=True, tx_tiff=sent, identity=THEIRS, **{**EVERYTHING, **settings}) as terminal:
        converse(terminal, Ours(call))
    return call, terminal


FORMS = [("fine", 255), ("fine", 303), ("standard", 303), ("superfine", 215), ("superfine", 303), ("300x300", 215),
         ("300x300", 303), ("400x400", 215), ("R16x15.4", 255)]  # fmt: skip


@pytest.mark.parametrize(("resolution", "line_mm"), FORMS)
@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "no-ecm"])
def test_we_send_any_form(tmp_path: Path, resolution: str, line_mm: int, ecm: bool) -> None:
    own = RESOLUTIONS[resolution]
    page = strokes(line_mm, line_pels(line_mm, own))
    sent = spandsp.write_tiff(tmp_path / "sent.tif", [page], own.y_dpi, own.x_dpi)
    options = faxcore.Options(modulations=("v29",), resolution=resolution, ecm=ecm)
    call, terminal = we_send(sent, tmp_path / "received.tif", options)
    assert_ours(call, 1)
    assert_theirs(terminal, 1)
    assert call.result is not None
    assert (call.result.resolution, call.result.ecm) == (resolution, ecm)
    assert_same(spandsp.read_tiff(tmp_path / "received.tif"), [page])


@pytest.mark.parametrize(("resolution", "line_mm"), FORMS)
@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "no-ecm"])
def test_they_send_any_form(tmp_path: Path, resolution: str, line_mm: int, ecm: bool) -> None:
    own = RESOLUTIONS[resolution]
    page = strokes(line_mm, line_pels(line_mm, own))
    sent = spandsp.write_tiff(tmp_path / "sent.tif", [page], own.y_dpi, own.x_dpi)
    call, terminal = they_send(sent, faxcore.Options(ecm=ecm))
    assert_theirs(terminal, 1)
    assert_ours(call, 1)
    assert_same(pels_of(call), [page])
    assert steps(call.document.pages[0].resolution) == steps(own)  # SpanDSP sends 400 x 400 as R16 x 15.4


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "no-ecm"])
def test_sizes_change_in_mid_document(tmp_path: Path, ecm: bool) -> None:
    """We go back to DCS by EOM for each new width, at the rate that it was."""
    pages = [strokes(n, width) for n, width in enumerate((1728, 2432, 2432, 2048))]
    sent = spandsp.write_tiff(tmp_path / "sent.tif", pages)
    options = faxcore.Options(modulations=("v29",), ecm=ecm, max_rate=7200)
    call, terminal = we_send(sent, tmp_path / "received.tif", options)
    assert_ours(call, 4)
    assert_theirs(terminal, 4)
    assert call.result is not None
    assert call.result.bit_rate == 7200
    assert_same(spandsp.read_tiff(tmp_path / "received.tif"), pages)


def test_their_sizes_change_in_mid_document(tmp_path: Path) -> None:
    pages = [strokes(n, width) for n, width in enumerate((1728, 2432, 2048))]
    call, terminal = they_send(spandsp.write_tiff(tmp_path / "sent.tif", pages))
    assert_theirs(terminal, 3)
    assert_ours(call, 3)
    assert_same(pels_of(call), pages)


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "no-ecm"])
def test_two_documents_in_one_call(tmp_path: Path, pages: list[Pels], ecm: bool) -> None:
    """EOM between them: SpanDSP says DIS again, 7 s later."""
    first = faxcore.open_document(spandsp.write_tiff(tmp_path / "first.tif", pages[:2]))
    second = faxcore.open_document(spandsp.write_tiff(tmp_path / "second.tif", pages[2:]))
    options = faxcore.Options(modulations=("v29",), ecm=ecm)
    call = faxcore.FaxCall.send([first, second], identity=OURS, options=options)
    received = tmp_path / "received.tif"
    with FaxTerminal(calling=False, rx_tiff=received, identity=THEIRS, **EVERYTHING) as terminal:
        converse(Ours(call), terminal)
    assert_ours(call, 3)
    assert_theirs(terminal, 3)
    assert_same(spandsp.read_tiff(received), pages)


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "no-ecm"])
def test_very_long_pages(tmp_path: Path, ecm: bool) -> None:
    """1.3 m of paper."""
    page = strokes(1, 1728, 10_000)
    sent = spandsp.write_tiff(tmp_path / "sent.tif", [page])
    call, terminal = we_send(sent, tmp_path / "received.tif", faxcore.Options(modulations=("v29",), ecm=ecm))
    assert_ours(call, 1)
    assert_theirs(terminal, 1)
    assert_same(spandsp.read_tiff(tmp_path / "received.tif"), [page])
    call, terminal = they_send(sent, faxcore.Options(ecm=ecm))
    assert_ours(call, 1)
    assert_same(pels_of(call), [page])


def test_a_far_end_of_a4_gets_an_a3_page_whole_and_smaller(tmp_path: Path) -> None:
    sent = spandsp.write_tiff(tmp_path / "sent.tif", [strokes(1, 2432, 400)])
    options = faxcore.Options(modulations=("v29",))
    call, terminal = we_send(sent, tmp_path / "received.tif", options, sizes=("a4", "unlimited"))
    assert_ours(call, 1)
    assert_theirs(terminal, 1)
    (got,) = spandsp.read_tiff(tmp_path / "received.tif")
    assert got.shape == (-(-400 * 1728 // 2432), 1728)
    assert all(edge.all() for edge in (got[0], got[-1], got[:, 0], got[:, -1]))


ADDRESSES = {"password": "1234", "polling_address": "77", "polled_sub_address": "88"}


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "no-ecm"])
def test_we_poll(tmp_path: Path, pages: list[Pels], ecm: bool) -> None:
    sent = spandsp.write_tiff(tmp_path / "sent.tif", pages)
    options = faxcore.Options(ecm=ecm, **ADDRESSES)
    call = faxcore.FaxCall.receive(identity=OURS, role="caller", options=options)
    with FaxTerminal(calling=False, tx_tiff=sent, identity=THEIRS, **EVERYTHING) as terminal:
        converse(Ours(call), terminal)
        assert {name: terminal.heard(name) for name in ADDRESSES} == ADDRESSES
    assert_ours(call, len(pages))
    assert_theirs(terminal, len(pages))
    assert_same(pels_of(call), pages)


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "no-ecm"])
def test_they_poll(tmp_path: Path, pages: list[Pels], ecm: bool) -> None:
    sent = spandsp.write_tiff(tmp_path / "sent.tif", pages)
    options = faxcore.Options(ecm=ecm, modulations=("v29",))
    call = faxcore.FaxCall.send(faxcore.open_document(sent), identity=OURS, role="answerer", options=options)
    received = tmp_path / "received.tif"
    with FaxTerminal(calling=True, rx_tiff=received, identity=THEIRS, **EVERYTHING, **ADDRESSES) as terminal:
        converse(terminal, Ours(call))
    assert_ours(call, len(pages))
    assert_theirs(terminal, len(pages))
    assert_same(spandsp.read_tiff(received), pages)
    assert call.result is not None
    assert {name: getattr(call.result.far, name) for name in ADDRESSES} == ADDRESSES


def test_they_poll_with_a_wrong_password(tmp_path: Path, pages: list[Pels]) -> None:
    sent = spandsp.write_tiff(tmp_path / "sent.tif", pages)
    options = faxcore.Options(accept=lambda far: None if far.password == "right" else "password")
    call = faxcore.FaxCall.send(faxcore.open_document(sent), identity=OURS, role="answerer", options=options)
    received = tmp_path / "received.tif"
    with FaxTerminal(calling=True, rx_tiff=received, identity=THEIRS, password="wrong", **EVERYTHING) as terminal:
        converse(terminal, Ours(call))
    assert call.result is not None
    assert call.result.code == 56
    assert terminal.code not in (None, 0)


def test_we_poll_where_there_is_nothing(tmp_path: Path) -> None:
    call = faxcore.FaxCall.receive(identity=OURS, role="caller")
    with FaxTerminal(calling=False, rx_tiff=tmp_path / "received.tif", identity=THEIRS, **EVERYTHING) as terminal:
        converse(Ours(call), terminal)
    assert call.result is not None
    assert call.result.code == 10


def test_addresses_in_both_directions(tmp_path: Path, pages: list[Pels]) -> None:
    sent = spandsp.write_tiff(tmp_path / "sent.tif", pages)
    named = {"sub_address": "0815", "sender_id": "4711"}
    call = faxcore.FaxCall.send(
        faxcore.open_document(sent), identity=OURS, options=faxcore.Options(modulations=("v29",), **named)
    )
    received = tmp_path / "received.tif"
    with FaxTerminal(calling=False, rx_tiff=received, identity=THEIRS, **EVERYTHING) as terminal:
        converse(Ours(call), terminal)
        assert {name: terminal.heard(name) for name in named} == named
    assert_ours(call, len(pages))
    call, terminal = they_send(sent, **named)
    assert_theirs(terminal, len(pages))
    assert call.result is not None
    assert {name: getattr(call.result.far, name) for name in named} == named


def test_a_sub_address_that_we_refuse(tmp_path: Path, pages: list[Pels]) -> None:
    """They hear our DCN after their TCF and say so."""
    sent = spandsp.write_tiff(tmp_path / "sent.tif", pages)
    options = faxcore.Options(accept=lambda far: "sub_address" if far.sub_address == "0815" else None)
    call, terminal = they_send(sent, options, sub_address="0815")
    assert call.result is not None
    assert (call.result.code, call.result.pages) == (52, 0)
    assert terminal.code == 14
