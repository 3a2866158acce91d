"""What a benchmark says: rows of figures, and the ratios beside a peer of the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from faxcore.bench.figures import Measured, Spread
from faxcore.bench.work import Work


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of call: every repeat of ours, and of the peer where there is one."""

    work: Work
    ours: Sequence[Measured]
    theirs: Sequence[Measured] = ()

    @property
    def capacity(self) -> Spread:
        """Pairs of terminals a core."""
        return Spread.of([m.capacity for m in self.ours])

    @property
    def peer_capacity(self) -> Spread | None:
        """The same of the peer."""
        return Spread.of([m.capacity for m in self.theirs]) if self.theirs else None

    @property
    def ratio(self) -> Spread | None:
        """Our capacity over the peer's, repeat by repeat, so that a drift of the machine cancels."""
        pairs = list(zip(self.ours, self.theirs, strict=False))
        return Spread.of([ours.capacity / theirs.capacity for ours, theirs in pairs]) if pairs else None

    def cpu_a_page(self, runs: Sequence[Measured]) -> Spread:
        """Milliseconds of CPU a page, both ends."""
        return Spread.of([1000 * m.cpu / m.pages for m in runs])

    @property
    def pages_a_minute(self) -> Spread:
        """Pages that a busy core carries in a minute of its CPU time."""
        return Spread.of([60 * m.pages / m.cpu for m in self.ours])

    def json(self) -> dict[str, Any]:
        """The row as plain values."""
        ours = self.ours
        facts: dict[str, Any] = {
            "name": self.work.name,
            "carrier": "t38" if self.work.packets else "audio",
            "modulation": self.work.modulation,
            "bit_rate": self.work.bit_rate,
            "coding": self.work.coding,
            "ecm": self.work.ecm,
            "calls_per_core": self.capacity.plain(),
            "cpu_ms_a_page": self.cpu_a_page(ours).plain(),
            "pages_a_minute_per_core": self.pages_a_minute.plain(),
            "line_seconds_a_call": Spread.of([m.line / m.calls for m in ours]).plain(),
        }
        if self.peer_capacity and self.ratio:
            facts["peer_calls_per_core"] = self.peer_capacity.plain()
            facts["peer_cpu_ms_a_page"] = self.cpu_a_page(self.theirs).plain()
            facts["ratio"] = self.ratio.plain()
        return facts


@dataclass(slots=True, kw_only=True)
class Report:
    """A whole benchmark."""

    machine: dict[str, Any]
    document: str
    pages: int
    repeats: int
    calls: int
    peer: str | None
    rows: list[Row] = field(default_factory=list)
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    drawing: dict[str, Spread] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    real_time: dict[str, float] = field(default_factory=dict)

    @property
    def ratios(self) -> dict[str, float]:
        """Our capacity over the peer's for the two works that are compared; empty without a peer."""
        names = {False: "audio_calls_per_core", True: "t38_calls_per_core"}
        found: dict[str, float] = {}
        for row in self.rows:
            if row.ratio is not None:
                found.setdefault(names[row.work.packets], round(row.ratio.median, 3))
        return found

    def json(self) -> dict[str, Any]:
        """One object of plain values."""
        return {
            "machine": self.machine,
            "document": self.document,
            "pages": self.pages,
            "repeats": self.repeats,
            "calls": self.calls,
            "peer": self.peer,
            "ratio": self.ratios,
            "calls_by_kind": [row.json() for row in self.rows],
            "stages_ms_a_call": self.stages,
            "drawing_ms_a_page": {name: spread.plain() for name, spread in self.drawing.items()},
            "memory_kb_a_call": self.memory,
            "real_time": self.real_time,
        }
