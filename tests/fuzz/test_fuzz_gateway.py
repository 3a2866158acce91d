"""A gateway whose far end and whose line are hostile: it goes on, and what it keeps is bounded."""

from __future__ import annotations

import random

import numpy as np
import pytest

import faxcore
from faxcore.carrier.gateway.signals import Framed
from faxcore.t38 import ifp, udptl
from faxcore.t38.ifp import Data, DataKind, Field, FieldType, Form, Indicator, IndicatorKind
from tests.mutations import mutated

COUNTS = [20_000, pytest.param(2_000_000, marks=[pytest.mark.long, pytest.mark.timeout(7200)])]


def datagrams(seed: int, count: int) -> list[bytes]:
    """Packets in any order, of both forms, some of them no packets at all, under numbers that go on."""
    rng, out = random.Random(seed), []
    texts = [bytes((0xFF, 0xC8, fcf)) + bytes((0, 0xCE, 0xF1, 0x44)) for fcf in (0x01, 0x41, 0x84, 0x21, 0x5F, 0x3D)]
    senders = [udptl.Sender(redundancy=1), udptl.Sender("fec")]
    for _ in range(count):
        form = rng.choice(list(Form))
        if rng.random() < 0.3:
            packet: ifp.Packet = Indicator(rng.choice(list(IndicatorKind)[:16]))
        else:
            fields = [Field(rng.choice(list(FieldType)[:8]), rng.choice([b"", *texts, bytes(40), rng.randbytes(30)]))
                      for _ in range(rng.randrange(1, 3))]
            packet = Data(rng.choice(list(DataKind)[:9]), tuple(fields))
        out.append(rng.choice(senders[:1] * 9 + senders).datagram(ifp.encode(packet, form)))
    return out


@pytest.mark.parametrize("count", COUNTS)
def test_any_datagrams(count: int) -> None:
    rng = random.Random(7)
    for seed in range(max(1, count // 2000)):
        gateway = faxcore.Gateway(carrier=faxcore.T38(tcf=rng.choice(["local", "transferred"])))
        sound = datagrams(seed, 1000)
        noise = np.random.default_rng(seed).normal(0, rng.choice([0, 300, 8000]), 1600).astype(np.int16)
        for number, octets in enumerate([*mutated(sound, seed, 1000), *sound]):
            gateway.push_datagram(octets, number * 0.01)
            if number % 8 == 0:
                gateway.push_audio(noise[:400])
                assert len(gateway.pull_audio(400)) == 400
                gateway.pull_datagrams(number * 0.01)
        player = gateway._carrier._player
        assert len(player._queue) <= 8
        assert all(len(signal.frames) <= 600 for signal in player._queue if isinstance(signal, Framed))
        assert all(len(frame.octets) <= 600 for signal in player._queue if isinstance(signal, Framed)
                   for frame in signal.frames)
        list(gateway.events())


def test_a_flood_of_signals() -> None:
    """Nobody pulls the audio: what is to be played does not pile up."""
    gateway, sender = faxcore.Gateway(), udptl.Sender("none")
    begins = [(IndicatorKind.V17_14400_LONG_TRAINING, DataKind.V17_14400), (IndicatorKind.V21_PREAMBLE, DataKind.V21)]
    for number in range(3000):
        kind, data = begins[number % 2]
        gateway.push_datagram(sender.datagram(ifp.encode(Indicator(kind), Form.V1998)), number * 0.001)
        field = Field(FieldType.HDLC_DATA, bytes(range(1, 256)))
        for _ in range(4):
            gateway.push_datagram(sender.datagram(ifp.encode(Data(data, (field,)), Form.V1998)), number * 0.001)
    player = gateway._carrier._player
    assert len(player._queue) <= 8
    assert sum(len(frame.octets) for signal in player._queue for frame in signal.frames) <= 8 * 600
