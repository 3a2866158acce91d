"""What the command says about a fax: the JSON object, the rows of the table, the exit status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from faxcore.result import FaxResult
from faxcore.signals import Modulation

NAMES = {"v17": "V.17", "v21": "V.21", "v27ter": "V.27ter", "v29": "V.29"}


@dataclass(slots=True, kw_only=True)
class Report:
    """How both stations came out; `method` says which one is ours. Times are in seconds.

    `alone`: the far station is not in this process, and nothing is known of it but what it told. `output` is the
    file with the pages that arrived, None where there is none; `error` is what went wrong outside the call.
    `wall_time` and `cpu_time` are those of this process.
    """

    method: str
    sender: FaxResult
    receiver: FaxResult
    alone: bool = False
    document_pages: int | None = None
    line_time: float = 0.0
    output: str | None = None
    error: str | None = None
    interrupted: bool = False
    wall_time: float = 0.0
    cpu_time: float = 0.0

    @property
    def ours(self) -> FaxResult:
        """The result of this station."""
        return self.sender if self.method == "send_fax" else self.receiver

    @property
    def status(self) -> int:
        """The exit status: 0 only if every page was confirmed and stored."""
        if self.interrupted:
            return 130
        both = self.ours.success if self.alone else self.sender.success and self.receiver.success
        return 0 if both and self.error is None else 1

    def json(self) -> str:
        """One object: our SWML variables first, the far station's last."""
        ours = self.ours
        facts = {name: getattr(ours, name) for name in ("bit_rate", "modulation", "coding", "resolution", "ecm")}
        facts |= {name: getattr(ours, name) for name in ("duration", "bad_rows", "attempts", "note", "detail")}
        times = {
            "line_time": self.line_time,
            "wall_time": round(self.wall_time, 4),
            "cpu_time": round(self.cpu_time, 4),
        }
        both = {"send_fax": self.sender.variables("send_fax"), "receive_fax": self.receiver.variables("receive_fax")}
        first = both.pop(self.method)
        (last,) = [{}] if self.alone else both.values()
        return json.dumps({**first, **facts, **times, "output": self.output, "error": self.error, **last})

    def rows(self) -> Iterator[tuple[str, str]]:
        """The table: what and how, leaving out what is not known."""
        ours = self.ours
        yield "Result", "success" if self.status == 0 else "failed"
        yield "Code", f"{ours.code:d}: {ours.text}"
        if ours.note:
            yield "Why", ours.note
        if ours.detail is not None:
            yield "Detail", str(ours.detail)
        for attempt in ours.attempts:
            yield "Attempt", attempt
        yield "Pages", str(ours.pages) + (f" of {self.document_pages}" if self.document_pages is not None else "")
        far = ours.remote_identity
        yield "Sender", far if self.alone and ours is self.receiver else self.sender.identity
        yield "Receiver", far if self.alone and ours is self.sender else self.receiver.identity
        if ours.bit_rate:
            yield "Modem", told_modulation(Modulation(ours.modulation, ours.bit_rate))
            yield "Coding", ours.coding.upper()
            yield "Resolution", ours.resolution
        if self.line_time:
            yield "Line time", minutes(self.line_time)
        yield "Took", f"{self.wall_time:.2f} s, {self.cpu_time:.2f} s of CPU besides the drawing"
        if self.output is not None:
            yield "Received", self.output


def told_modulation(modulation: Modulation) -> str:
    """A modulation as ITU writes it, and its rate."""
    return f"{NAMES.get(modulation.name, modulation.name)} {modulation.bit_rate} bit/s"


def minutes(seconds: float) -> str:
    """Line time as people say it."""
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{seconds:.1f} s"
