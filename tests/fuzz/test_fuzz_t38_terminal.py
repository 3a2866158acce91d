"""A whole terminal that hears hostile datagrams: it goes on, ends in bounded time, and what it keeps is bounded."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

import faxcore
from faxcore.carrier.packet import MOST_EARLY
from faxcore.carrier.stream import LONGEST_FRAME
from faxcore.t38 import ifp, udptl
from faxcore.t38.ifp import Data, DataKind, Field, FieldType
from tests.mutations import COUNTS, mutated
from tests.support_calls import small_document

OPTIONS = {True: faxcore.Options(), False: faxcore.Options(ecm=False)}


def ends(ecm: bool, version: int = 0) -> tuple[faxcore.FaxCall, faxcore.FaxCall]:
    carrier = faxcore.T38(version=version, tcf="local" if version else "transferred")
    sender = faxcore.FaxCall.send(small_document(1), options=OPTIONS[ecm], carrier=carrier)
    return sender, faxcore.FaxCall.receive(options=OPTIONS[ecm], carrier=carrier)


def genuine(ecm: bool) -> tuple[list[tuple[float, bytes]], list[tuple[float, bytes]]]:
    """What each end of a good call said, and when."""
    said: tuple[list[tuple[float, bytes]], list[tuple[float, bytes]]] = ([], [])
    faxcore.simulate(*ends(ecm), capture=lambda at, end, datagram: said[end].append((at, datagram)))
    return said


def disturbed(
    said: list[tuple[float, bytes]], hostile: Iterator[bytes], rng: random.Random
) -> Iterator[tuple[float, bytes]]:
    """A good call's datagrams, from some moment on between others, which may come all at once or late."""
    share, begin = rng.choice((0.1, 0.5, 0.8)), rng.uniform(0.0, said[-1][0])
    for at, datagram in said:
        yield at, datagram
        while at >= begin and rng.random() < share and (bad := next(hostile, None)) is not None:
            at += rng.choice((0.0, 0.0, 0.01, 0.5))
            yield at, bad


def check_bounds(call: faxcore.FaxCall) -> None:
    carrier = call._carrier
    assert len(carrier._queue) < MOST_EARLY + 1000
    assert len(carrier._stream._frame) <= LONGEST_FRAME
    assert len(carrier._out) < 100_000


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("end", [0, 1], ids=["sender", "receiver"])
def test_a_terminal(end: int, count: int) -> None:
    rng = random.Random(end)
    calls = {ecm: genuine(ecm) for ecm in (True, False)}
    samples = [datagram for said in calls.values() for _, datagram in said[1 - end]]
    hostile = mutated(samples, 7 + end, count)
    heard = calls_made = 0
    while heard < count:
        ecm = calls_made % 2 == 0
        call = ends(ecm, rng.choice((0, 3)))[end]
        calls_made += 1
        now = 0.0
        for at, datagram in disturbed(calls[ecm][1 - end], hostile, rng):
            now = max(now, at)
            call.push_datagram(datagram, now)
            call.pull_datagrams(now)
            heard += 1
            if heard % 64 == 0:
                check_bounds(call)
        while not call.finished:
            assert now < 900, "it never ends"
            now = call.deadline if call.deadline is not None else now
            call.pull_datagrams(now)
        assert call.result is not None


def test_a_flood_of_one_kind() -> None:
    """Frames without end, frames that never end, data for nobody, at one moment: nothing grows for ever."""
    for kind in (DataKind.V21, DataKind.V17_14400):
        for fields in (
            (Field(FieldType.HDLC_DATA, bytes(200)),),
            (Field(FieldType.HDLC_DATA, b"\xff\xc0\x80abc"), Field(FieldType.HDLC_FCS_OK)),
            (Field(FieldType.T4_NON_ECM_DATA, bytes(200)),),
        ):
            for call in ends(True):
                udptl_sender = udptl.Sender()
                for number in range(10_000):
                    packet = Data(kind, fields[: 1 + number % 2])
                    octets = ifp.encode(packet, ifp.Form.V1998)
                    call.push_datagram(udptl_sender.datagram(octets), 4.0)
                check_bounds(call)
                collector = call._carrier._listener
                if collector is not None:
                    kept = len(collector._frames) + len(collector._fast_frames) + len(collector._data) // 200
                    assert kept < 10_000
