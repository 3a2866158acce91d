"""Offers and answers: the examples of the field, oddities of real stacks, and what both can do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faxcore.errors import FrameError
from faxcore.t38 import sdp
from faxcore.t38.sdp import Media

HEAD = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
VERSION_0 = HEAD + """m=image 4000 udptl t38\r
a=T38FaxVersion:0\r
a=T38MaxBitRate:14400\r
a=T38FaxRateManagement:transferredTCF\r
a=T38FaxMaxBuffer:2000\r
a=T38FaxMaxDatagram:400\r
a=T38FaxUdpEC:t38UDPRedundancy\r
"""
VERSION_3 = HEAD + """m=image 4000 udptl t38\r
a=T38FaxVersion:3\r
a=T38MaxBitRate:14400\r
a=T38FaxFillBitRemoval\r
a=T38FaxRateManagement:transferredTCF\r
a=T38FaxMaxDatagram:400\r
a=T38FaxUdpEC:t38UDPRedundancy\r
"""
OFFER_0 = Media(port=4000, address="192.0.2.1", max_buffer=2000, max_datagram=400)
OFFER_3 = Media(port=4000, address="192.0.2.1", version=3, fill_removal=True, max_datagram=400)


@pytest.mark.parametrize(("text", "media"), [(VERSION_0, OFFER_0), (VERSION_3, OFFER_3)], ids=["0", "3"])
def test_examples(text: str, media: Media) -> None:
    assert sdp.parse(text) == [media]
    assert sdp.build(replace(media, address=None), address="192.0.2.1", session=1, version=2) == text


MEDIA = [
    OFFER_0, OFFER_3,
    Media(port=1, address="2001:db8::1", transport="tcp", tcf="local"),
    Media(port=65535, address="h.example", error_correction="fec", fec_max_span=5, depth=(1, 3), max_ifp=40, v34=True,
          vendor_info="0 181 0", transcoding_mmr=True, transcoding_jbig=True, max_bit_rate=33600, version=4),
    Media(port=9, address="192.0.2.9", error_correction="none"),
    Media(port=9, address="192.0.2.9", transport="rtp", payload_type=100, red_type=101, max_bit_rate=9600),
    Media(port=9, address="192.0.2.9", transport="rtp"),
]


@pytest.mark.parametrize("media", MEDIA, ids=range(len(MEDIA)))
def test_what_is_built_is_read(media: Media) -> None:
    text = sdp.build(replace(media, address=None), address=media.address or "")
    assert sdp.parse(text) == [media]
    assert sdp.parse(text.replace("\r\n", "\n").encode()) == [media]
    assert sdp.parse(sdp.build(media, address="198.51.100.1")) == [media]


@pytest.mark.parametrize(("lines", "found"), [
    (["m=image 4000 UDPTL t38", "a=t38faxversion:3", "a=T38MAXBITRATE: 9600"], {"version": 3, "max_bit_rate": 9600}),
    (["m=image 4000/1 udptl t38", "a=T38FaxFillBitRemoval:0", "a=T38FaxTranscodingMMR:1"], {"transcoding_mmr": True}),
    (["m=image 4000 udptl t38", "a=T38FaxUdpEC:t38UDPFEC", "a=T38FaxUdpEC:t38UDPRedundancy"], {}),
    (["m=image 4000 udptl t38", "a=T38FaxUdpEC:t38UDPFEC"], {"error_correction": "fec"}),
    (["m=image 4000 udptl t38", "a=T38FaxVersion:x", "a=T38FaxMaxDatagram:-1", "a=T38MaxBitRate:" + "9" * 5000], {}),
    (["m=image 4000 udptl t38", "c=IN IP6 2001:db8::7"], {"address": "2001:db8::7"}),
    (["m=image 4000 udptl t38", "a=T38FaxUdpECDepth:2"], {"depth": (2, 2)}),
    (["m=image 0 udptl t38"], {"port": 0}),
    (["m=audio 5000 RTP/AVP 0", "a=T38FaxVersion:3", "m=image 4000 udptl t38"], {"index": 1}),
    (["a=T38FaxVersion:2", "m=image 4000 udptl t38"], {"version": 2}),
    (["m=image 4000 tcp t38", "a=T38FaxRateManagement:localTCF"], {"transport": "tcp", "tcf": "local"}),
])
def test_what_real_stacks_write(lines: list[str], found: dict[str, object]) -> None:
    text = HEAD + "".join(f"{line}\r\n" for line in lines)
    assert sdp.parse(text) == [replace(Media(port=4000, address="192.0.2.1"), **found)]


@pytest.mark.parametrize("line", [
    "m=image x udptl t38", "m=image 70000 udptl t38", "m=image 4000 RTP/AVP t38", "m=image 4000", "m=",
    "m=video 4000 udptl t38", "m=image 4000 udptl t37", "m=audio 4000 RTP/AVP 0 8", "m=audio 4000 udptl t38"])
def test_media_that_are_no_fax(line: str) -> None:
    assert sdp.parse(f"{HEAD}{line}\r\n") == []


@pytest.mark.parametrize("text", ["", "m=image 4000 udptl t38", b"\xff\xfe", "v=0\n" + "m=image 1 udptl t38\n" * 100,
                                  "v=0\n" + "a=x\n" * 30_000])
def test_what_is_no_description(text: str | bytes) -> None:
    with pytest.raises(FrameError):
        sdp.parse(text)


OWN = Media(port=7000, address="198.51.100.7", version=3, fill_removal=True, max_datagram=1400, max_buffer=4000)


@pytest.mark.parametrize(("offered", "answered"), [
    ({}, {"fill_removal": False}),
    ({"version": 3, "fill_removal": True}, {"version": 3}),
    ({"version": 1}, {"fill_removal": False}),
    ({"version": 4, "max_bit_rate": 9600, "tcf": "local"},
     {"version": 3, "max_bit_rate": 9600, "tcf": "local", "fill_removal": False}),
    ({"error_correction": "fec", "transcoding_mmr": True, "v34": True},
     {"error_correction": "fec", "fill_removal": False}),
    ({"port": 0, "index": 2}, {"port": 0, "index": 2, "fill_removal": False}),
])
def test_answers(offered: dict[str, object], answered: dict[str, object]) -> None:
    offer = replace(Media(port=4000, address="192.0.2.1", max_datagram=72), **offered)
    assert sdp.answer(offer, OWN) == replace(OWN, **{"version": 0} | answered)
    assert sdp.parse(sdp.build(sdp.answer(offer, OWN), address="192.0.2.3"))[0].port in (0, 7000)


def test_answers_of_other_transports() -> None:
    tcp = Media(port=1, transport="tcp")
    assert sdp.answer(tcp, Media(port=2, transport="tcp")).tcf == "local"
    with pytest.raises(ValueError, match="tcp"):
        sdp.answer(tcp, OWN)
    rtp_offer = Media(port=1, transport="rtp", payload_type=120, red_type=121)
    answered = sdp.answer(rtp_offer, Media(port=2, transport="rtp", payload_type=98, red_type=99))
    assert (answered.payload_type, answered.red_type) == (120, 121)
    assert sdp.answer(rtp_offer, Media(port=2, transport="rtp")).red_type is None


@pytest.mark.parametrize("wrong", [{"port": 65536}, {"transport": "sctp"}, {"tcf": "none"}, {"error_correction": "x"},
                                   {"vendor_info": "a\r\nm=image 1"}, {"address": "1\n"}])
def test_arguments_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"not|line"):
        Media(**{"port": 1} | wrong)


def test_what_was_agreed_carries_a_call() -> None:
    """The far end's limits, and what both can do, become the settings of a call."""
    far = sdp.Media(
        port=4000, version=3, max_datagram=180, max_buffer=1000, tcf="transferred", depth=(1, 2), fill_removal=True
    )
    agreed = sdp.answer(far, sdp.Media(port=5000, version=0, max_datagram=1400))
    carrier = sdp.carrier(agreed, far)
    assert (carrier.version, carrier.max_datagram, carrier.max_buffer, carrier.redundancy) == (0, 180, 1000, 2)
    assert (carrier.tcf, carrier.error_correction, carrier.fill_removal) == ("transferred", "redundancy", False)
    silent = sdp.carrier(agreed, sdp.Media(port=4000))
    assert (silent.max_datagram, silent.redundancy) == (150, 3)
    odd = sdp.carrier(agreed, sdp.Media(port=4000, max_datagram=9, max_buffer=1 << 30, depth=(0, 99), fec_max_span=0))
    assert (odd.max_datagram, odd.redundancy) == (50, 15)
