"""IFP packets, the messages of T.38, in both wire forms [T.38 7.2-7.4, Annex A; X.691 aligned].

The octets of a field are as on the wire: the first bit on the line is the most significant one. Everywhere else
in faxcore it is the least significant: `line_order` turns one into the other, and the place for it is where
fields become signals (`faxcore.signals`) and back. Nothing in this package turns bits by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from faxcore.errors import FrameError

LONGEST_FIELD = 65535
_MOST_FIELDS = 16383
_TURNED = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


class Form(Enum):
    """The two encodings of a field: without and with an extension marker in its type [T.38 Annex A]."""

    V1998 = 1998
    V2002 = 2002

    @classmethod
    def of_version(cls, version: int) -> Form:
        """The form that a negotiated T38FaxVersion asks for; sources disagree about 1, taken as most stacks do."""
        return cls.V2002 if version else cls.V1998


class IndicatorKind(IntEnum):
    """What an indicator tells; from V8_ANSAM on only version 3 knows them [T.38 7.3.1]."""

    NO_SIGNAL = 0
    CNG = 1
    CED = 2
    V21_PREAMBLE = 3
    V27_2400_TRAINING = 4
    V27_4800_TRAINING = 5
    V29_7200_TRAINING = 6
    V29_9600_TRAINING = 7
    V17_7200_SHORT_TRAINING = 8
    V17_7200_LONG_TRAINING = 9
    V17_9600_SHORT_TRAINING = 10
    V17_9600_LONG_TRAINING = 11
    V17_12000_SHORT_TRAINING = 12
    V17_12000_LONG_TRAINING = 13
    V17_14400_SHORT_TRAINING = 14
    V17_14400_LONG_TRAINING = 15
    V8_ANSAM = 16
    V8_SIGNAL = 17
    V34_CNTL_CHANNEL_1200 = 18
    V34_PRI_CHANNEL = 19
    V34_CC_RETRAIN = 20
    V33_12000_TRAINING = 21
    V33_14400_TRAINING = 22


class DataKind(IntEnum):
    """The modulation that data is for; from V8 on only version 3 knows them [T.38 7.3.2]."""

    V21 = 0
    V27_2400 = 1
    V27_4800 = 2
    V29_7200 = 3
    V29_9600 = 4
    V17_7200 = 5
    V17_9600 = 6
    V17_12000 = 7
    V17_14400 = 8
    V8 = 9
    V34_PRI_RATE = 10
    V34_CC_1200 = 11
    V34_PRI_CH = 12
    V33_12000 = 13
    V33_14400 = 14


class FieldType(IntEnum):
    """What a field of a data packet holds; from CM_MESSAGE on only version 3 knows them [T.38 7.4]."""

    HDLC_DATA = 0
    HDLC_SIG_END = 1
    HDLC_FCS_OK = 2
    HDLC_FCS_BAD = 3
    HDLC_FCS_OK_SIG_END = 4
    HDLC_FCS_BAD_SIG_END = 5
    T4_NON_ECM_DATA = 6
    T4_NON_ECM_SIG_END = 7
    CM_MESSAGE = 8
    JM_MESSAGE = 9
    CI_MESSAGE = 10
    V34_RATE = 11


FIRST_EXTENDED_INDICATOR = IndicatorKind.V8_ANSAM
FIRST_EXTENDED_DATA = DataKind.V8
FIRST_EXTENDED_FIELD = FieldType.CM_MESSAGE

_INDICATORS = tuple(IndicatorKind)
_DATA = tuple(DataKind)
_FIELDS = tuple(FieldType)


@dataclass(frozen=True, slots=True)
class Indicator:
    """A signal begins or a tone is heard."""

    kind: IndicatorKind


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a data packet; no octets: the field is without data."""

    type: FieldType
    octets: bytes = b""


@dataclass(frozen=True, slots=True)
class Data:
    """Fields in the order of the line."""

    kind: DataKind
    fields: tuple[Field, ...] = ()


Packet = Indicator | Data


class TruncatedError(FrameError):
    """The octets are the beginning of a packet that needs more of them."""


def line_order(octets: bytes) -> bytes:
    """Octets with their bits turned round: from the wire's order to the line's order, or back."""
    return octets.translate(_TURNED)


def encode(packet: Packet, form: Form) -> bytes:
    """The octets of a packet [T.38 Annex A].

    Some peers misread a field that follows one without data in one packet of the 2002 form: let a field without
    data be the last one. ValueError for a kind that the form does not have, a field of more than 65 535 octets
    or more than 16 383 fields.
    """
    if isinstance(packet, Indicator):
        return _first(0, packet.kind, FIRST_EXTENDED_INDICATOR, form)
    if not packet.fields:
        return _first(0x40, packet.kind, FIRST_EXTENDED_DATA, form)
    if len(packet.fields) > _MOST_FIELDS:
        raise ValueError(f"a packet has at most {_MOST_FIELDS} fields, not {len(packet.fields)}")
    count = len(packet.fields)
    head = bytes((count,)) if count < 128 else (0x8000 | count).to_bytes(2)
    out = bytearray(_first(0xC0, packet.kind, FIRST_EXTENDED_DATA, form) + head)
    _append_fields(out, packet.fields, form)
    return bytes(out)


def _first(top: int, value: int, extended: int, form: Form) -> bytes:
    if value < extended:
        return bytes((top | value << 1,))
    if form is Form.V1998:
        raise ValueError(f"the 1998 form has no {_name(top, value)}")
    return ((top | 0x20) << 8 | (value - extended) << 6).to_bytes(2)


def _name(top: int, value: int) -> str:
    return (DataKind if top else IndicatorKind)(value).name


def _append_fields(out: bytearray, fields: tuple[Field, ...], form: Form) -> None:
    bits = width = 0    # header bits not yet in `out`: fields without data follow each other within octets
    for field in fields:
        header, size = _header(field, form)
        bits, width = bits << size | header, width + size
        if field.octets:
            if len(field.octets) > LONGEST_FIELD:
                raise ValueError(f"a field holds at most {LONGEST_FIELD} octets, not {len(field.octets)}")
            _append_bits(out, bits, width)
            bits = width = 0
            out += (len(field.octets) - 1).to_bytes(2) + field.octets
    _append_bits(out, bits, width)


def _header(field: Field, form: Form) -> tuple[int, int]:
    """The bits of a field's header and their number."""
    present = bool(field.octets)
    if form is Form.V1998:
        if field.type >= FIRST_EXTENDED_FIELD:
            raise ValueError(f"the 1998 form has no {field.type.name}")
        return present << 3 | field.type, 4
    if field.type < FIRST_EXTENDED_FIELD:
        return present << 4 | field.type, 5
    return present << 8 | 0x80 | (field.type - FIRST_EXTENDED_FIELD), 9


def _append_bits(out: bytearray, bits: int, width: int) -> None:
    octets = -(-width // 8)
    out += (bits << 8 * octets - width).to_bytes(octets)


def decode(octets: bytes, form: Form) -> Packet:
    """The packet of these octets; FrameError if they are none.

    Zero octets behind the packet are ignored: parity recovery leaves them. Fields of a type that nobody has
    defined yet are left out. In the 2002 form field headers are also taken as whole octets, as a wide-spread
    library writes them, where the standard's reading fails.
    """
    try:
        packet, end = parse(octets, form)
        if any(octets[end:]):
            raise FrameError("octets behind the packet")
    except FrameError:
        if form is Form.V1998:
            raise
        packet, end = parse(octets, form, whole_octets=True)
        if any(octets[end:]):
            raise FrameError("octets behind the packet") from None
    return packet


def parse(octets: bytes, form: Form, *, whole_octets: bool = False) -> tuple[Packet, int]:
    """The packet that begins these octets and its length in octets; FrameError if none does, TruncatedError if it
    is cut off."""
    if not octets:
        raise TruncatedError("no octets")
    first = octets[0]
    value, at = first >> 1 & 15, 1
    extended = first & 0x20
    if extended:
        if len(octets) < 2:
            raise TruncatedError("half of a type")
        value, at = (first & 15) << 2 | octets[1] >> 6, 2
        if first & 0x10 or octets[1] & 0x3F:
            raise FrameError("no such type of message")
    elif first & 1:
        raise FrameError("no such type of message")
    if first & 0x40:
        kind = _data_kind(value, bool(extended))
        fields, at = _fields(octets, at, form, whole_octets) if first & 0x80 else ((), at)
        return Data(kind, fields), at
    if first & 0x80:
        raise FrameError("an indicator with data")
    return Indicator(_indicator_kind(value, bool(extended))), at


def _indicator_kind(value: int, extended: bool) -> IndicatorKind:
    value += FIRST_EXTENDED_INDICATOR if extended else 0
    if value >= len(_INDICATORS):
        raise FrameError("an unknown indicator")
    return _INDICATORS[value]


def _data_kind(value: int, extended: bool) -> DataKind:
    if not extended and value >= FIRST_EXTENDED_DATA:
        raise FrameError("an unknown type of data")
    value += FIRST_EXTENDED_DATA if extended else 0
    if value >= len(_DATA):
        raise FrameError("an unknown type of data")
    return _DATA[value]


def _fields(octets: bytes, at: int, form: Form, whole_octets: bool) -> tuple[tuple[Field, ...], int]:
    count, at = _field_count(octets, at)
    read = _header_1998 if form is Form.V1998 else _header_2002
    fields: list[Field] = []
    bit = 8 * at
    for _ in range(count):
        present, kind, bit = read(octets, bit)
        data = b""
        if present or whole_octets:
            bit = _aligned(octets, bit)
        if present:
            data, bit = _field_data(octets, bit // 8)
        if kind < len(_FIELDS):
            fields.append(Field(_FIELDS[kind], data))
    return tuple(fields), _aligned(octets, bit) // 8


def _field_count(octets: bytes, at: int) -> tuple[int, int]:
    if at >= len(octets):
        raise TruncatedError("no number of fields")
    count = octets[at]
    if count < 0x80:
        return count, at + 1
    if count & 0x40:
        raise FrameError("more fields than a packet has")
    if at + 1 >= len(octets):
        raise TruncatedError("half of a number of fields")
    return (count & 0x3F) << 8 | octets[at + 1], at + 2


def _header_1998(octets: bytes, bit: int) -> tuple[int, int, int]:
    """Whether data follows, the type, and the bit behind the header."""
    if bit >= 8 * len(octets):
        raise TruncatedError("no field")
    header = octets[bit >> 3] >> (0 if bit & 4 else 4)
    return header >> 3 & 1, header & 7, bit + 4


def _header_2002(octets: bytes, bit: int) -> tuple[int, int, int]:
    window = int.from_bytes(octets[bit >> 3:(bit >> 3) + 2].ljust(2, b"\0")) << (bit & 7) & 0xFFFF
    end = bit + (9 if window & 0x4000 else 5)
    if end > 8 * len(octets):
        raise TruncatedError("no field")
    if not window & 0x4000:
        return window >> 15, window >> 11 & 7, end
    if window & 0x2000:
        raise FrameError("no such type of field")
    return window >> 15, FIRST_EXTENDED_FIELD + (window >> 7 & 0x3F), end


def _aligned(octets: bytes, bit: int) -> int:
    """The next bit that begins an octet; the bits up to it are 0."""
    if bit & 7 and octets[bit >> 3] & 0xFF >> (bit & 7):
        raise FrameError("padding that is not zero")
    return bit + 7 & ~7


def _field_data(octets: bytes, at: int) -> tuple[bytes, int]:
    """The octets of a field and the bit behind them."""
    if at + 2 > len(octets):
        raise TruncatedError("no length of a field")
    length = (octets[at] << 8 | octets[at + 1]) + 1
    end = at + 2 + length
    if length > LONGEST_FIELD:
        raise FrameError("a field longer than a field can be")
    if end > len(octets):
        raise TruncatedError("a field is cut off")
    return octets[at + 2:end], 8 * end
