"""Error correction mode: blocks and their counters, and whole calls in which frames are lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import faxcore
from faxcore.coding import decode, encode
from faxcore.events import FramesAskedFor, PageReceived, PageSent, Retrain
from faxcore.result import ResultCode
from faxcore.t30 import ecm
from faxcore.t30.frames import FCF, parse_frame
from faxcore.t30.orders import BurstHeard, FastFrames, Report
from faxcore.t30.session import Session
from tests.support import vectors
from tests.support_calls import pair, small_document, small_page

FRAMES = {frame["name"]: frame for frame in vectors("t30_frames")["frames"]}


def test_counters_of_the_example_in_the_recommendation() -> None:
    """Page 1, block 2, 11 frames: 1000 0000 0100 0000 0101 0000, the first bit on the left [T.30 figure A.1]."""
    field = ecm.Block(None, 1, 2, 11).field(x=False)
    assert [f"{octet:08b}"[::-1] for octet in field] == ["00000000", "10000000", "01000000", "01010000"]


@given(
    st.sampled_from([None, FCF.MPS, FCF.EOM, FCF.EOP]), st.integers(0, 255), st.integers(0, 255), st.integers(1, 256),
    st.booleans(),
)  # fmt: skip
def test_a_block_comes_back(command: FCF | None, page: int, block: int, frames: int, x: bool) -> None:
    sent = ecm.Block(command, page, block, frames)
    assert ecm.parse_block(sent.field(x)) == sent


@given(st.binary(max_size=8))
def test_any_pps_is_read_or_refused(fif: bytes) -> None:
    block = ecm.parse_block(fif)
    assert block is None or (1 <= block.frames <= 256 and block.page < 256)


@given(st.sets(st.integers(0, 255)), st.integers(1, 256))
def test_requests(missing: set[int], frames: int) -> None:
    field = ecm.request(missing)
    assert len(field) == 32
    assert ecm.requested(field, frames) == sorted(number for number in missing if number < frames)


EOL = "000000000001"
END_OF_PAGE = {"mh": EOL * 6, "mr": (EOL + "1") * 6, "mmr": EOL * 2}  # [T.4 4.1.4 and 4.2.2, T.6 2.4]


@pytest.mark.parametrize("size", [64, 256])
@pytest.mark.parametrize("coding", ["mmr", "mr", "mh"])
@pytest.mark.parametrize("over", [-80, -8, -1, 0, 1, 7, 8, 23, 24, 25, 77, 80, 200])
def test_blocks_hold_all_lines_and_none_holds_the_end_of_the_page_alone(coding: str, size: int, over: int) -> None:
    """The lines of a page are so many bits longer than one block, or two."""
    for full in (1, 2):
        random = np.random.default_rng(over % 1000)
        lines = random.integers(0, 2, full * 256 * size * 8 + over).astype(np.uint8)
        end = np.array([int(bit) for bit in END_OF_PAGE[coding]], np.uint8)
        octets = np.packbits(np.concatenate([lines, end]), bitorder="little").tobytes()
        blocks = list(ecm.blocks_of(octets, size, coding))
        joined = np.frombuffer(b"".join(frame for block in blocks for frame in block), np.uint8)
        np.testing.assert_array_equal(np.unpackbits(joined, bitorder="little")[: len(lines)], lines)
        assert [len(block) for block in blocks[:full]] == [256] * (full - 1) + [min(256, len(blocks[full - 1]))]
        assert len(blocks) == full + (over > 0)


@pytest.mark.parametrize("coding", ["mmr", "mr", "mh"])
def test_the_end_of_real_pages_is_found(coding: str) -> None:
    for seed in range(20):
        octets = encode(small_page(seed), coding, bit_order="lsb", min_line_bits=0)
        bits = "".join(f"{octet:08b}"[::-1] for octet in octets)
        assert bits[ecm.lines_end(octets, coding) :].rstrip("0") == END_OF_PAGE[coding]


@given(st.binary(max_size=40), st.sampled_from(["mmr", "mr", "mh"]))
def test_any_octets_come_in_blocks(octets: bytes, coding: str) -> None:
    (frames,) = ecm.blocks_of(octets, 64, coding)
    assert frames[0].startswith(octets)


@pytest.mark.parametrize("coding", ["mr", "mh"])
def test_pages_that_end_just_behind_a_block(coding: str) -> None:
    """1 to 19 octets behind a block of 64-octet frames (FILL in front sees to that) no row is lost."""
    page = small_page(1, 400)
    octets = encode(page, coding)
    for behind in range(1, 20):
        whole = bytes((behind - len(octets)) % (256 * 64)) + octets
        joined = b"".join(frame for block in ecm.blocks_of(whole, 64, coding) for frame in block)
        decoded = decode(joined, coding, page.width, page.resolution)
        assert decoded.page == page
        assert decoded.bad_rows == 0


def test_a_burst_is_numbered_frames_and_rcp() -> None:
    frames = [parse_frame(octets) for octets in ecm.burst([b"a" * 256, b"b" * 256, b"c" * 256], [0, 2])]
    assert [frame.fcf for frame in frames] == [FCF.FCD, FCF.FCD, FCF.RCP, FCF.RCP, FCF.RCP]
    assert [frame.fif[:2] for frame in frames[:2]] == [b"\0a", b"\2c"]
    assert not any(frame.final for frame in frames)


class Lossy:
    """Stands between a receiver's carrier and its procedure, and loses frames of its bursts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, lost: Any) -> None:
        self.bursts, self.lost = 0, lost
        before = Session.transmit

        def transmit(session: Session, *items: Any, listen: Any = None) -> Any:
            report: Report = yield from before(session, *items, listen=listen)
            if isinstance(report, BurstHeard):
                self.bursts += 1
                kept = tuple(f for n, f in enumerate(report.frames) if not self.lost(self.bursts, n))
                report = replace(report, frames=kept, bad=len(report.frames) - len(kept))
            return report

        monkeypatch.setattr(Session, "transmit", transmit)


def call(pages: int = 1, **options: Any) -> tuple[faxcore.FaxCall, faxcore.FaxCall, faxcore.simulation.Outcome]:
    sender, receiver = pair(pages, **options)
    return sender, receiver, faxcore.simulate(sender, receiver)


def test_every_frame_of_a_page_may_be_lost_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first burst loses frame n: it alone comes again."""
    for n in range(3):
        with monkeypatch.context() as patched:
            Lossy(patched, lambda burst, number, n=n: burst == 1 and number == n)
            sender, receiver, outcome = call(codings=("mh",))
        assert outcome.sender.success
        assert list(receiver.document.pages) == [small_page(0)]
        assert [(e.block, e.frames) for e in sender.events() if isinstance(e, FramesAskedFor)] == [(1, 1)]


@pytest.mark.parametrize("seed", range(6))
def test_bursts_that_lose_frames_at_random(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    random = np.random.default_rng(seed)
    Lossy(monkeypatch, lambda burst, number: random.random() < 0.3)
    sender, receiver, outcome = call(3, codings=(["mmr", "mr", "mh"][seed % 3],))
    assert outcome.sender.success
    assert outcome.receiver.success
    assert list(receiver.document.pages) == [small_page(n) for n in range(3)]
    assert [e.number for e in sender.events() if isinstance(e, PageSent)] == [1, 2, 3]
    assert [e.number for e in receiver.events() if isinstance(e, PageReceived)] == [1, 2, 3]


def test_the_fourth_request_slows_the_line_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """CTC: one rate down, and the frames again after a long training [T.30 A.1.3]."""
    Lossy(monkeypatch, lambda burst, number: burst <= 4 and number == 0)
    sender, _, outcome = call()
    assert outcome.sender.success
    assert outcome.sender.bit_rate == outcome.receiver.bit_rate == 12000
    assert len([e for e in sender.events() if isinstance(e, Retrain)]) == 1


def test_a_frame_that_never_comes_ends_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    Lossy(monkeypatch, lambda burst, number: number == 0)
    _, receiver, outcome = call(modulations=("v29",))
    assert outcome.sender.code == ResultCode.RETRYDCN
    assert not outcome.receiver.success
    assert len(receiver.document.pages) == 0


def test_a_page_of_many_blocks() -> None:
    """Noise does not compress: 1728 x 1200 pels of it are more than three blocks of 64 kB."""
    pels = np.random.default_rng(1).random((1200, 1728)) < 0.4
    page = faxcore.Page.from_pels(pels, small_page(0).resolution)
    document = small_document(0)
    document.append(page)
    sender = faxcore.FaxCall.send(document)
    receiver = faxcore.FaxCall.receive()
    fractions: list[float] = []
    outcome = faxcore.simulate(sender, receiver, progress=lambda c: fractions.append(c.progress.fraction or 0.0))
    assert outcome.sender.success
    assert list(receiver.document.pages) == [page]
    assert max(fractions) > 0.9


def test_a_far_end_without_ecm_gets_none() -> None:
    sender = faxcore.FaxCall.send(small_document(2))
    receiver = faxcore.FaxCall.receive(options=faxcore.Options(ecm=False))
    outcome = faxcore.simulate(sender, receiver)
    assert outcome.sender.success
    assert not outcome.sender.ecm
    assert outcome.sender.coding == "mr"


@pytest.mark.parametrize("seed", range(3))
def test_noise_damages_frames_but_no_pel(seed: int) -> None:
    """V.29 at 16 dB has about one bit error in 1000: blocks need more than one burst."""
    sender, receiver = pair(3, codings=("mh",), modulations=("v29",), max_rate=9600, min_rate=9600)
    outcome = faxcore.simulate(sender, receiver, line=faxcore.Line(noise_dbm0=-29.0, law=None, seed=seed))
    assert outcome.sender.success
    assert list(receiver.document.pages) == [small_page(n) for n in range(3)]
    assert any(isinstance(event, FramesAskedFor) for event in sender.events())


def test_the_octets_of_a_burst_are_its_frames() -> None:
    """The octets of a block's burst are those of its frames: flags, zero insertion, FCS."""
    from faxcore.carrier.plan import framed
    from faxcore.hdlc import Deframer

    frames = ecm.burst([bytes([n]) * 256 for n in range(256)], list(range(256)))
    octets = framed(FastFrames(faxcore.signals.V17_14400, frames).modulation, frames)
    assert [(f.octets, f.good) for f in Deframer().push_octets(octets)] == [(octets, True) for octets in frames]
