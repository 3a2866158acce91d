"""IFP packets against published vectors, both ways, in both forms."""

from __future__ import annotations

from typing import Any

import pytest

from faxcore.t38 import ifp
from faxcore.t38.ifp import Data, DataKind, Field, FieldType, Form, Indicator, IndicatorKind
from tests.support import vectors

PACKETS = vectors("t38_ifp")["packets"]
FORMS = {"1998": Form.V1998, "2002": Form.V2002}


def member(name: str) -> str:
    """A name of the recommendation as ours: short and long trainings stand in different places."""
    return {"V34RATE": "V34_RATE"}.get(name.upper().replace("-", "_"), name.upper().replace("-", "_"))


def packet_of(entry: dict[str, Any]) -> ifp.Packet:
    if entry["type"] == "indicator":
        return Indicator(IndicatorKind[member(entry["value"])])
    fields = tuple(Field(FieldType[member(field["field_type"])], bytes.fromhex(field["data_hex"] or ""))
                   for field in entry["fields"])
    return Data(DataKind[member(entry["value"])], fields)


@pytest.mark.parametrize("entry", PACKETS, ids=lambda e: f"{e['asn1']}-{e['value']}-{e['hex'][:24]}")
def test_packet(entry: dict[str, Any]) -> None:
    octets, form, packet = bytes.fromhex(entry["hex"]), FORMS[entry["asn1"]], packet_of(entry)
    assert ifp.decode(octets, form) == packet
    assert ifp.encode(packet, form) == octets
    assert ifp.decode(octets + bytes(3), form) == packet
    assert ifp.parse(octets + b"\x06", form) == (packet, len(octets))
    for end in range(len(octets)):
        with pytest.raises(ifp.TruncatedError):
            ifp.parse(octets[:end], form)
