"""What the far end of a call says of itself, for its owner to accept or to refuse."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FarStation:
    """Who is there, and for whom or what it asks: fields that it did not send are empty [T.30 5.3.6.2].

    `identity` is CSI, CIG or TSI; `sub_address` SUB, `sender_id` SID, `password` PWD, `polling_address` SEP,
    `polled_sub_address` PSA; `tsa`, `ira`, `cia`, `isp` and `csa` are its internet addresses. `polls`: it wants to
    receive from us (DTC). `country` and `maker` are of its machine (NSF, NSC, NSS): the country where it is known, the
    maker as the octets that the country's office gave it [T.35].
    """

    identity: str = ""
    sub_address: str = ""
    sender_id: str = ""
    password: str = ""
    polling_address: str = ""
    polled_sub_address: str = ""
    tsa: str = ""
    ira: str = ""
    cia: str = ""
    isp: str = ""
    csa: str = ""
    polls: bool = False
    country: str = ""
    maker: str = ""
