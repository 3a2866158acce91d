"""Frames, DIS/DCS fields and identities against vectors that come from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from faxcore.page import FINE, STANDARD, SUPERFINE
from faxcore.t30.capabilities import (
    NOTHING_SET,
    Capabilities,
    Parameters,
    build_field,
    parse_field,
)
from faxcore.t30.frames import FCF, REVERSED, Frame, build_signal, parse_frame
from faxcore.t30.idents import decode_identity, encode_identity
from tests.support import vectors

FRAMES = vectors("t30_frames")["frames"]
FIFS = vectors("t30_dis_fifs")["fifs"]
CAPABILITIES = [fif for fif in FIFS if fif["kind"] != "DCS"]
SETTINGS = [fif for fif in FIFS if fif["kind"] == "DCS"]
IDENTS = vectors("t30_idents")["idents"]

OLD_NAMES = {"DIS": ("DIS-3-octet", "DIS-full"), "NSF": ("NSF-US",), "DCS": ("DCS-polled",), "CRP": ("CRP-X1",)}
CODINGS = {"MH": "mh", "MR": "mr", "T6": "mmr", "T85": "t85"}
RESOLUTIONS = {"R8x3.85": (204, 98), "R8x7.7": (204, 196), "R8x15.4": (204, 391), "R16x15.4": (408, 391)}


def by_name(entry: dict[str, Any]) -> str:
    return str(entry["name"])


@pytest.mark.parametrize("entry", FRAMES, ids=by_name)
def test_frame(entry: dict[str, Any]) -> None:
    octets = bytes.fromhex(entry["frame_lsb_hex"])
    frame = parse_frame(octets)
    name = frame.fcf.name.replace("_", "-")
    assert entry["name"].split("-X1")[0].startswith(name) or entry["name"] in OLD_NAMES[name]
    assert frame.final == entry["final"]
    printed = int(entry["fcf_msb"], 16)
    assert printed == (frame.fcf | 0x80 if frame.x else frame.fcf)
    assert frame.octets() == octets
    assert bytes(REVERSED[octet] for octet in octets).hex().upper() == entry["frame_msb_hex"]
    if "id" in entry.get("fields", {}):
        assert decode_identity(frame.fif) == entry["fields"]["id"]


def test_signal_has_one_final_frame_and_our_x_bit() -> None:
    by = {entry["name"]: bytes.fromhex(entry["frame_lsb_hex"]) for entry in FRAMES}
    tsi, dcs = by["TSI"], by["DCS"]
    assert build_signal((FCF.TSI, tsi[3:]), (FCF.DCS, dcs[3:]), x=True) == (tsi, dcs)
    assert build_signal((FCF.DCS, dcs[3:]), x=False) == (by["DCS-polled"],)
    assert Frame(FCF.DIS, by["DIS-3-octet"][3:], x=True).octets() == by["DIS-3-octet"]


@pytest.mark.parametrize("entry", FIFS, ids=by_name)
def test_field_bits(entry: dict[str, Any]) -> None:
    fif = bytes.fromhex(entry["fif_lsb_hex"])
    bits = parse_field(fif)
    assert sorted(bits) == entry["decoded"]["set_bits"]
    assert build_field(bits) == fif


@pytest.mark.parametrize("entry", CAPABILITIES, ids=by_name)
def test_capabilities(entry: dict[str, Any]) -> None:
    decoded, far = entry["decoded"], Capabilities.parse(bytes.fromhex(entry["fif_lsb_hex"]))
    assert far.can_receive == decoded["can_receive"]
    assert far.has_document == decoded["has_document_to_poll"]
    assert far.ecm == decoded["ecm"]
    assert ("mmr" in far.codings, "mr" in far.codings) == (decoded["t6"], decoded["mr"])
    assert list(far.widths_mm) == decoded["widths_mm"]
    assert list(far.lengths) == decoded["lengths"]
    names = {modulation.name for modulation in far.modulations}
    assert names == {modem.split("-")[0].lower().replace("v27ter", "v27ter") for modem in decoded["modems"]}
    if decoded["modems"] == ["V27ter-2400"]:
        assert [modulation.bit_rate for modulation in far.modulations] == [2400]
    for resolution, key in ((STANDARD, "3_85"), (FINE, "7_7"), (SUPERFINE, "15_4")):
        assert far.scan_ms(resolution) == decoded[f"min_scan_ms_at_{key}"]
    for resolution, name in ((STANDARD, "R8x3.85"), (FINE, "R8x7.7|200x200"), (SUPERFINE, "R8x15.4|200x400")):
        assert far.takes(resolution) == (name in decoded["resolutions"])


@pytest.mark.parametrize("entry", SETTINGS, ids=by_name)
def test_settings(entry: dict[str, Any]) -> None:
    decoded, fif = entry["decoded"], bytes.fromhex(entry["fif_lsb_hex"])
    parameters = Parameters.parse(fif)
    assert parameters.modulation[:2] == (decoded["modem"].lower(), decoded["bit_rate"])
    assert parameters.width_mm == decoded["width_mm"]
    assert parameters.length == decoded["length"]
    assert parameters.scan_ms == decoded["min_scan_ms"]
    assert (parameters.ecm, parameters.ecm_frame) == (decoded["ecm"], decoded["ecm_frame"])
    assert parameters.coding == CODINGS[decoded["coding"]]
    dpi = RESOLUTIONS.get(decoded["resolution"]) or tuple(map(int, decoded["resolution"].split("x")))
    assert parameters.resolution[1:] == dpi


OURS = [entry for entry in SETTINGS if not {49, 105, 106, 107, 108, 109, 123} & set(entry["decoded"]["set_bits"])
        and entry["decoded"]["coding"] in ("MH", "MR", "T6")]  # fmt: skip


@pytest.mark.parametrize("entry", OURS, ids=by_name)
def test_settings_are_built_as_they_were_read(entry: dict[str, Any]) -> None:
    fif = bytes.fromhex(entry["fif_lsb_hex"])
    assert Parameters.parse(fif).build() == fif


@pytest.mark.parametrize("entry", IDENTS, ids=lambda entry: f"{entry['signal']} {entry['text']!r}")
def test_identity(entry: dict[str, Any]) -> None:
    fif = bytes.fromhex(entry["fif_lsb_hex"])
    assert encode_identity(entry["text"]) == fif
    assert decode_identity(fif) == entry["text"]


def test_nothing_set_says_nothing() -> None:
    assert NOTHING_SET.min_line_bits == 0
    assert NOTHING_SET.modulation.name == ""
