"""Who the far end is: identities and addresses of 20 octets, internet addresses, NSF, FNV [T.30 5.3.6.2]."""

from __future__ import annotations

from collections.abc import Iterable

from faxcore.result import ResultCode
from faxcore.stations import FarStation
from faxcore.t30.frames import FCF, REVERSED, Frame

LENGTH = 20

FIELDS = {
    FCF.CSI: "identity", FCF.CIG: "identity", FCF.TSI: "identity",
    FCF.SUB: "sub_address", FCF.SID: "sender_id", FCF.PWD: "password",
    FCF.SEP: "polling_address", FCF.PSA: "polled_sub_address",
}  # fmt: skip
INTERNET_FIELDS = {FCF.TSA: "tsa", FCF.IRA: "ira", FCF.CIA: "cia", FCF.ISP: "isp", FCF.CSA: "csa"}

REFUSALS = {
    "polls": ResultCode.NOPOLL,
    "identity": ResultCode.IDENT_UNACCEPTABLE,
    "sub_address": ResultCode.SUB_UNACCEPTABLE,
    "polling_address": ResultCode.SEP_UNACCEPTABLE,
    "polled_sub_address": ResultCode.PSA_UNACCEPTABLE,
    "sender_id": ResultCode.SID_UNACCEPTABLE,
    "password": ResultCode.PWD_UNACCEPTABLE,
    "tsa": ResultCode.TSA_UNACCEPTABLE,
    "ira": ResultCode.IRA_UNACCEPTABLE,
    "cia": ResultCode.CIA_UNACCEPTABLE,
    "isp": ResultCode.ISP_UNACCEPTABLE,
    "csa": ResultCode.CSA_UNACCEPTABLE,
}
"""The code of a call that ends because its owner does not want a field of `FarStation`."""

REASONS = (
    {1: "password", 2: "polling_address", 3: "sub_address", 4: "sender_id", 6: "identity", 7: "polled_sub_address"},
    {2: "ira", 3: "isp"},
)
"""What the bits of the first two octets of FNV complain of."""

MORE_REASONS = 0x80  # in the first octet: a second one follows

# T.35 annex A: where facsimile machines are made. Their bits come in either order; countries that could then be two
# (Austria or Hong Kong, Canada or Germany) are left out, save Germany.
COUNTRIES = {
    0x00: "Japan", 0x04: "Germany", 0x09: "Australia", 0x26: "China", 0x31: "Denmark", 0x3C: "Finland",
    0x3D: "France", 0x53: "India", 0x58: "Israel", 0x59: "Italy", 0x61: "Korea", 0x7B: "Netherlands",
    0x82: "Norway", 0x9C: "Singapore", 0xA0: "Spain", 0xA5: "Sweden", 0xA6: "Switzerland", 0xB4: "United Kingdom",
    0xB5: "United States",
}  # fmt: skip


def encode_identity(text: str) -> bytes:
    """The information field of CSI, TSI, CIG and the address fields.

    `text`: at most 20 characters of printable ASCII, else ValueError. Digits, + and spaces are what T.30 table 3
    allows; letters are common and every machine shows them.
    """
    if len(text) > LENGTH or not (text.isascii() and (text.isprintable() or not text)):
        raise ValueError(f"an identity has at most {LENGTH} printable ASCII characters, not {text!r}")
    return text[::-1].ljust(LENGTH).encode("ascii")


def decode_identity(fif: bytes) -> str:
    """The text of such a field, of any length; never raises.

    Machines pad in front, with NUL, send too few octets, lower case or UTF-8: padding goes at both ends, what
    cannot be printed becomes "?", the rest stays.
    """
    field = fif.strip(b" \0")[::-1]
    try:
        text = field.decode("utf-8")
    except UnicodeDecodeError:
        text = field.decode("latin-1")
    return "".join(character if character.isprintable() else "?" for character in text)


def far_station(before: FarStation, frames: Iterable[Frame]) -> FarStation:
    """The far end after one more signal: who it is stays known, what it asks for is what this signal asks for."""
    said: dict[str, str | bool] = {"identity": before.identity, "country": before.country, "maker": before.maker}
    for frame in frames:
        if frame.fcf in FIELDS:
            said[FIELDS[frame.fcf]] = decode_identity(frame.fif)
        elif frame.fcf in INTERNET_FIELDS:
            said[INTERNET_FIELDS[frame.fcf]] = internet_address(frame.fif)
        elif frame.fcf in (FCF.NSF, FCF.NSC, FCF.NSS):
            said["country"], said["maker"] = maker(frame.fif)
        said["polls"] = frame.fcf is FCF.DTC
    return FarStation(**said)  # type: ignore[arg-type]


def internet_address(fif: bytes) -> str:
    """The text of TSA, IRA, CIA, ISP or CSA; never raises [T.30 5.3.6.2.12]."""
    text = fif[3 : 3 + fif[2]] if len(fif) > 2 else b""
    return "".join(character if character.isprintable() else "?" for character in text.decode("utf-8", "replace"))


def maker(fif: bytes) -> tuple[str, str]:
    """The country that NSF, NSC or NSS names and the octets of its maker there; "" where nobody knows [T.35 3]."""
    if not fif:
        return "", ""
    codes = fif if fif[0] in COUNTRIES else bytes(REVERSED[octet] for octet in fif)
    country = COUNTRIES.get(codes[0], "")
    return country, codes[1:4].hex(" ") if country else ""


def refusal(field: str) -> bytes | None:
    """The information field of FNV for a field of `FarStation`; None where FNV has no word for it."""
    for index, reasons in enumerate(REASONS):
        for bit, name in reasons.items():
            if name == field:
                return bytes((MORE_REASONS,)) * index + bytes((1 << (bit - 1),))
    return None


def refused_field(fif: bytes) -> ResultCode:
    """The code for what FNV complains of; UNEXPECTED where it does not say [T.30 5.3.6.2.13]."""
    for octet, reasons in zip(fif, REASONS, strict=False):
        for bit, field in reasons.items():
            if octet >> (bit - 1) & 1:
                return REFUSALS[field]
    return ResultCode.UNEXPECTED
