"""The rows of a sweep gathered into cells: the calls that differ in nothing but document and seed."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from faxcore.sweep.cases import Row

Z = 1.96  # 95 %


@dataclass(frozen=True, slots=True)
class Cell:
    """The calls over one line with one offer. Times in seconds of line; None where no call succeeded."""

    line: str
    offer: str
    calls: int
    succeeded: int
    damaged: int
    low: float
    high: float
    seconds: float | None
    pages_a_minute: float | None
    rates: str
    reasons: str
    example: int | None

    @property
    def success(self) -> float:
        """The part of the calls that succeeded, 0 to 1."""
        return self.succeeded / self.calls


def cells(rows: Iterable[Row]) -> list[Cell]:
    """The cells in the order in which the plan has them."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["line"], row["offer"]].append(row)
    return [_cell(line, offer, group) for (line, offer), group in groups.items()]


def _cell(line: str, offer: str, rows: Sequence[Row]) -> Cell:
    good, bad = [r for r in rows if r["success"]], [r for r in rows if not r["success"]]
    low, high = wilson(len(good), len(rows))
    seconds = median(row["line_time"] for row in good) if good else None
    minutes = sum(row["line_time"] for row in rows) / 60
    pages = sum(row["pages"] for row in rows)
    return Cell(
        line, offer, len(rows), len(good), sum(row["damaged"] for row in rows), low, high, seconds,
        pages / minutes if minutes and pages else None,
        _counted(f"{row['modulation']} {row['bit_rate']}" for row in good),
        _counted(f"{row['code']}: {row['text']}" for row in bad),
        bad[0]["case"] if bad else None,
    )  # fmt: skip


def wilson(good: int, all_: int) -> tuple[float, float]:
    """95 % bounds of a share, by Wilson's score interval."""
    share, spread = good / all_, Z * Z / all_
    middle = (share + spread / 2) / (1 + spread)
    half = Z * math.sqrt(share * (1 - share) / all_ + spread / (4 * all_)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _counted(names: Iterable[str]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in Counter(names).most_common(3))


def varied(rows: Sequence[Row]) -> list[str]:
    """The settings of the line that take several values, without those that only follow from its profile."""
    names = dict.fromkeys(name for row in rows for name in row if name.startswith("line_") and name != "line_time")
    several = [name for name in names if len({row.get(name) for row in rows}) > 1]
    if "line_profile" not in several:
        return several
    kept = []
    for name in several:
        pairs = {(row["line_profile"], row.get(name)) for row in rows}
        if name == "line_profile" or len(pairs) > len({profile for profile, _ in pairs}):
            kept.append(name)
    return kept


def numeric(rows: Sequence[Row], name: str) -> list[Any]:
    """The values of a setting in order, if they are numbers and several: what a plot can have along its edge."""
    values = {row.get(name) for row in rows} - {None}
    right = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return sorted(values) if right and len(values) > 1 else []
