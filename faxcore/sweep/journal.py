"""What a sweep has done so far, on disk: rows as lines of JSON, so that a sweep that was killed goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import faxcore
from faxcore import kernels
from faxcore.sweep.cases import Row
from faxcore.sweep.plan import Plan, SweepError


class Journal:
    """The folder of one sweep. A row is in it whole or not at all; which worker wrote it, and when, leaves no trace."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        """Opens the folder, or makes it. SweepError if it holds another sweep."""
        self.folder = folder
        self._path = folder / "rows.jsonl"
        self._claim({"plan": plan.digest, "faxcore": faxcore.__version__, "cpu_level": kernels.cpu_level()})
        self.rows = self._read(len(plan))

    def _claim(self, ours: dict[str, str]) -> None:
        """Only the same plan on the same kernels gives the same table: nothing else may go on here."""
        head = self.folder / "sweep.json"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            theirs = json.loads(head.read_text()) if head.exists() else None
            if theirs is None:
                _replace(head, json.dumps(ours, indent=1))
        except (OSError, ValueError) as fault:
            raise SweepError(f"{self.folder} cannot hold a sweep: {fault}") from fault
        for name, mine in ours.items():
            if theirs is not None and theirs.get(name) != mine:
                hint = f"FAXCORE_CPU={theirs.get(name)} goes on" if name == "cpu_level" else "choose another --output"
                raise SweepError(f"{self.folder} holds a sweep with another {name.replace('_', ' ')}: {hint}")

    def _read(self, cases: int) -> dict[int, Row]:
        """The rows by case. What a kill left half written is cut off, and done again."""
        rows: dict[int, Row] = {}
        if not self._path.exists():
            return rows
        whole = 0
        for line in self._path.read_bytes().splitlines(keepends=True):
            try:
                row = json.loads(line)
                number = row["case"]
            except (ValueError, KeyError, TypeError):
                break
            if not line.endswith(b"\n") or not isinstance(number, int) or not 0 <= number < cases:
                break
            rows[number] = row
            whole += len(line)
        os.truncate(self._path, whole)
        return rows

    def add(self, rows: Iterable[Row]) -> None:
        """Keep rows: they are on the disk when this returns."""
        rows = list(rows)
        with self._path.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
            file.flush()
            os.fsync(file.fileno())
        self.rows.update((row["case"], row) for row in rows)


def _replace(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)
