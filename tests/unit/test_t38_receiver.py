"""The receiver of datagrams: order, repeats, losses, restarts, and what others send."""

from __future__ import annotations

import random
from functools import reduce
from itertools import chain

import pytest

from faxcore.t38 import fec, udptl
from faxcore.t38.udptl import Arrived, Lost

PACKETS = [bytes((0xC0, 1, 0x80, 0, 0, n & 0xFF)) for n in range(200)]


def sent(sender: udptl.Sender, packets: list[bytes] = PACKETS) -> list[bytes]:
    return [sender.datagram(packet) for packet in packets]


def received(datagrams: list[bytes], hold: int = 3) -> tuple[list[Arrived | Lost], udptl.Receiver]:
    receiver = udptl.Receiver(hold)
    return [*chain.from_iterable(map(receiver.push, datagrams)), *receiver.flush()], receiver


def octets(items: list[Arrived | Lost]) -> list[bytes]:
    return [item.octets for item in items if isinstance(item, Arrived)]


def test_a_late_packet_is_waited_for() -> None:
    datagrams = sent(udptl.Sender("none"), PACKETS[:10])
    datagrams[4], datagrams[6] = datagrams[6], datagrams[4]
    items, receiver = received(datagrams)
    assert octets(items) == PACKETS[:10]
    assert receiver.counters == udptl.Counters(received=10)


def test_a_missing_packet_is_told_when_enough_later_ones_are_there() -> None:
    datagrams = sent(udptl.Sender("none"), PACKETS[:10])
    receiver = udptl.Receiver(hold=2)
    got = [receiver.push(datagram) for datagram in (datagrams[0], datagrams[2], datagrams[3], datagrams[4])]
    assert got == [[Arrived(0, PACKETS[0])], [], [Lost(1, 1), Arrived(2, PACKETS[2]), Arrived(3, PACKETS[3])],
                   [Arrived(4, PACKETS[4])]]
    assert receiver.push(datagrams[1]) == []
    assert receiver.counters.repeated == 1
    assert receiver.push(datagrams[6]) == []
    assert receiver.waiting
    assert receiver.flush() == [Lost(5, 1), Arrived(6, PACKETS[6])]
    assert not receiver.waiting


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("correction", ["redundancy", "fec", "none"])
def test_any_network_delivers_in_order_and_once(correction: str, seed: int) -> None:
    rng = random.Random(seed)
    sender = udptl.Sender(correction, first=0xFFC0)
    places = [(n + rng.uniform(0, 3), datagram) for n, datagram in enumerate(sent(sender)) if rng.random() > 0.1
              for _ in range(1 + (rng.random() < 0.1))]
    items, receiver = received([datagram for _, datagram in sorted(places)])
    first = next(n for n, packet in enumerate(PACKETS) if items[0].octets == packet)
    number = first
    for item in items:
        assert item.sequence == 0xFFC0 + number & 0xFFFF
        if isinstance(item, Lost):
            number += item.packets
        else:
            assert item.octets.rstrip(b"\0") == PACKETS[number].rstrip(b"\0")
            number += 1
    lost = receiver.counters.lost
    assert sum(item.packets for item in items if isinstance(item, Lost)) == lost
    assert receiver.counters.restarts == 0
    assert lost <= {"redundancy": 1, "fec": 8, "none": 40}[correction]


@pytest.mark.parametrize("last", [0, 40, 7000])
def test_a_sender_that_begins_anew(last: int) -> None:
    before = sent(udptl.Sender(first=last), PACKETS[:60])
    anew = sent(udptl.Sender(first=0), PACKETS[100:140])
    items, receiver = received([*before, *anew])
    assert octets(items)[:60] == PACKETS[:60]
    after = [item.octets for item in items[items.index(Lost(items[60].sequence, 0)) + 1:]]
    assert after == PACKETS[140 - len(after):140]
    assert len(after) >= 32
    assert receiver.counters.restarts == 1


def test_late_repeats_are_no_new_beginning() -> None:
    datagrams = sent(udptl.Sender(redundancy=1), PACKETS[:60])
    items, receiver = received([*datagrams, *datagrams[20:60], *datagrams[59:]])
    assert octets(items) == PACKETS[:60]
    assert receiver.counters.restarts == 0


@pytest.mark.parametrize("redundancy", [1, 3])
def test_a_sender_that_leaves_out_number_0_at_the_wrap(redundancy: int) -> None:
    datagrams = []
    sender = udptl.Sender(redundancy=redundancy, first=0xFFF0)
    for packet in PACKETS[:40]:
        sender.sequence = sender.sequence or 1
        datagrams.append(sender.datagram(packet))
    items, receiver = received(datagrams)
    assert octets(items) == PACKETS[:40]
    assert receiver.counters.lost == 0


def test_stray_rtp_changes_nothing() -> None:
    """RTP that by chance is a datagram in all its octets, before the first one and between two."""
    stray = bytes.fromhex("8000010100" + "00")
    datagrams = sent(udptl.Sender(), PACKETS[:6])
    items, receiver = received([stray[:4] + b"\0\0", datagrams[0], b"\x80\0\1\xff\0\0", *datagrams[1:]])
    assert octets(items) == [b"\1"][:0] + PACKETS[:6]
    assert receiver.counters.rejected == 2


def test_the_far_ends_datagram_is_never_exceeded() -> None:
    long = [bytes((0xC0, 1, 0x80, 0, n)) + bytes(n + 1) for n in range(20, 90)]
    for correction in ("redundancy", "fec"):
        for limit in (97, 120, 200):
            sender = udptl.Sender(correction, max_datagram=limit)
            fitting = [packet for packet in long if len(packet) <= sender.longest_packet]
            datagrams = sent(sender, fitting)
            assert max(map(len, datagrams)) <= limit
            assert octets(received(datagrams)[0]) == fitting
            with pytest.raises(ValueError, match="a packet has 1 to"):
                sender.datagram(bytes(sender.longest_packet + 1))
        exact = udptl.Sender("none", max_datagram=limit)
        assert len(exact.datagram(bytes(exact.longest_packet))) == limit or limit > 133


@pytest.mark.parametrize("limit", range(6, 400, 7))
@pytest.mark.parametrize("correction", ["none", "fec"])
def test_the_longest_packet_fits(limit: int, correction: str) -> None:
    sender = udptl.Sender(correction, max_datagram=limit)
    if sender.longest_packet > 0:
        assert len(sender.datagram(bytes(sender.longest_packet))) <= limit


def test_depth_for_what_must_not_be_lost() -> None:
    sender = udptl.Sender(redundancy=1)
    sent(sender, PACKETS[:10])
    assert list(udptl.decode(sender.datagram(b"\6")).earlier) == [PACKETS[9]]
    assert list(udptl.decode(sender.datagram(b"\6", depth=3)).earlier) == [b"\6", PACKETS[9], PACKETS[8]]
    assert list(udptl.decode(sender.datagram(b"\6", depth=0)).earlier) == []
    none = udptl.Sender("none")
    none.datagram(b"\6")
    assert list(udptl.decode(none.datagram(b"\6", depth=3)).earlier) == []


def with_annex_c(number: int, packets: list[bytes], span: int, entries: int) -> bytes:
    """A datagram with parity over packets with their lengths in front, written from the text of Annex C."""
    parity = []
    for m in range(entries if number >= span * entries else 0):
        chosen = [packets[number - span * entries + m + j * entries] for j in range(span)]
        normal = [bytes(divmod(len(p), 256)) + p for p in chosen]
        size = max(map(len, normal))
        parity.append(bytes(reduce(lambda a, b: a ^ b, column) for column in zip(
            *(p.ljust(size, b"\0") for p in normal), strict=True)))
    return udptl.encode(udptl.Datagram(number, packets[number], (), span if parity else 0, parity))


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize(("span", "entries"), [(3, 1), (3, 3), (5, 2)])
@pytest.mark.parametrize("kind", ["bare", "annex-c"])
def test_both_kinds_of_parity(kind: str, span: int, entries: int, early: bool) -> None:
    """Packets of different length: Annex C gives them back as they were, the bare form with zeros behind."""
    rng = random.Random(span)
    packets = [bytes((0xC0, 1, 0x80, 0, size)) + rng.randbytes(size) + b"\1" for size in rng.choices(range(30), k=80)]
    datagrams = sent(udptl.Sender("fec", span=span, entries=entries), packets)
    if kind == "annex-c":
        datagrams = [with_annex_c(n, packets, span, entries) for n in range(len(packets))]
    dropped = set(range(span * entries + 1 if early else 30, 70, span * entries + entries + 1))
    items, receiver = received([datagram for n, datagram in enumerate(datagrams) if n not in dropped])
    assert receiver.counters.lost == 0
    assert receiver.counters.recovered == len(dropped)
    for number, item in enumerate(items):
        assert isinstance(item, Arrived)
        assert item.octets[:len(packets[number])] == packets[number]
        assert kind == "bare" or item.octets == packets[number]


@pytest.mark.parametrize("span_entries", [(255, 1), (255, 127), (0, 3), (3, 0), (200, 200)])
def test_absurd_parity_is_ignored(span_entries: tuple[int, int]) -> None:
    span, entries = span_entries
    receiver = udptl.Receiver()
    for number, packet in enumerate(PACKETS):
        datagram = udptl.Datagram(number, packet, (), span, [b"abc"] * entries)
        assert receiver.push(udptl.encode(datagram)) == [Arrived(number, packet)]


def test_arguments_are_checked() -> None:
    for wrong in ({"error_correction": "parity"}, {"redundancy": 16}, {"redundancy": -1}, {"span": 0}, {"entries": 6},
                  {"span": 8, "entries": 2}, {"max_datagram": 5}, {"first": 65536}):
        with pytest.raises(ValueError, match="not"):
            udptl.Sender(**wrong)
    with pytest.raises(ValueError, match="hold"):
        udptl.Receiver(hold=65)
    with pytest.raises(ValueError, match="packet has"):
        udptl.Sender().datagram(b"")
    assert fec.combine([]) == b""
