"""Station identities and addresses: 20 octets, last character first [T.30 5.3.6.2]."""

from __future__ import annotations

LENGTH = 20


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
