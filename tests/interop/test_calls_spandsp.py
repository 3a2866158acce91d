"""Whole audio calls with SpanDSP's fax terminal, in both directions: what one sends the other must store to the pel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import faxcore
from tests.interop import spandsp
from tests.interop.spandsp import FaxTerminal, Samples, converse

pytestmark = pytest.mark.peer("spandsp")

OURS, THEIRS = "+15551230001", "+1 555 999 0002"
CODINGS = {"mh": 1, "mr": 2}
CLEAN = faxcore.Line(law=None)


class Ours:
    """A FaxCall as one end of a lock-step line."""

    def __init__(self, call: faxcore.FaxCall) -> None:
        self.call = call
        call.wait_for_pages()

    @property
    def finished(self) -> bool:
        return self.call.finished

    def rx(self, samples: Samples) -> None:
        self.call.push_audio(samples)

    def tx(self, count: int) -> Samples:
        return self.call.pull_audio(count)


@pytest.fixture
def sent(tmp_path: Path, pages: list[npt.NDArray[np.bool_]]) -> Path:
    return spandsp.write_tiff(tmp_path / "sent.tif", pages)


def assert_theirs(terminal: FaxTerminal, pages: int) -> None:
    """Their end of a good call."""
    assert terminal.code == 0, "\n".join(terminal.log[-20:])
    assert terminal.stats.pages_tx + terminal.stats.pages_rx == pages
    assert terminal.stats.remote_identity == OURS


def assert_ours(call: faxcore.FaxCall, pages: int) -> None:
    """Our end of a good call."""
    assert call.result is not None
    assert call.result.success, f"{call.result.code!r} {call.result.note}"
    assert call.result.pages == pages
    assert (call.result.identity, call.result.remote_identity) == (OURS, THEIRS)


def send(sent: Path, received: Path, options: faxcore.Options | None = None, line: faxcore.Line = CLEAN,
         carrier: faxcore.Audio | None = None, **settings: Any) -> tuple[faxcore.FaxCall, FaxTerminal]:
    """Our sender, their receiver; both after the call. V.29 unless a test says otherwise."""
    chosen = options or faxcore.Options(modulations=("v29",), ecm=False)
    call = faxcore.FaxCall.send(faxcore.open_document(sent), identity=OURS, options=chosen, carrier=carrier)
    with FaxTerminal(calling=False, rx_tiff=received, identity=THEIRS, **settings) as terminal:
        converse(Ours(call), terminal, forth=line.direction(0).carry, back=line.direction(1).carry)
    return call, terminal


def receive(sent: Path, options: faxcore.Options | None = None, line: faxcore.Line = CLEAN,
            **settings: Any) -> tuple[faxcore.FaxCall, FaxTerminal]:
    """Their sender, our receiver; both after the call."""
    call = faxcore.FaxCall.receive(identity=OURS, options=options)
    with FaxTerminal(calling=True, tx_tiff=sent, identity=THEIRS, **settings) as terminal:
        converse(terminal, Ours(call), forth=line.direction(0).carry, back=line.direction(1).carry)
    return call, terminal


def assert_same(got: list[npt.NDArray[np.bool_]], pages: list[npt.NDArray[np.bool_]]) -> None:
    assert len(got) == len(pages)
    for mine, page in zip(got, pages, strict=True):
        np.testing.assert_array_equal(mine, page)


def pels_of(call: faxcore.FaxCall) -> list[npt.NDArray[np.bool_]]:
    return [page.pels() for page in call.document.pages]


@pytest.mark.parametrize("rate", [9600, 7200])
@pytest.mark.parametrize("coding", CODINGS)
def test_we_send(sent: Path, tmp_path: Path, pages: list[npt.NDArray[np.bool_]], coding: str, rate: int) -> None:
    options = faxcore.Options(codings=(coding,) if coding == "mh" else (coding, "mh"), max_rate=rate)
    call, terminal = send(sent, tmp_path / "received.tif", options)
    assert_ours(call, len(pages))
    assert_theirs(terminal, len(pages))
    assert (call.result.bit_rate, call.result.coding, call.result.modulation) == (rate, coding, "v29")
    assert (terminal.stats.bit_rate, terminal.stats.encoding) == (rate, CODINGS[coding])
    assert_same(spandsp.read_tiff(tmp_path / "received.tif"), pages)


@pytest.mark.parametrize("rate", [9600, 7200])
@pytest.mark.parametrize("coding", CODINGS)
def test_they_send(sent: Path, pages: list[npt.NDArray[np.bool_]], coding: str, rate: int) -> None:
    options = faxcore.Options(codings=(coding,) if coding == "mh" else (coding, "mh"), max_rate=rate)
    call, terminal = receive(sent, options)
    assert_ours(call, len(pages))
    assert_theirs(terminal, len(pages))
    assert (call.result.bit_rate, call.result.coding, call.result.modulation) == (rate, coding, "v29")
    assert (terminal.stats.bit_rate, terminal.stats.encoding) == (rate, CODINGS[coding])
    assert_same(pels_of(call), pages)


ABLE = {"modems": ("v17", "v29", "v27ter"), "codings": ("mh", "mr", "mmr"), "ecm": True, "tep": True}
"""A peer that can do more than we can: it must be brought down to what both can."""

SETTINGS = [
    pytest.param({"minimum_scan_ms": 20}, id="20ms-a-line"),
    pytest.param({"minimum_scan_ms": 5, "codings": ("mh",)}, id="5ms-a-line"),
    pytest.param(ABLE, id="able-peer"),
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_we_send_to(sent: Path, tmp_path: Path, pages: list[npt.NDArray[np.bool_]], settings: dict[str, Any]) -> None:
    call, terminal = send(sent, tmp_path / "received.tif", **settings)
    assert_ours(call, len(pages))
    assert_theirs(terminal, len(pages))
    assert_same(spandsp.read_tiff(tmp_path / "received.tif"), pages)


@pytest.mark.parametrize("settings", SETTINGS)
def test_they_send_from(sent: Path, pages: list[npt.NDArray[np.bool_]], settings: dict[str, Any]) -> None:
    call, terminal = receive(sent, **settings)
    assert_ours(call, len(pages))
    assert_theirs(terminal, len(pages))
    assert_same(pels_of(call), pages)


# Idle noise above -48 dBm0 keeps SpanDSP's carrier detection on for ever.
LINES = [
    pytest.param(faxcore.Line(law="mu", noise_dbm0=-55, seed=1), id="mu-law-noise55-seed1"),
    pytest.param(faxcore.Line(law="a", gain_db=-12, noise_dbm0=-60, delay=0.25, seed=2), id="a-law-12dB-250ms-seed2"),
    pytest.param(faxcore.Line(law="mu", gain_db=-25, noise_dbm0=-70, delay=0.05, seed=3), id="mu-law-25dB-50ms-seed3"),
]


@pytest.mark.parametrize("line", LINES)
def test_we_send_over(sent: Path, tmp_path: Path, pages: list[npt.NDArray[np.bool_]], line: faxcore.Line) -> None:
    call, terminal = send(sent, tmp_path / "received.tif", line=line)
    assert_ours(call, len(pages))
    assert_theirs(terminal, len(pages))
    assert_same(spandsp.read_tiff(tmp_path / "received.tif"), pages)


@pytest.mark.parametrize("line", LINES)
def test_they_send_over(sent: Path, pages: list[npt.NDArray[np.bool_]], line: faxcore.Line) -> None:
    call, terminal = receive(sent, line=line)
    assert_ours(call, len(pages))
    assert_theirs(terminal, len(pages))
    assert call.result.bit_rate == 9600
    assert_same(pels_of(call), pages)


@pytest.mark.parametrize("y_dpi", [98, 391], ids=["standard", "superfine"])
def test_resolutions(tmp_path: Path, pages: list[npt.NDArray[np.bool_]], y_dpi: int) -> None:
    sent = spandsp.write_tiff(tmp_path / "sent.tif", pages[:1], y_dpi)
    call, terminal = receive(sent)
    assert_theirs(terminal, 1)
    assert_same(pels_of(call), pages[:1])
    assert call.document.pages[0].resolution.y_dpi == y_dpi


def test_their_header_line_is_part_of_the_page(sent: Path, pages: list[npt.NDArray[np.bool_]]) -> None:
    call, terminal = receive(sent, header="ACME")
    assert_theirs(terminal, len(pages))
    for got, page in zip(pels_of(call), pages, strict=True):
        header, body = got[: len(got) - len(page)], got[len(got) - len(page) :]
        assert header.any()
        np.testing.assert_array_equal(body, page)


class Noise:
    """Noise in place of what is heard, from `after` to `until` seconds after `trigger` is true."""

    def __init__(self, trigger: Callable[[], bool], after: float, until: float, seed: int) -> None:
        self.trigger, self.window = trigger, (round(8000 * after), round(8000 * until))
        self.random, self.passed = np.random.default_rng(seed), 0

    def __call__(self, samples: Samples) -> Samples:
        if not self.trigger():
            return samples
        self.passed += len(samples)
        if not self.window[0] < self.passed <= self.window[1]:
            return samples
        return self.random.integers(-3000, 3001, len(samples), np.int16)


DCS, FTT, EOP = b"\xff\x13\x83", b"\xff\x13\x44", b"\xff\x13\x2f"


def heard_by(terminal: FaxTerminal) -> list[bytes]:
    """The beginnings of the frames that a terminal heard."""
    return [octets[:3] for incoming, octets in terminal.frames if incoming]


def told_by(terminal: FaxTerminal) -> list[bytes]:
    """The beginnings of the frames that a terminal sent."""
    return [octets[:3] for incoming, octets in terminal.frames if not incoming]


def test_a_spoiled_training_is_refused_and_tried_again(sent: Path, pages: list[npt.NDArray[np.bool_]]) -> None:
    """Noise in their first TCF: we answer FTT, they train again, and the pages are whole."""
    call = faxcore.FaxCall.receive(identity=OURS)
    with FaxTerminal(calling=True, tx_tiff=sent, identity=THEIRS) as terminal:
        # Their DCS takes 0.4 s from here, then come 75 ms of silence, 0.25 s of training and 1.5 s of TCF.
        converse(terminal, Ours(call), forth=Noise(lambda: DCS in told_by(terminal), 1.0, 1.8, seed=3))
    assert heard_by(terminal).count(FTT) == 1
    assert_theirs(terminal, len(pages))
    assert_ours(call, len(pages))
    assert_same(pels_of(call), pages)


def test_a_lost_confirmation_is_asked_for_again(sent: Path, tmp_path: Path, pages: list[npt.NDArray[np.bool_]]) -> None:
    """Noise instead of their MCF to our last page: we repeat EOP after T4 and hear the MCF then."""
    call = faxcore.FaxCall.send(faxcore.open_document(sent), identity=OURS)
    with FaxTerminal(calling=False, rx_tiff=tmp_path / "received.tif", identity=THEIRS) as terminal:
        converse(Ours(call), terminal, back=Noise(lambda: EOP in heard_by(terminal), 0.5, 2.0, seed=4))
    assert heard_by(terminal).count(EOP) == 2
    assert_ours(call, len(pages))
    assert_same(spandsp.read_tiff(tmp_path / "received.tif"), pages)


def test_their_line_goes_dead_in_a_page(sent: Path) -> None:
    """They vanish after the first page was confirmed: one page is ours, and the result says that it failed."""
    call = faxcore.FaxCall.receive(identity=OURS)
    ours = Ours(call)
    with FaxTerminal(calling=True, tx_tiff=sent, identity=THEIRS) as terminal:
        while not terminal.stats.pages_tx:
            to_us, to_them = terminal.tx(160), ours.tx(160)
            ours.rx(to_us)
            terminal.rx(to_them)
    for _ in range(60 * 50):
        ours.tx(160)
        ours.rx(np.zeros(160, np.int16))
    assert call.finished
    assert not call.result.success
    assert call.result.pages == 1
    assert len(call.document.pages) == 1


EVERY_MODEM = [
    *(("v17", rate) for rate in (14400, 12000, 9600, 7200)), ("v29", 9600), ("v29", 7200),
    ("v27ter", 4800), ("v27ter", 2400),
]  # fmt: skip


@pytest.mark.parametrize(("modulation", "rate"), EVERY_MODEM)
def test_every_modem_to_spandsp(
    sent: Path, tmp_path: Path, pages: list[npt.NDArray[np.bool_]], modulation: str, rate: int
) -> None:
    options = faxcore.Options(modulations=(modulation,), max_rate=rate)
    call, terminal = send(sent, tmp_path / "received.tif", options,
                          modems=("v17", "v29", "v27ter"), codings=("mh", "mr"))  # fmt: skip
    assert_ours(call, len(pages))
    assert_theirs(terminal, len(pages))
    assert call.result is not None
    assert (call.result.modulation, call.result.bit_rate) == (modulation, rate)
    assert_same(spandsp.read_tiff(tmp_path / "received.tif"), pages)


@pytest.mark.parametrize(("modulation", "rate"), EVERY_MODEM)
def test_every_modem_from_spandsp(
    sent: Path, pages: list[npt.NDArray[np.bool_]], modulation: str, rate: int
) -> None:
    """FTT brings it down to the rate that we want."""
    options = faxcore.Options(modulations=(modulation,), max_rate=rate)
    call, terminal = receive(sent, options, modems=("v17", "v29", "v27ter"), codings=("mh", "mr"))
    assert_ours(call, len(pages))
    assert_theirs(terminal, len(pages))
    assert call.result is not None
    assert (call.result.modulation, call.result.bit_rate) == (modulation, rate)
    assert_same([page.pels() for page in call.document.pages], pages)
