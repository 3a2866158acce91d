"""Error correction with SpanDSP's fax terminal over V.29, both ways, on lines that spoil frames of the pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import faxcore
from tests.bad_lines import Muted
from tests.interop import spandsp
from tests.interop.spandsp import FaxTerminal, Samples, converse
from tests.interop.test_calls_spandsp import OURS, THEIRS, Ours, assert_ours, assert_same, assert_theirs, pels_of

pytestmark = pytest.mark.peer("spandsp")

Pages = list[npt.NDArray[np.bool_]]
ABLE = {"modems": ("v29",), "codings": ("mh", "mr", "mmr"), "ecm": True}
PPR, CTC, CTR = (b"\xff\x13" + bytes((octet,)) for octet in (0xBC, 0x12, 0xC4))


class Clicks:
    """Noise of 30 ms in the image bursts of one direction: V.21 signals and TCF stay as they are.

    `responses` counts what the receiving terminal said: the first carrier after a response is a burst. A click comes at
    `first` seconds of a burst and after that at random, about one in 2 s.
    """

    def __init__(self, responses: Callable[[], int], first: float, seed: int, bursts: int) -> None:
        self.responses, self.first, self.left = responses, round(8000 * first), bursts
        self.random = np.random.default_rng(seed)
        self.answered, self.loud = 0, False
        self.age, self.next, self.clicks = -1, 0, 0

    def __call__(self, samples: Samples) -> Samples:
        begins, self.loud = not self.loud, int(np.abs(samples).max(initial=0)) > 100
        if not self.loud:
            self.age = -1
        elif begins and self.responses() > max(1, self.answered) and self.left:
            self.answered, self.left = self.responses(), self.left - 1
            self.age, self.next = 0, self.first
        if self.age < 0:
            return samples
        self.age += len(samples)
        if self.age < self.next:
            return samples
        if self.age > self.next + 240:
            self.next += int(self.random.integers(8000, 24000))
        self.clicks += 1
        return self.random.integers(-8000, 8001, len(samples), np.int16)


def responses(terminal: FaxTerminal, *, incoming: bool) -> Callable[[], int]:
    """Counts the responses (final frames) that went one way."""
    return lambda: sum(way == incoming and octets[1] == 0x13 for way, octets in terminal.frames)


def heard(terminal: FaxTerminal, frame: bytes) -> int:
    return sum(octets[:3] in (frame, frame[:2] + bytes((frame[2] | 1,))) for _, octets in terminal.frames)


def send(path: Path, received: Path, coding: str, *, first: float = 1.5, seed: int = 0,
         bursts: int = 0) -> tuple[faxcore.FaxCall, FaxTerminal]:
    chosen = faxcore.Options(modulations=("v29",), codings=(coding,))
    call = faxcore.FaxCall.send(faxcore.open_document(path), identity=OURS, options=chosen)
    with FaxTerminal(calling=False, rx_tiff=received, identity=THEIRS, **ABLE) as terminal:  # type: ignore[arg-type]
        line = Clicks(responses(terminal, incoming=False), first, seed, bursts)
        converse(Ours(call), terminal, forth=line)
    assert bool(line.clicks) == bool(bursts)
    return call, terminal


def receive(path: Path, coding: str, *, first: float = 1.5, seed: int = 0,
            bursts: int = 0) -> tuple[faxcore.FaxCall, FaxTerminal]:
    chosen = faxcore.Options(modulations=("v29",), codings=(coding,))
    call = faxcore.FaxCall.receive(identity=OURS, options=chosen)
    with FaxTerminal(calling=True, tx_tiff=path, identity=THEIRS, **ABLE) as terminal:  # type: ignore[arg-type]
        line = Clicks(responses(terminal, incoming=True), first, seed, bursts)
        converse(terminal, Ours(call), forth=line)
    assert bool(line.clicks) == bool(bursts)
    return call, terminal


CASES = [(coding, count) for coding in ("mmr", "mr", "mh") for count in (1, 3)]


@pytest.mark.parametrize("bursts", [0, 3], ids=["clean", "clicks"])
@pytest.mark.parametrize(("coding", "count"), CASES)
def test_we_send(tmp_path: Path, pages: Pages, coding: str, count: int, bursts: int) -> None:
    path = spandsp.write_tiff(tmp_path / "sent.tif", pages[:count])
    call, terminal = send(path, tmp_path / "received.tif", coding, seed=count, bursts=bursts)
    assert_ours(call, count)
    assert_theirs(terminal, count)
    assert call.result is not None
    assert (call.result.ecm, call.result.coding) == (True, coding)
    assert (heard(terminal, PPR) > 0) == (bursts > 0)
    assert_same(spandsp.read_tiff(tmp_path / "received.tif"), pages[:count])


@pytest.mark.parametrize("bursts", [0, 3], ids=["clean", "clicks"])
@pytest.mark.parametrize(("coding", "count"), CASES)
def test_they_send(tmp_path: Path, pages: Pages, coding: str, count: int, bursts: int) -> None:
    """SpanDSP counts the frames of a burst in PPS, not those of the block."""
    path = spandsp.write_tiff(tmp_path / "sent.tif", pages[:count])
    call, terminal = receive(path, coding, seed=count, bursts=bursts)
    assert_ours(call, count)
    assert_theirs(terminal, count)
    assert call.result is not None
    assert (call.result.ecm, call.result.coding) == (True, coding)
    assert (heard(terminal, PPR) > 0) == (bursts > 0)
    assert_same(pels_of(call), pages[:count])


def test_we_send_and_continue_to_correct(tmp_path: Path, pages: Pages) -> None:
    """The first frames of five bursts are spoilt: CTC after the fourth request, and the page is whole."""
    path = spandsp.write_tiff(tmp_path / "sent.tif", pages[:1])
    call, terminal = send(path, tmp_path / "received.tif", "mmr", first=0.5, bursts=5)
    assert_ours(call, 1)
    assert (heard(terminal, CTC), heard(terminal, CTR)) == (1, 1)
    assert call.result is not None
    assert call.result.bit_rate == 7200
    assert_same(spandsp.read_tiff(tmp_path / "received.tif"), pages[:1])


def test_they_send_and_continue_to_correct(tmp_path: Path, pages: Pages) -> None:
    path = spandsp.write_tiff(tmp_path / "sent.tif", pages[:1])
    call, terminal = receive(path, "mmr", first=0.5, bursts=5)
    assert_ours(call, 1)
    assert (heard(terminal, CTC), heard(terminal, CTR)) == (1, 1)
    assert_same(pels_of(call), pages[:1])


@pytest.mark.parametrize("gap", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("modem", ["v17", "v29", "v27ter"])
def test_they_send_and_the_page_falls_out(tmp_path: Path, pages: Pages, modem: str, gap: float) -> None:
    """A silence in the page: its frames are asked for, and the page is whole."""
    path = spandsp.write_tiff(tmp_path / "sent.tif", pages[:1])
    call = faxcore.FaxCall.receive(identity=OURS)
    with FaxTerminal(calling=True, tx_tiff=path, identity=THEIRS, **(ABLE | {"modems": (modem,)})) as terminal:  # type: ignore[arg-type]
        line = Muted(faxcore.Line(law=None), ((14.0, gap),))
        converse(terminal, Ours(call), forth=line.direction(0).carry)
    assert_ours(call, 1)
    assert heard(terminal, PPR) == 1
    assert_same(pels_of(call), pages[:1])
