"""Oracles for T.38: the ASN.1 of both forms for asn1tools, and tshark's dissectors."""

from __future__ import annotations

import functools
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from faxcore.t38 import ifp, pcap
from faxcore.t38.ifp import Data, DataKind, Field, FieldType, Form, Indicator, IndicatorKind

HERE, THERE = pcap.Endpoint("192.0.2.1", 4000), pcap.Endpoint("192.0.2.2", 4002)

_PLAIN_INDICATORS = "i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13, i14, i15"
_SCHEMA = """
T38 DEFINITIONS AUTOMATIC TAGS ::= BEGIN
IFPPacket ::= SEQUENCE {{
  type-of-msg CHOICE {{
    indicator ENUMERATED {{ {indicators} , ... {more_indicators} }},
    data ENUMERATED {{ d0, d1, d2, d3, d4, d5, d6, d7, d8 , ... {more_data} }}
  }},
  fields SEQUENCE OF SEQUENCE {{
    type ENUMERATED {{ f0, f1, f2, f3, f4, f5, f6, f7 {more_fields} }},
    octets OCTET STRING (SIZE (1..65535)) OPTIONAL
  }} OPTIONAL
}}
UDPTLPacket ::= SEQUENCE {{
  seq-number INTEGER (0..65535),
  primary OPEN-PACKET,
  error-recovery CHOICE {{
    secondary SEQUENCE OF OPEN-PACKET,
    fec SEQUENCE {{ span INTEGER, parity SEQUENCE OF OCTET STRING }}
  }}
}}
OPEN-PACKET ::= OCTET STRING
END
"""


@functools.cache
def schema(form: Form) -> Any:
    """The recommendation's ASN.1, names by number; a packet inside a datagram is coded like an octet string."""
    import asn1tools

    new = form is Form.V2002
    text = _SCHEMA.format(
        indicators=_PLAIN_INDICATORS,
        more_indicators=", i16, i17, i18, i19, i20, i21, i22" if new else "",
        more_data=", d9, d10, d11, d12, d13, d14" if new else "",
        more_fields=", ... , f8, f9, f10, f11" if new else "")
    return asn1tools.compile_string(text, "per")


def oracle_encode(packet: ifp.Packet, form: Form) -> bytes:
    """The octets of a packet by asn1tools."""
    if isinstance(packet, Indicator):
        value: dict[str, Any] = {"type-of-msg": ("indicator", f"i{packet.kind.value}")}
    else:
        value = {"type-of-msg": ("data", f"d{packet.kind.value}")}
        if packet.fields:
            value["fields"] = [{"type": f"f{f.type.value}"} | ({"octets": f.octets} if f.octets else {})
                               for f in packet.fields]
    return bytes(schema(form).encode("IFPPacket", value))


def packets(form: Form) -> st.SearchStrategy[ifp.Packet]:
    """Any packet of a form."""
    new = form is Form.V2002
    indicators = [kind for kind in IndicatorKind if new or kind < ifp.FIRST_EXTENDED_INDICATOR]
    kinds = [kind for kind in DataKind if new or kind < ifp.FIRST_EXTENDED_DATA]
    types = [type_ for type_ in FieldType if new or type_ < ifp.FIRST_EXTENDED_FIELD]
    octets = st.one_of(st.just(b""), st.binary(max_size=20), st.integers(120, 700).map(bytes))
    fields = st.lists(st.builds(Field, st.sampled_from(types), octets), max_size=6)
    many = st.integers(120, 300).map(lambda n: [Field(FieldType.HDLC_FCS_OK)] * n)
    return st.one_of(
        st.builds(Indicator, st.sampled_from(indicators)),
        st.builds(Data, st.sampled_from(kinds), st.one_of(fields, fields, many).map(tuple)))


def dissect(datagrams: Iterable[bytes], form: Form, fields: Sequence[str]) -> list[list[str]]:
    """What tshark shows of these fields, a row per datagram, several values joined by a comma.

    AssertionError if it finds anything malformed, or calls anything an error or a warning.
    """
    rows = _tshark(datagrams, form, [*fields, "_ws.malformed", "_ws.expert.severity", "_ws.expert.message"])
    for number, row in enumerate(rows):
        severities = [int(severity) for severity in row[-2].split(",") if severity]
        assert not row[-3], f"datagram {number} is malformed: {row}"
        assert max(severities, default=0) < 0x600000, f"datagram {number}: {row}"
    return [row[:-3] for row in rows]


def _tshark(datagrams: Iterable[bytes], form: Form, fields: Sequence[str]) -> list[list[str]]:
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        writer = pcap.Writer(file)    # type: ignore[arg-type]
        for number, datagram in enumerate(datagrams):
            writer.write(number * 0.03, HERE, THERE, datagram)
        file.flush()
        old = "TRUE" if form is Form.V1998 else "FALSE"
        shown = [word for field in fields for word in ("-e", field)]
        done = subprocess.run(
            ["tshark", "-r", file.name, "-d", f"udp.port=={HERE.port},t38", "-n",
             "-o", f"t38.use_pre_corrigendum_asn1_specification:{old}",
             "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields", *shown],
            capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]
