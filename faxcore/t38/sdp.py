"""What two ends say about T.38 in SDP: offers and answers built, read and answered [T.38 Annex D; RFC 8866].

Names of attributes are compared without case: senders vary. Numbers and words that make no sense are as good as
absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from faxcore.errors import FrameError
from faxcore.options import T38

LONGEST = 1 << 16
_MOST_MEDIA = 64
_TRANSPORTS = {"udptl": "udptl", "udptl/t38": "udptl", "tcp": "tcp"}
_CORRECTIONS = {"t38udpredundancy": "redundancy", "t38udpfec": "fec", "t38udpnoec": "none"}
_CORRECTION_NAMES = {"redundancy": "t38UDPRedundancy", "fec": "t38UDPFEC", "none": "t38UDPNoEC"}
_TCF = {"transferredtcf": "transferred", "localtcf": "local"}
_NUMBERS = {
    "t38faxversion": "version", "t38maxbitrate": "max_bit_rate", "t38faxmaxbitrate": "max_bit_rate",
    "t38faxmaxbuffer": "max_buffer", "t38faxmaxdatagram": "max_datagram", "t38maxdatagram": "max_datagram",
    "t38faxmaxifp": "max_ifp", "t38faxudpfecmaxspan": "fec_max_span",
}
_FLAGS = {
    "t38faxfillbitremoval": "fill_removal", "t38faxtranscodingmmr": "transcoding_mmr",
    "t38faxtranscodingjbig": "transcoding_jbig",
}
_TCF_NAMES = {"transferred": "transferredTCF", "local": "localTCF"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One T.38 medium of an offer or answer. `port` 0: refused or switched off.

    `transport` is "udptl", "tcp" or "rtp" (then with its payload types). `max_bit_rate` is in bit/s;
    `max_buffer`, `max_datagram` and `max_ifp` in octets, None: not said. `depth` is (least, most) entries of
    `error_correction` wanted, "redundancy", "fec" or "none". `index`: which medium of the description it is.
    """

    port: int
    address: str | None = None
    transport: str = "udptl"
    version: int = 0
    max_bit_rate: int = 14400
    tcf: str = "transferred"
    max_buffer: int | None = None
    max_datagram: int | None = None
    max_ifp: int | None = None
    fill_removal: bool = False
    transcoding_mmr: bool = False
    transcoding_jbig: bool = False
    error_correction: str = "redundancy"
    depth: tuple[int, int] | None = None
    fec_max_span: int | None = None
    v34: bool = False
    vendor_info: str | None = None
    payload_type: int = 98
    red_type: int | None = None
    index: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 0xFFFF:
            raise ValueError(f"port is 0 to 65535, not {self.port}")
        for name, known in (("transport", ("udptl", "tcp", "rtp")), ("tcf", _TCF_NAMES),
                            ("error_correction", _CORRECTION_NAMES)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, not {getattr(self, name)!r}")
        if re.search(r"[\r\n\0]", f"{self.vendor_info}{self.address}"):
            raise ValueError("address and vendor_info are of one line")


def media_lines(media: Media) -> list[str]:
    """The m-line of a medium, its address if it has one, and its attributes, without ends of line."""
    if media.transport == "rtp":
        return _rtp_lines(media)
    lines = [f"m=image {media.port} {media.transport} t38", *_address_lines(media.address)]
    return lines if not media.port else lines + [
        f"a={name}" if value is None else f"a={name}:{value}" for name, value in _attributes(media)]


def _rtp_lines(media: Media) -> list[str]:
    types = [media.payload_type] + [media.red_type] * (media.red_type is not None)
    lines = [f"m=audio {media.port} RTP/AVP {' '.join(map(str, types))}", *_address_lines(media.address)]
    words = ";".join(name if value is None else f"{name}={value}" for name, value in _attributes(media))
    lines += [f"a=rtpmap:{media.payload_type} t38/8000", f"a=fmtp:{media.payload_type} {words}"]
    if media.red_type is not None:
        again = "/".join([str(media.payload_type)] * 2)
        lines += [f"a=rtpmap:{media.red_type} red/8000", f"a=fmtp:{media.red_type} {again}"]
    return lines


def _address_lines(address: str | None) -> list[str]:
    return [] if address is None else [f"c=IN IP{'6' if ':' in address else '4'} {address}"]


def _attributes(media: Media) -> Iterator[tuple[str, object]]:
    yield "T38FaxVersion", media.version
    yield "T38MaxBitRate", media.max_bit_rate
    for name, flag in (("T38FaxFillBitRemoval", media.fill_removal), ("T38FaxTranscodingMMR", media.transcoding_mmr),
                       ("T38FaxTranscodingJBIG", media.transcoding_jbig)):
        if flag:
            yield name, None
    yield "T38FaxRateManagement", _TCF_NAMES[media.tcf]
    for name, value in (("T38FaxMaxBuffer", media.max_buffer), ("T38FaxMaxDatagram", media.max_datagram),
                        ("T38FaxMaxIFP", media.max_ifp)):
        if value is not None:
            yield name, value
    if media.transport == "udptl":
        yield "T38FaxUdpEC", _CORRECTION_NAMES[media.error_correction]
        if media.depth is not None:
            yield "T38FaxUdpECDepth", "{}:{}".format(*media.depth)
        if media.fec_max_span is not None:
            yield "T38FaxUdpFECMaxSpan", media.fec_max_span
    if media.v34:
        yield "T38ModemType", "t38G3AndV34G3"
    if media.vendor_info is not None:
        yield "T38VendorInfo", media.vendor_info


def build(media: Media, *, address: str, session: int = 0, version: int = 0) -> str:
    """A whole session description with one medium. `session` and `version` are the numbers of its origin line."""
    (where,) = _address_lines(address)
    head = ["v=0", f"o=- {session} {version} {where[2:]}", "s=-", where, "t=0 0"]
    return "".join(f"{line}\r\n" for line in [*head, *media_lines(media)])


def parse(description: str | bytes) -> list[Media]:
    """The T.38 media of a session description, in its order; FrameError if it is none at all."""
    text = description.decode("utf-8", "replace") if isinstance(description, bytes) else description
    if len(text) > LONGEST:
        raise FrameError("a session description longer than 65 536 characters")
    lines = re.split(r"\r\n|\r|\n", text)
    if not lines[0].startswith("v="):
        raise FrameError("no session description")
    sections: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            sections.append([])
        sections[-1].append(line)
    if len(sections) > _MOST_MEDIA:
        raise FrameError("more media than a call has")
    found = (_media(sections[0], section, index) for index, section in enumerate(sections[1:]))
    return [media for media in found if media is not None]


def _media(session: list[str], section: list[str], index: int) -> Media | None:
    words = section[0][2:].split()
    port = _number(words[1].partition("/")[0], 0xFFFF) if len(words) >= 4 else None
    if port is None:
        return None
    transport = _TRANSPORTS.get(words[2].lower())
    address = _address(section) or _address(session)
    # Some put the attributes before the first medium.
    attributes = [*_lines(session, "a="), *_lines(section, "a=")]
    if words[0].lower() == "image" and transport and words[3].lower() == "t38":
        return _with(Media(port=port, address=address, transport=transport, index=index), map(_pair, attributes))
    if words[0].lower() == "audio" and words[2].upper().startswith("RTP/"):
        return _rtp_media(Media(port=port, address=address, transport="rtp", index=index), words[3:], attributes)
    return None


def _rtp_media(media: Media, types: list[str], attributes: list[str]) -> Media | None:
    kinds: dict[str, int] = {}
    for type_ in types:
        for attribute in attributes:
            match = re.fullmatch(rf"rtpmap:{re.escape(type_)}\s+(t38|red)/8000(/1)?\s*", attribute, re.IGNORECASE)
            if match and (number := _number(type_, 127)) is not None:
                kinds.setdefault(match[1].lower(), number)
    if "t38" not in kinds:
        return None
    media = replace(media, payload_type=kinds["t38"], red_type=kinds.get("red"))
    words = [word for attribute in attributes if attribute.lower().startswith(f"fmtp:{kinds['t38']} ")
             for word in attribute.partition(" ")[2].split(";")]
    return _with(media, (_pair(word.replace("=", ":", 1)) for word in words))


def _with(media: Media, pairs: Iterable[tuple[str, str]]) -> Media:
    corrections = set()
    changes: dict[str, Any] = {}
    for name, value in pairs:
        if name == "t38faxudpec":
            corrections.add(_CORRECTIONS.get(value.lower(), "redundancy"))
        changes |= _attribute(name, value)
    if len(corrections) == 1:    # two of them are seen: take redundancy
        changes["error_correction"] = corrections.pop()
    return replace(media, **changes)


def _attribute(name: str, value: str) -> dict[str, Any]:
    """What one attribute says, by the names of Media."""
    number = _number(value)
    if name in _NUMBERS and number is not None:
        return {_NUMBERS[name]: number}
    if name in _FLAGS:
        return {_FLAGS[name]: value != "0"}
    if name == "t38faxratemanagement" and value.lower() in _TCF:
        return {"tcf": _TCF[value.lower()]}
    if name == "t38faxudpecdepth" and (match := re.fullmatch(r"([0-9]{1,3})(?::([0-9]{1,3}))?", value)):
        return {"depth": (int(match[1]), int(match[2] or match[1]))}
    if name == "t38modemtype":
        return {"v34": "v34" in value.lower()}
    if name == "t38vendorinfo":
        return {"vendor_info": value.replace("\0", "")}
    return {}


def _lines(section: list[str], kind: str) -> list[str]:
    return [line[2:].strip() for line in section if line.startswith(kind)]


def _pair(attribute: str) -> tuple[str, str]:
    name, _, value = attribute.partition(":")
    return name.strip().lower(), value.strip()


def _address(section: list[str]) -> str | None:
    for line in _lines(section, "c="):
        words = line.split()
        if len(words) == 3 and words[1].upper() in ("IP4", "IP6"):
            return words[2].partition("/")[0].replace("\0", "")
    return None


def _number(word: str, most: int = 1 << 31) -> int | None:
    return int(word) if re.fullmatch(r"[0-9]{1,10}", word) and int(word) <= most else None


def answer(offer: Media, own: Media) -> Media:
    """The answer to an offer: what both can do, with the limits of our own receiver.

    `own` says what we would offer, with our port and address. ValueError if the transports differ.
    """
    if offer.transport != own.transport:
        raise ValueError(f"an offer of {offer.transport} cannot be answered with {own.transport}")
    version = min(offer.version, own.version)
    return replace(
        own,
        port=own.port if offer.port else 0,
        version=0 if version == 1 else version,    # what 1 means is disputed [T.38 Annex A]
        max_bit_rate=min(offer.max_bit_rate, own.max_bit_rate),
        tcf="local" if own.transport == "tcp" else offer.tcf,
        fill_removal=offer.fill_removal and own.fill_removal,
        transcoding_mmr=offer.transcoding_mmr and own.transcoding_mmr,
        transcoding_jbig=offer.transcoding_jbig and own.transcoding_jbig,
        error_correction=offer.error_correction,
        v34=offer.v34 and own.v34,
        payload_type=offer.payload_type,
        red_type=None if own.red_type is None else offer.red_type,
        index=offer.index,
    )


_OURS = T38()


def carrier(agreed: Media, far: Media) -> T38:
    """What carries a call to `far`, the far end's own medium, with what both `agreed` on: the answer, whoever made it.

    Datagrams stay within what the far end takes, 150 octets where it says nothing.
    """
    depth = far.depth[1] if far.depth else _OURS.redundancy
    return T38(
        version=min(agreed.version, 3),
        tcf=agreed.tcf,
        error_correction=agreed.error_correction,
        redundancy=min(max(depth, 0), 15),
        fec_span=min(far.fec_max_span or _OURS.fec_span, _OURS.fec_span),
        max_datagram=min(max(far.max_datagram or 150, 50), 400),
        max_buffer=min(max(far.max_buffer or _OURS.max_buffer, 40), 1 << 20),
        fill_removal=agreed.fill_removal,
    )
