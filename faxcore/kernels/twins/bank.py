"""Twins of native/bank*.c: many lanes of one modulation.

A lane gives the very samples, bits and state of its lone kernel in `twins/qam.py`, so the twin runs lane by lane;
only where the equaliser's window lies in its delay line and how much history is kept may differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from faxcore.kernels.twins import qam

ROWS = 128

SENDER = np.dtype(
    [
        ("first", "i8"), ("count", "i8"), ("end", "i8"), ("sent", "i8"), ("made", "i8"),
        ("gain", "f4"), ("unused", "i4"), ("spare", "i2", ROWS),
    ],
    align=True,
)  # fmt: skip
"""struct bank_sender; kernels take octets."""

PROGRESS = np.dtype([("samples", "i8"), ("octets", "i8"), ("event", "i4")], align=True)
"""struct qam_progress."""


def bank_shape(
    senders: Any, taps: NDArray[np.int16], points: NDArray[np.int16], symbols: NDArray[np.uint8],
    out: NDArray[np.int16], up: int, down: int,
) -> None:
    """The next samples of every lane; zeros where it has none."""
    for s, row, samples in zip(senders.view(SENDER), symbols, out, strict=True):
        n = min(len(samples), int(s["end"] - s["sent"]))
        samples[n:] = 0
        qam.qam_shape(taps, points, row[: s["count"]].tobytes(), samples[:n], up, down,
                      int(s["first"]), int(s["sent"]), float(s["gain"]))  # fmt: skip
        s["sent"] += n
        s["made"] = s["sent"]


def bank_receive(
    receivers: Any, samples: NDArray[np.int16], bank: Any, points: Any, lines: Any, groups: Any, training: Any,
    branches: Any, cells: Any, octets: NDArray[np.uint8], progress: Any,
) -> None:  # fmt: skip
    """Advance every lane from where its progress stands, unless it waits at an event."""
    records = np.split(receivers, len(samples))
    bank_receive_each(records, samples, bank, points, lines, groups, training, branches, cells, octets, progress)


def bank_receive_each(
    receivers: Any, samples: Any, bank: Any, points: Any, lines: Any, groups: Any, training: Any, branches: Any,
    cells: Any, octets: NDArray[np.uint8], progress: Any,
) -> None:  # fmt: skip
    """The same for receivers that each have memory of their own, and samples of any number."""
    for record, heard, made, done in zip(receivers, samples, octets, progress.view(PROGRESS), strict=True):
        if done["event"] != qam.NOTHING:
            continue
        used, count, done["event"] = qam.qam_receive(
            record.view(qam.RECEIVER), bank, points, lines, groups, training, branches, cells,
            heard[done["samples"] :], made[done["octets"] :],
        )  # fmt: skip
        done["samples"] += used
        done["octets"] += count
