"""Calls through one gateway, either way, and through two of them: every page arrives as it was sent."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import faxcore
from faxcore.events import BurstReceived, FramesReceived, ToneHeard
from faxcore.t30.capabilities import Capabilities
from faxcore.t30.frames import FCF, parse_frames
from faxcore.t38 import ifp, udptl
from tests.gateway_support import Calls, Wire
from tests.t38_support import dissect

WAYS = ["in", "out", "through"]
ALL = ("v17", "v29", "v27ter")


@pytest.mark.parametrize("tcf", ["transferred", "local"])
@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("modulations", [ALL, ("v29",), ("v27ter",)], ids=["v17", "v29", "v27ter"])
@pytest.mark.parametrize("way", WAYS)
def test_modulations(way: str, modulations: tuple[str, ...], ecm: bool, tcf: str) -> None:
    codings = ("mmr", "mr", "mh") if ecm else ("mr", "mh")
    calls = Calls(way, pages=2, t38={"tcf": tcf}, modulations=modulations, ecm=ecm, codings=codings)
    calls.run()
    calls.check()
    assert calls.sender.result.modulation == modulations[0]
    assert calls.sender.result.ecm == ecm


@pytest.mark.parametrize(("rate", "modulations"), [(12000, ALL), (9600, ALL), (7200, ALL), (2400, ("v27ter",))])
@pytest.mark.parametrize("way", WAYS)
def test_rates(way: str, rate: int, modulations: tuple[str, ...]) -> None:
    calls = Calls(way, max_rate=rate, modulations=modulations, ecm=False)
    calls.run()
    calls.check()
    assert calls.sender.result.bit_rate == rate


@pytest.mark.parametrize("case", [
    {"t38": {"version": 3}, "link": {"delay": 0.3}},
    {"t38": {"error_correction": "fec"}, "wire": {"delay": 5, "noise": 50.0}},
    {"t38": {"error_correction": "none", "redundancy": 0}},
    {"t38": {"max_datagram": 72}},
    {"rows": 1000, "link": {"jitter": 0.1}},
    {"rows": 1000, "link": {"jitter": 0.1}, "ecm": False, "codings": ("mr",)},
    {"t38": {"fill_removal": True}, "ecm": False},
    {"pages": 2, "wire": {"noise": 300.0}, "link": {"jitter": 0.1}},
    {"wire": {"noise": 300.0}, "ecm": False},
    {"rows": 600, "pages": 2, "link": {"jitter": 0.1, "loss": 0.05}},
], ids=str)
@pytest.mark.parametrize("way", WAYS)
def test_networks(way: str, case: dict[str, Any]) -> None:
    calls = Calls(way, **case)
    calls.run()
    calls.check()


@pytest.mark.parametrize(("gateway", "modulation", "ecm"), [
    (faxcore.Options(ecm=False), ("v17", 14400), False),
    (faxcore.Options(max_rate=9600), ("v29", 9600), True),
    (faxcore.Options(max_rate=4800), ("v27ter", 4800), True),
    (faxcore.Options(max_rate=2400), ("v27ter", 2400), True),
    (faxcore.Options(modulations=("v29",)), ("v29", 9600), True),
], ids=str)
@pytest.mark.parametrize("way", ["in", "out"])
def test_what_a_gateway_does_not_carry_is_not_offered(
    way: str, gateway: faxcore.Options, modulation: tuple[str, int], ecm: bool,
) -> None:
    calls = Calls(way, gateway=gateway)
    calls.run()
    calls.check()
    result = calls.sender.result
    assert (result.modulation, result.bit_rate, result.ecm) == (*modulation, ecm)


def test_events_and_the_end() -> None:
    calls = Calls("in", ecm=False)
    (gateway,) = calls.gateways
    assert not gateway.finished
    took = calls.run()
    assert gateway.finished
    assert gateway.line_time == pytest.approx(took, abs=0.1)
    events = list(gateway.events())
    assert [event.tone for event in events if isinstance(event, ToneHeard)] == ["cng"]
    heard = parse_frames(sum((event.frames for event in events if isinstance(event, FramesReceived)), ()))
    assert [frame.fcf for frame in heard] == [FCF.TSI, FCF.DCS, FCF.EOP, FCF.DCN]
    assert [event.trained for event in events if isinstance(event, BurstReceived)] == [True, True]
    assert gateway.deadline is None


@pytest.mark.peer("tshark")
@pytest.mark.parametrize(("version", "ecm"), [(0, False), (0, True), (3, False), (3, True)])
def test_tshark_finds_no_fault(version: int, ecm: bool) -> None:
    calls = Calls("through", t38={"version": version}, ecm=ecm)
    calls.run()
    form = ifp.Form.of_version(version)
    for side in range(2):
        datagrams = [datagram for _, sender, datagram in calls.link.sent if sender == side]
        rows = dissect(datagrams, form, ["t38.seq_number", "t30.FacsimileControl"])
        assert [int(row[0]) for row in rows] == list(range(len(rows)))
        seen = {int(code) & 0x7F for row in rows for code in row[1].split(",") if code}
        assert seen >= ({FCF.DIS, FCF.CFR, FCF.MCF} if side else {FCF.DCS, FCF.PPS if ecm else FCF.EOP, FCF.DCN})


def test_nobody_takes_the_far_end_for_an_internet_aware_terminal() -> None:
    calls = Calls("in")
    calls.run()
    frames = sum((e.frames for e in calls.sender.events() if isinstance(e, FramesReceived)), ())
    (dis,) = [frame for frame in parse_frames(frames) if frame.fcf is FCF.DIS]
    assert 123 not in Capabilities.parse(dis.fif).bits


def test_frames_go_on_before_they_have_ended() -> None:
    """The first octets of DIS leave while its last ones are still on the line."""
    calls = Calls("out")
    calls.run()
    receiver = udptl.Receiver()
    times = [(now, ifp.decode(item.octets, ifp.Form.V1998)) for now, side, datagram in calls.link.sent if side == 1
             for item in receiver.push(datagram)]
    begins = next(now for now, packet in times if packet == ifp.Indicator(ifp.IndicatorKind.V21_PREAMBLE))
    octets = [now for now, packet in times if isinstance(packet, ifp.Data)
              and packet.fields[0].type is ifp.FieldType.HDLC_DATA][:20]
    ends = next(now for now, packet in times if isinstance(packet, ifp.Data)
                and packet.fields[0].type is ifp.FieldType.HDLC_FCS_OK)
    assert begins < octets[0] - 0.7
    assert octets[-1] - octets[0] == pytest.approx(19 * 8 / 300, abs=0.07)
    assert octets[0] < ends - 0.5


@pytest.mark.parametrize("sizes", [(80,), (160, 33, 7, 1200), (1,), (200, 311)], ids=str)
def test_any_chunking_gives_the_same(sizes: tuple[int, ...]) -> None:
    """A line that brings what a caller sends, and datagrams between two chunks."""
    caller = faxcore.FaxCall.send(Calls("in").document, carrier=None)
    line = np.concatenate([caller.pull_audio(800) for _ in range(40)])
    answer = udptl.Sender()
    ced, preamble = (answer.datagram(octets) for octets in (b"\4", b"\6"))

    def outcome(sizes: tuple[int, ...]) -> tuple[bytes, list[bytes]]:
        gateway, at, out, step = faxcore.Gateway(), 0, [], 0
        while at < len(line):
            stop = next(border for border in (8000, 16000, len(line)) if border > at)
            n = min(sizes[step % len(sizes)], stop - at)
            gateway.push_audio(line[at:at + n])
            out.append(gateway.pull_audio(n))
            at, step = at + n, step + 1
            if at in (8000, 16000):
                gateway.push_datagram(ced if at == 8000 else preamble, at / 8000)
        return np.concatenate(out).tobytes(), gateway.pull_datagrams(4.0)

    samples, datagrams = outcome((160,))
    assert np.frombuffer(samples, np.int16)[9000:].any()
    assert datagrams
    assert outcome(sizes) == (samples, datagrams)


def test_arguments() -> None:
    for name in ("carrier", "options", "audio"):
        with pytest.raises(ValueError, match=name):
            faxcore.Gateway(**{name: 3})
    gateway = faxcore.Gateway()
    with pytest.raises(TypeError, match="int16"):
        gateway.push_audio(np.zeros(3))
    for wrong in (gateway.pull_audio, gateway.push_missing):
        with pytest.raises(ValueError, match="not -1"):
            wrong(-1)


@pytest.mark.parametrize("end", ["hang_up", "line_dropped"])
def test_the_end_by_our_wish(end: str) -> None:
    gateway = faxcore.Gateway()
    gateway.push_missing(8000)
    assert not gateway.pull_audio(8000).any()
    getattr(gateway, end)()
    assert gateway.finished
    gateway.push_datagram(udptl.Sender().datagram(b"\6"), 2.0)
    gateway.push_missing(8000)
    assert not gateway.pull_audio(8000).any()


def test_a_line_without_a_call_ends_after_two_minutes() -> None:
    gateway = faxcore.Gateway()
    gateway.push_missing(8000 * 119)
    assert not gateway.finished
    gateway.push_missing(8000 * 2)
    assert gateway.finished


# Networks so slow that a machine would repeat what has an answer on its way


@pytest.mark.parametrize("delay", [0.9, 1.4, 1.8])
@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("way", ["in", "through"])
def test_slow_networks(way: str, ecm: bool, delay: float) -> None:
    """Up to 3.6 s there and back, with two pages: no answer is taken for that to another command."""
    calls = Calls(way, pages=2, ecm=ecm, modulations=("v29",), link={"delay": delay})
    calls.run()
    calls.check()


def test_flags_hold_a_machine_that_waits() -> None:
    """The line is silent for 2.3 s behind TCF, then there are flags until the answer comes, and it is heard."""
    calls = Calls("in", ecm=False, modulations=("v29",), link={"delay": 1.4})
    (gateway,) = calls.gateways
    (wire,) = [part for part in calls.chain if isinstance(part, Wire)]
    loud: list[bool] = []
    pull = gateway.pull_audio

    def watched(n: int) -> np.ndarray:
        samples = pull(n)
        loud.append(bool(samples.any()))
        return samples

    gateway.pull_audio = watched
    calls.run()
    calls.check()
    assert wire.ends[1] is gateway
    runs = [(key, len(list(group)) * 0.02) for key, group in itertools.groupby(loud)]
    assert max(seconds for key, seconds in runs[-9:-1] if key) > 1.7    # a preamble and CFR or MCF last 1.3 s
    heard = [event.frames for event in calls.sender.events() if isinstance(event, FramesReceived)]
    assert [frame.fcf for frames in heard for frame in parse_frames(frames)] == [FCF.CSI, FCF.DIS, FCF.CFR, FCF.MCF]
