"""The events of a call in words."""

from __future__ import annotations

from faxcore import events
from faxcore.cli.report import told_modulation
from faxcore.errors import FrameError
from faxcore.t30.ecm import parse_block
from faxcore.t30.frames import FCF, parse_frame


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
            return f"{told_modulation(modulation)}, {coding.upper()}, {resolution}" + (f", with {who}" if who else "")
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
            return type(event).__name__


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
