"""The table of a sweep: one row a call in the order of the plan, as CSV and as Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from faxcore.sweep.cases import Row


def columns(rows: Sequence[Row]) -> list[str]:
    """The facts and the settings; those that only some rows have come last."""
    return list(dict.fromkeys(name for row in rows for name in row))


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """A header line and one line a call."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns(rows), restval="")
        writer.writeheader()
        writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows)


def _plain(value: object) -> object:
    return json.dumps(value) if isinstance(value, bool) else value


def write_parquet(rows: Sequence[Row], path: Path) -> None:
    """The same table, typed; a setting that has values of several kinds is text."""
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({name: _column([row.get(name) for row in rows]) for name in columns(rows)})
    pyarrow.parquet.write_table(table, path)


def _column(values: list[Any]) -> list[Any]:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return [None if value is None else float(value) for value in values]
    return values if len(kinds) < 2 else [None if value is None else str(value) for value in values]
