"""The parts of a gateway: frames edited, page data held to where FILL may stand, live signals, packets in time."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from faxcore import coding, modem
from faxcore.carrier.gateway.commands import Commands
from faxcore.carrier.gateway.fill import FillBuffer, FillRemover
from faxcore.carrier.gateway.frames import Conversation, Editor
from faxcore.carrier.gateway.repeats import Repeats
from faxcore.carrier.gateway.signals import BLOCK, FastSignal, V21Signal
from faxcore.carrier.gateway.speaker import Speaker
from faxcore.carrier.stream import Heard
from faxcore.hdlc import Deframer
from faxcore.modem import v21
from faxcore.options import T38, Options
from faxcore.page import FINE
from faxcore.signals import V21, FrameEnds, Modulation, Octets, SignalBegins, SignalEnds
from faxcore.t30.capabilities import Capabilities, Parameters, build_field, parse_field
from faxcore.t30.frames import FCF, Frame
from faxcore.t38 import ifp, udptl
from faxcore.t38.ifp import Data, DataKind, Field, FieldType, Indicator, IndicatorKind
from tests.support import vectors

FIFS = [bytes.fromhex(entry["fif_lsb_hex"]) for entry in vectors("t30_dis_fifs")["fifs"] if entry["kind"] != "DCS"]
"""DIS and DTC of the vectors."""


def edited(frame: Frame, options: Options | None = None, *, refused: bool = False, size: int = 1) -> Frame:
    octets, editor = frame.octets(), Editor(options or Options(), refused=refused)
    out = b"".join(editor.edit(octets[at:at + size]) for at in range(0, len(octets), size))
    assert len(out) == len(octets)
    return Frame(frame.fcf, out[3:], frame.final, frame.x) if out[2] == octets[2] else Frame(FCF.FTT)


@pytest.mark.parametrize("fif", FIFS, ids=bytes.hex)
@pytest.mark.parametrize("options", [
    Options(), Options(ecm=False), Options(max_rate=12000), Options(max_rate=4800), Options(max_rate=2400),
    Options(modulations=("v29",)), Options(modulations=("v27ter",)), Options(modulations=("v29", "v27ter"))], ids=str)
def test_offers_are_cut_down_and_nothing_is_added(fif: bytes, options: Options) -> None:
    before = Capabilities.parse(fif)
    after = Capabilities.parse(edited(Frame(FCF.DIS, fif), options).fif)
    rates = {11, 12, 13, 14}
    assert after.bits - rates <= before.bits
    assert not after.bits & {6, 123}
    assert before.bits - after.bits <= {6, 123, 27, 31} | rates
    assert set(after.modulations) <= set(before.modulations) | {Modulation("v27ter", 2400)}
    kept = [m for m in after.modulations if m.bit_rate > options.max_rate and m.name != "v27ter"]
    assert not kept
    if options.ecm:
        assert before.bits & {27, 31} == after.bits & {27, 31}
    else:
        assert not after.ecm
    if options == Options():
        assert after.modulations == before.modulations


def test_private_frames_lose_their_meaning_and_keep_their_length() -> None:
    for fcf in (FCF.NSF, FCF.NSC, FCF.NSS):
        for x in (False, True):
            assert edited(Frame(fcf, b"\xad\x00\x55private", x=x)).fif == bytes(10)


def test_other_frames_pass_as_they_are() -> None:
    dcs = Frame(FCF.DCS, Parameters(modulation=Modulation("v17", 14400), ecm=True, coding="mmr").build(), x=True)
    for frame in (dcs, Frame(FCF.CSI, b"12345".rjust(20)), Frame(FCF.CFR, x=True), Frame(FCF.PPR, bytes(range(32)))):
        assert edited(frame, Options(ecm=False, max_rate=2400)) == frame
    aware = dcs._replace(fif=build_field(parse_field(dcs.fif) | {123}))
    assert parse_field(edited(aware).fif) == parse_field(aware.fif) - {123}


@pytest.mark.parametrize("x", [False, True])
def test_a_check_that_failed_here_turns_its_confirmation(x: bool) -> None:
    assert edited(Frame(FCF.CFR, x=x), refused=True).fcf is FCF.FTT
    assert edited(Frame(FCF.MCF, x=x), refused=True).fcf is FCF.MCF


def test_what_frames_say_of_signals_to_come() -> None:
    talk = Conversation()
    assert talk.expected is None
    parameters = Parameters(modulation=Modulation("v17", 9600), ecm=True, coding="mmr")
    talk.hear(Frame(FCF.DCS, parameters.build()).octets(), from_line=True)
    assert (talk.expected, talk.framed, talk.from_line) == (Modulation("v17", 9600), False, True)
    talk.burst_ended()
    assert talk.expected == Modulation("v17", 9600)
    talk.hear(Frame(FCF.CFR).octets(), from_line=False)
    assert (talk.expected, talk.framed) == (Modulation("v17", 9600, True), True)
    talk.hear(Frame(FCF.CTC, build_field(frozenset({11, 12, 14}))[:2]).octets(), from_line=True)
    assert (talk.expected, talk.framed) == (Modulation("v17", 7200), True)
    talk.burst_ended()
    assert talk.expected == Modulation("v17", 7200, True)
    assert talk.hear(b"\xff\xff", from_line=True) is None
    assert not talk.over
    talk.hear(Frame(FCF.DCN).octets(), from_line=False)
    assert talk.over


# Page data and FILL

PAGES = [pytest.param(kind.split("_")[0], bitmap["width"], page["hex_msb_first"], id=f"{bitmap['name']}-{kind}")
         for bitmap in vectors("t4_bitmaps")["bitmaps"] for kind, page in bitmap["encodings"].items()
         if kind[:2] != "t6"]


@pytest.mark.parametrize("size", [1, 5, 54])
@pytest.mark.parametrize(("code", "width", "page"), PAGES)
def test_fill_does_no_harm(code: str, width: int, page: str, size: int) -> None:
    """FILL wherever the buffer has nothing to give: the page is the same, its end is no other."""
    buffer, played, fills = FillBuffer(), bytearray(), 0
    octets = ifp.line_order(bytes.fromhex(page))
    for at in range(0, len(octets), size):
        buffer.add(octets[at:at + size])
        while taken := buffer.take(3):
            played += taken
        played += bytes(2)
        fills += 1
    buffer.end()
    while taken := buffer.take(100):
        played += taken
    assert buffer.empty
    before, after = (coding.decode(data, code, width, FINE) for data in (octets, bytes(played)))
    assert np.array_equal(before.page.pels(), after.page.pels())
    assert (after.bad_rows, after.complete) == (0, True)
    assert len(played) == len(octets) + 2 * fills


def lines_of(octets: bytes) -> list[int]:
    """Bits of each line of a page with its EOL, the page's first and last EOLs left out."""
    bits = "".join(f"{octet:08b}"[::-1] for octet in octets)
    ends = [match.end() for match in re.finditer("0{11,}1", bits)]
    return [b - a for a, b in itertools.pairwise(ends) if b - a > 13]


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize(("code", "width", "page"), [p for p in PAGES if "min96" not in str(p.id)])
def test_fill_that_was_taken_out_is_put_back(code: str, width: int, page: str, size: int) -> None:
    octets, buffer, played = ifp.line_order(bytes.fromhex(page)), FillBuffer(96), bytearray()
    for at in range(0, len(octets), size):
        buffer.add(octets[at:at + size])
        played += buffer.take(1000)
    buffer.end()
    played += buffer.take(10_000)
    before, after = (coding.decode(data, code, width, FINE) for data in (octets, bytes(played)))
    assert np.array_equal(before.page.pels(), after.page.pels())
    assert (after.bad_rows, after.complete) == (0, True)
    assert min(lines_of(bytes(played))) >= 96
    assert sum(lines_of(bytes(played))) < sum(max(96, bits) + 8 for bits in lines_of(octets)) + 8


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize(("code", "width", "page"), PAGES)
def test_fill_is_taken_out(code: str, width: int, page: str, size: int) -> None:
    octets, remover = ifp.line_order(bytes.fromhex(page)), FillRemover()
    left = b"".join(remover.remove(octets[at:at + size]) for at in range(0, len(octets), size)) + remover.rest()
    before, after = (coding.decode(data, code, width, FINE) for data in (octets, left))
    assert np.array_equal(before.page.pels(), after.page.pels())
    assert (after.bad_rows, after.complete) == (0, True)
    assert "0" * 15 not in "".join(f"{octet:08b}"[::-1] for octet in left)
    assert len(left) <= len(octets)


def test_data_without_any_end_of_line_are_not_kept_for_ever() -> None:
    buffer = FillBuffer()
    for _ in range(80):
        buffer.add(b"\x55" * 1000)
        while buffer.take(100):
            pass
    assert len(buffer._octets) <= 1 << 16


# Signals while their contents come in

FRAMES = [Frame(FCF.CSI, b"+15551230002".rjust(20), False).octets(),
          Frame(FCF.DIS, bytes.fromhex("00ce f144")).octets()]


def test_v21_that_is_fed_while_it_plays() -> None:
    signal, receiver = V21Signal(level_dbm0=-13), v21.Receiver()
    fed = [(n, octet) for n, frame in enumerate(FRAMES) for octet in frame]
    got: list[bytes] = []
    for block in range(1000):
        if block >= 100 and block % 3 == 0 and fed:
            number, octet = fed.pop(0)
            signal.add(bytes((octet,)))
            if not fed or fed[0][0] != number:
                signal.end_frame(True)
        if not fed:
            signal.end()
        for item in receiver.push(signal.block()):
            if isinstance(item, Octets):
                got.append(item.data)
            elif isinstance(item, FrameEnds):
                assert item.good
        if signal.done:
            break
    assert signal.done
    assert got == FRAMES


def test_v21_frames_that_stop_in_the_middle_are_bad_and_the_next_one_is_whole() -> None:
    signal, receiver = V21Signal(level_dbm0=-13), v21.Receiver()
    ends = []
    for block in range(600):
        if block == 50:
            signal.add(FRAMES[0][:12])
        if block == 300:
            signal.add(FRAMES[0][12:])
            signal.end_frame(True)
            signal.add(FRAMES[1])
            signal.end_frame(True)
            signal.end()
        ends += [item.good for item in receiver.push(signal.block()) if isinstance(item, FrameEnds)]
        if signal.done:
            break
    assert ends == [False, True]


def test_a_frame_too_long_to_be_one_is_bad() -> None:
    signal = V21Signal(level_dbm0=-13)
    for _ in range(3):
        signal.add(bytes(400))
    signal.end_frame(True)
    assert [(len(frame.octets), frame.good) for frame in signal.frames] == [(600, False)]


@pytest.mark.parametrize("good", [True, False])
def test_a_frame_that_was_bad_stays_bad(good: bool) -> None:
    signal, receiver = V21Signal(level_dbm0=-13), v21.Receiver()
    signal.add(FRAMES[1])
    signal.end_frame(good)
    signal.end()
    samples = np.concatenate([signal.block() for _ in range(250)])
    assert [item.good for item in receiver.push(samples) if isinstance(item, FrameEnds)] == [good]
    assert len(samples) == 250 * BLOCK


@pytest.mark.parametrize("modulation", [Modulation("v29", 9600), Modulation("v17", 14400), Modulation("v27ter", 2400)])
def test_fast_frames_that_come_late(modulation: Modulation) -> None:
    frames = [Frame(FCF.FCD, bytes((number,)) + bytes(range(200)), False).octets() for number in range(4)]
    signal, blocks = FastSignal(modulation, level_dbm0=-13, framed=True), []
    for block in range(3000):
        if block in (10, 250, 300, 320):
            frame = frames[(10, 250, 300, 320).index(block)]
            signal.add(frame[:50])
            signal.add(frame[50:])
            signal.end_frame(block != 300)
        if block == 330:
            signal.end()
        blocks.append(signal.block())
        if signal.done:
            break
    burst = modem.demodulate(np.concatenate([*blocks, np.zeros(800, np.int16)]), modulation.name, modulation.bit_rate)
    found = Deframer().push(burst.bits)
    assert [frame.octets for frame in found if frame.good] == [frames[0], frames[1], frames[3]]


@pytest.mark.parametrize("check", [True, False])
def test_a_training_check_is_made_here_or_played(check: bool) -> None:
    signal, blocks = FastSignal(Modulation("v29", 7200), level_dbm0=-13, check=check), []
    for block in range(1000):
        if block % 3 == 0 and block < 180:
            signal.add_raw(bytes(27))
        elif block == 180 and not check:
            signal.end()
        blocks.append(signal.block())
        if signal.done:
            break
    burst = modem.demodulate(np.concatenate([*blocks, np.zeros(800, np.int16)]), "v29", 7200)
    assert not burst.bits[: round(1.5 * 7200)].any()
    assert len(burst.bits) == pytest.approx(1.5 * 7200, abs=400 if check else 3000)


# Packets in time


def packets(speaker: Speaker, since: int | None = None) -> list[ifp.Packet]:
    """What it has said, in the two seconds from `since` on too."""
    for at in range(since or 0, (since or -16000) + 16000, 80):
        speaker.advance(at)
    out, speaker.datagrams = speaker.datagrams, []
    return [ifp.decode(udptl.decode(datagram).primary, speaker.form) for datagram in out]


def test_key_packets_are_repeated_unless_something_newer_is_said() -> None:
    speaker = Speaker(T38())
    preamble, silence = Indicator(IndicatorKind.V21_PREAMBLE), Indicator(IndicatorKind.NO_SIGNAL)
    speaker.indicate(IndicatorKind.V21_PREAMBLE, 0)
    for at in range(0, 800, 80):
        speaker.advance(at)
    assert packets(speaker) == [preamble] * 3
    speaker.indicate(IndicatorKind.V21_PREAMBLE, 8000)
    speaker.data(DataKind.V21, FieldType.HDLC_DATA, b"\xff\x13", 8080)
    speaker.end_frame(DataKind.V21, True, 8160, final=True)
    assert packets(speaker) == [preamble, Data(DataKind.V21, (Field(FieldType.HDLC_DATA, b"\xff\xc8"),))]
    speaker.end(DataKind.V21, FieldType.HDLC_SIG_END, 8400)
    for at in range(8400, 12000, 80):
        speaker.advance(at)
    assert packets(speaker) == [Data(DataKind.V21, (Field(FieldType.HDLC_FCS_OK_SIG_END),)), *[silence] * 3]
    assert not speaker.waiting


def test_the_packets_of_a_frame_are_not_sent_at_once() -> None:
    """They would overtake each other; those that follow keep their order."""
    speaker = Speaker(T38())
    for number in range(5):
        speaker.data(DataKind.V17_14400, FieldType.HDLC_DATA, bytes((number,)), 0)
    speaker.end_frame(DataKind.V17_14400, True, 0, final=False)
    speaker.end(DataKind.V17_14400, FieldType.HDLC_SIG_END, 0)
    kinds: list[object] = []
    for at in range(0, 560, 80):
        speaker.advance(at)
        (packet,) = packets(speaker)
        assert isinstance(packet, Data)
        kinds.append(packet.fields[0].octets or packet.fields[0].type)
    assert kinds == [*(ifp.line_order(bytes((number,))) for number in range(5)), FieldType.HDLC_FCS_OK,
                     FieldType.HDLC_SIG_END]
    speaker.data(DataKind.V21, FieldType.HDLC_DATA, b"\xff", 1200)
    speaker.end_frame(DataKind.V21, True, 1200, final=False)
    speaker.indicate(IndicatorKind.V21_PREAMBLE, 1200)
    *data, preamble = packets(speaker)
    assert len(data) == 3    # no-signal, the octet and the end of its frame
    assert preamble == Indicator(IndicatorKind.V21_PREAMBLE)


def test_a_last_frame_whose_signal_goes_on() -> None:
    speaker = Speaker(T38(version=3, redundancy=0))
    speaker.data(DataKind.V21, FieldType.HDLC_DATA, b"\xff\x13", 0)
    speaker.end_frame(DataKind.V21, False, 0, final=True)
    speaker.advance(800)
    assert speaker.waiting
    speaker.advance(1600)
    speaker.end(DataKind.V21, FieldType.HDLC_SIG_END, 2000)
    speaker.advance(2480)
    kinds = [packet.fields[0].type for packet in packets(speaker)]    # type: ignore[union-attr]
    assert kinds == [FieldType.HDLC_DATA, FieldType.HDLC_FCS_BAD, *[FieldType.HDLC_SIG_END] * 3]


def test_silence_keeps_the_way_open() -> None:
    speaker = Speaker(T38())
    for at in range(0, 8000 * 9, 80):
        speaker.advance(at)
    assert packets(speaker) == [Indicator(IndicatorKind.NO_SIGNAL)] * 2


def test_chunks_fit_into_the_far_ends_datagram() -> None:
    speaker = Speaker(T38(max_datagram=60, chunk=0.2))
    for modulation in (Modulation("v17", 14400), V21):
        size = speaker.chunk(modulation)
        speaker.data(DataKind.V17_14400, FieldType.T4_NON_ECM_DATA, bytes(size), 0)
    assert max(map(len, speaker.datagrams)) <= 60
    assert speaker.chunk(V21) == 7


# Impatience

EOP, MPS = Frame(FCF.EOP, x=True).octets(), Frame(FCF.MPS, x=True).octets()
DCS, TSI = (Frame(fcf, b"\x00\x46\x88", fcf is FCF.DCS, True).octets() for fcf in (FCF.DCS, FCF.TSI))
V29 = Modulation("v29", 9600)


def say(commands: Commands, frames: list[bytes], at: int, answers: int, *, answering: bool = False) -> bool:
    """A signal of these frames is heard; whether it stayed at home."""
    commands.begin(at, answers=answers, answering=answering)
    for frame in frames:
        for length in range(2, len(frame) + 2):
            commands.partial((frame + b"??")[: length + 1], at)
        commands.end_frame(frame, True, at)
    return commands.end(at + 8000, answers=answers)[2]


@pytest.mark.parametrize(("again", "after_s", "answers", "answering", "home"), [
    ([TSI, DCS], 4, 0, False, True), ([TSI, DCS], 4, 1, False, False), ([TSI, DCS], 12, 0, False, False),
    ([TSI, DCS], 12, 0, True, True), ([EOP], 4, 0, False, False), ([TSI, EOP], 4, 0, False, False),
    ([TSI, DCS, DCS], 4, 0, False, False), ([DCS], 4, 0, False, False)])
def test_a_machine_that_repeats_what_has_no_answer_yet(
    again: list[bytes], after_s: int, answers: int, answering: bool, home: bool,
) -> None:
    speaker = Speaker(T38())
    commands = Commands(Conversation(), speaker, Options())
    assert not say(commands, [TSI, DCS], 0, 0)
    first = packets(speaker, 8000)
    assert first[0] == Indicator(IndicatorKind.V21_PREAMBLE)
    assert say(commands, again, 8000 + 8000 * after_s, answers, answering=answering) == home
    silence = Indicator(IndicatorKind.NO_SIGNAL)
    said = [packet for packet in packets(speaker, 16000 + 8000 * after_s) if packet != silence]
    octets = b"".join(p.fields[0].octets for p in said if isinstance(p, Data))
    assert ifp.line_order(octets) == (b"" if home else b"".join(again))
    assert not home or not said


class Played:
    """What reaches the player."""

    def __init__(self) -> None:
        self.items: list[object] = []

    def train(self, modulation: Modulation) -> None:
        self.items.append(modulation)

    def take(self, heard: Heard) -> None:
        self.items.append(heard.item)


def signal(frames: list[bytes], at: int) -> list[Heard]:
    items = [SignalBegins(at, V21), *(item for frame in frames for item in (Octets(at, frame), FrameEnds(at, True))),
             SignalEnds(at)]
    return [Heard(at, False, item) for item in items]


@pytest.mark.parametrize(("first", "again", "after_s", "answered", "dropped"), [
    ([EOP], [EOP], 4, True, True), ([EOP], [EOP], 4, False, False), ([EOP], [EOP], 1, True, False),
    ([EOP], [EOP], 10, True, False), ([EOP], [MPS], 4, True, False), ([TSI, DCS], [TSI, DCS], 4, True, True),
    ([TSI, DCS], [TSI, EOP], 4, True, False), ([Frame(FCF.MCF).octets()], [Frame(FCF.MCF).octets()], 4, True, False),
    ([Frame(FCF.RR).octets()], [Frame(FCF.RR).octets()], 4, True, False)])
def test_a_far_end_that_repeats_what_was_answered(
    first: list[bytes], again: list[bytes], after_s: int, answered: bool, dropped: bool,
) -> None:
    played, talk = Played(), Conversation()
    repeats = Repeats(played, talk)    # type: ignore[arg-type]
    for heard in signal(first, 0):
        repeats.take(heard, 0)
    assert [item.data for item in played.items if isinstance(item, Octets)] == first
    played.items.clear()
    if answered:
        talk.hear(Frame(FCF.CFR).octets(), from_line=True)
    for heard in signal(again, 8000 * after_s):
        repeats.take(heard, 8000 * after_s)
    expected = [] if dropped else [heard.item for heard in signal(again, 8000 * after_s)]
    assert played.items == expected
    repeats.train(V29)
    for item in (SignalBegins(0, V29), Octets(0, bytes(9)), SignalEnds(0)):
        repeats.take(Heard(0, True, item, True), 0)
    repeats.train(V29)
    check_dropped = dropped and again[-1] == DCS
    assert played.items[len(expected):] == ([] if check_dropped else [V29, *played.items[-4:-1]]) + [V29]
