"""The events of a call in words."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from faxcore import events
from faxcore.cli.report import NAMES, told_modulation
from faxcore.errors import FrameError
from faxcore.page import RESOLUTIONS
from faxcore.t30.capabilities import Capabilities, Parameters
from faxcore.t30.dis_bits import describe, parse_field
from faxcore.t30.ecm import parse_block
from faxcore.t30.frames import FCF, parse_frame, parse_frames

WIDTHS = {255: "B4", 303: "A3"}
"""Of pages that are not A4."""

CODED = frozenset({*range(11, 15), *range(16, 24), 31, 76, 77})
"""Bits of DIS and DCS that are told by what several of them mean together."""

PLAIN: dict[type[events.Event], str] = {events.T38Wanted: "a fax for sure: T.38 could begin"}
"""Events that tell nothing but that they happened."""


def told(event: events.Event) -> str:
    """One event as a line, without its time."""
    match event:
        case events.ToneHeard(tone=tone):
            return f"heard {tone.upper()}"
        case events.FramesSent(frames=frames):
            return f"sent {frame_names(frames)}"
        case events.FramesReceived(frames=frames, bad=bad):
            return f"heard {frame_names(frames)}" + (f" and {bad} bad" if bad else "")
        case events.Negotiated(modulation=modulation, coding=coding, resolution=resolution, remote_identity=who):
            paper = f", {WIDTHS[event.width_mm]}" if event.width_mm in WIDTHS else ""
            with_whom = f", with {who}" if who else ""
            return f"{told_modulation(modulation)}, {coding.upper()}, {resolution}{paper}{with_whom}"
        case events.BurstReceived(modulation=modulation, trained=trained, quality=quality):
            how = f"{quality.snr_db:.0f} dB, {quality.level_dbm0:.0f} dBm0" if trained else "not trained"
            return f"carrier of {told_modulation(modulation)}: {how}"
        case events.FramesAskedFor(block=block, frames=frames):
            return f"{frames} frames of block {block} once more"
        case events.Retrain(modulation=modulation):
            return f"training again, {told_modulation(modulation)} failed"
        case events.PageStarted(number=number):
            return f"page {number} begins"
        case events.PageSent(number=number, octets=octets, rows=rows):
            return f"page {number} confirmed: {rows} rows, {octets} octets"
        case events.PageReceived(number=number, octets=octets, rows=rows, bad_rows=bad):
            return f"page {number} received: {rows} rows, {octets} octets, {bad} bad rows"
        case events.Finished(result=result):
            return f"finished, {result.code:d}: {result.text}"
        case _:
            return PLAIN.get(type(event), type(event).__name__)


def told_fields(event: events.Event) -> Iterator[str]:
    """What DIS, DTC and DCS say in words; what they leave at 0 is not said."""
    if isinstance(event, events.FramesSent | events.FramesReceived):
        for fcf, fif, *_ in parse_frames(event.frames):
            if fcf in (FCF.DIS, FCF.DTC, FCF.DCS):
                words = (*(_set(fif) if fcf is FCF.DCS else _able(fif)), *_others(fif, fcf))
                yield from wrap(f"{fcf.name}: {'; '.join(words)}", 96, subsequent_indent="     ")


def _able(fif: bytes) -> Iterator[str]:
    far = Capabilities.parse(fif)
    modems = dict.fromkeys(NAMES[modulation.name] for modulation in far.modulations)
    yield from (*modems, *map(str.upper, far.codings), f"lines of {', '.join(map(str, far.widths_mm))} mm")
    yield f"pages of length {', '.join(far.lengths)}"
    times = {name: far.scan_ms(RESOLUTIONS[name]) for name in ("standard", "fine", "superfine")}
    yield ", ".join(f"{ms:g} ms a line" if name == "standard" else f"{ms:g} at {name}" for name, ms in times.items())


def _set(fif: bytes) -> Iterator[str]:
    dcs = Parameters.parse(fif)
    yield from (told_modulation(dcs.modulation), dcs.coding.upper(), dcs.resolution.name, f"lines of {dcs.width_mm} mm")
    yield from (f"pages of length {dcs.length}", f"{dcs.scan_ms} ms a line")


def _others(fif: bytes, fcf: FCF) -> list[str]:
    return describe(parse_field(fif) - CODED - set(range(24, 129, 8)), setting=fcf is FCF.DCS)


def frame_names(frames: tuple[bytes, ...]) -> str:
    """The ITU names of the frames of a signal."""
    return " ".join(_name(octets) for octets in frames) or "no frame"


def _name(octets: bytes) -> str:
    """The ITU name of a frame, or its octets where it has none."""
    try:
        fcf = parse_frame(octets).fcf
    except FrameError:
        fcf = None
    if fcf is FCF.PPS and (block := parse_block(octets[3:])):
        return f"PPS-{block.command.name if block.command else 'NULL'}"
    return fcf.name.replace("_", "-") if fcf else f"<{octets[:4].hex(' ')}>"
