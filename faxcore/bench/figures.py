"""Figures with their spread, and what machine they are from."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np

import faxcore
from faxcore import kernels


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over its repeats."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of at least one value."""
        return cls(median(values), min(values), max(values))

    def plain(self) -> dict[str, float]:
        """The figure for JSON."""
        return {name: round(value, 4) for name, value in asdict(self).items()}

    def said(self, digits: int = 1) -> str:
        """The figure as people read it."""
        return f"{self.median:,.{digits}f} ({self.least:,.{digits}f}–{self.most:,.{digits}f})"


@dataclass(frozen=True, slots=True)
class Measured:
    """What whole calls took: `cpu` seconds of both ends, `line` seconds summed over the calls, pages confirmed."""

    calls: int
    pages: int
    cpu: float
    line: float

    @property
    def capacity(self) -> float:
        """Pairs of terminals that a core would hold."""
        return self.line / self.cpu


def machine() -> dict[str, Any]:
    """What a figure depends on besides the code."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "cpu_level": kernels.cpu_level(),
        "faxcore": faxcore.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.release()}",
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
