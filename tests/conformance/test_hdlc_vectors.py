"""HDLC against published vectors: FCS and line bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from faxcore import hdlc
from tests.support import vectors

FRAMES = vectors("t30_frames")["frames"]
V21 = vectors("v21")


@pytest.mark.parametrize("frame", FRAMES, ids=lambda f: f["name"])
def test_fcs_of_t30_frames(frame: dict[str, Any]) -> None:
    assert hdlc.fcs(bytes.fromhex(frame["frame_lsb_hex"])).to_bytes(2, "little").hex().upper() == frame["fcs_lsb_hex"]


def test_fcs_check_value() -> None:
    """CRC-16/X-25 of "123456789" in every catalogue of CRCs."""
    assert hdlc.fcs(b"123456789") == 0x906E


def test_v21_line_bits() -> None:
    frames = [bytes.fromhex(f["octets_in_line_bit_order_lsb_first_hex"]) for f in V21["frames"]]
    bits = hdlc.frame_bits(frames, preamble_flags=V21["flags_before"], flags_between=V21["flags_between"],
                           flags_after=V21["flags_after"])
    assert "".join(map(str, bits)) == V21["line_bits"]


def test_v21_line_bits_deframed() -> None:
    bits = np.frombuffer(V21["line_bits"].encode(), np.uint8) - 48
    frames = hdlc.Deframer().push(bits)
    assert [(f.octets.hex(), f.good) for f in frames] == [
        (f["octets_in_line_bit_order_lsb_first_hex"], True) for f in V21["frames"]]


@pytest.mark.parametrize("frame", [f for f in FRAMES if "line_bits_flag_to_flag" in f], ids=lambda f: f["name"])
def test_t30_line_bits(frame: dict[str, Any]) -> None:
    bits = hdlc.frame_bits([bytes.fromhex(frame["frame_lsb_hex"])], preamble_flags=1, flags_after=1)
    assert "".join(map(str, bits)) == frame["line_bits_flag_to_flag"]
