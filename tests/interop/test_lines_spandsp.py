"""Whole calls with SpanDSP over grids of lines, both ways: the page arrives to the pel with error correction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import faxcore
from benchmarks.lines import AXES, Case, line_of
from tests.interop import spandsp
from tests.interop.spandsp import TICK, End, FaxTerminal
from tests.interop.test_calls_spandsp import OURS, THEIRS, Ours, assert_ours, assert_same, pels_of

pytestmark = pytest.mark.peer("spandsp")

Pages = list[npt.NDArray[np.bool_]]
ABLE = {"modems": ("v17", "v29", "v27ter"), "codings": ("mh", "mr", "mmr"), "ecm": True}


def talk(one: End, other: End, line: faxcore.Line, limit_s: float = 900.0) -> None:
    """Lock-step over a line that has an echo.

    SpanDSP takes noise above -48 dBm0 for a carrier that it waits to end: what comes back to it is quieter than that.
    """
    quiet = replace(line, noise_dbm0=min(line.noise_dbm0 or -60.0, -60.0))
    forth, back = line.direction(0), quiet.direction(1)
    for _ in range(round(limit_s * 8000 / TICK)):
        out, answer = one.tx(TICK), other.tx(TICK)
        other.rx(forth.carry(out, answer))
        one.rx(back.carry(answer, out))
        if one.finished and other.finished:
            return
    raise AssertionError("the call does not end")


THEY_SEND = [
    *(Case((("snr_db", float(snr)),), modems, True, 1) for snr in (18, 24, 30) for modems in ("all", "v29", "v27ter")),
    *(Case((("loss_db", loss),), "all", True, 1) for loss in (10.0, 20.0, 30.0)),
    *(Case((("echo_db", echo), ("echo_ms", ms)), "all", True, 1) for echo, ms in ((-10.0, 5.0), (-10.0, 60.0))),
    *(Case((("delay_s", delay),), "all", True, 1) for delay in (0.2, 0.5, 0.8)),
    *(Case((("clock_ppm", ppm),), "all", True, 1) for ppm in (-150.0, 150.0)),
    *(Case((("frames_lost", share),), "all", True, seed) for share in (0.001, 0.003) for seed in (1, 2)),
    *(Case((("slips", 2.0),), "all", True, seed) for seed in (1, 2, 3)),
    *(Case((("drop_outs", 2.0),), "all", True, seed) for seed in (1, 2, 3)),
]  # fmt: skip

WE_SEND = [
    *(Case((("snr_db", snr),), modems, True, 1) for snr in (36.0, 40.0) for modems in ("v29", "v27ter")),
    *(Case((("snr_db", 45.0), ("loss_db", loss)), "v29", True, 1) for loss in (5.0, 10.0)),
    Case((("snr_db", 40.0), ("echo_db", -20.0), ("echo_ms", 20.0)), "v29", True, 1),
    *(Case((("snr_db", 40.0), ("delay_s", delay)), "v29", True, 1) for delay in (0.2, 0.8)),
    *(Case((("snr_db", 40.0), ("clock_ppm", ppm)), "v29", True, 1) for ppm in (-150.0, 150.0)),
]
"""SpanDSP takes a silence of 300 ms for the end of a page; its V.17 receiver misses short trainings."""


def modems(case: Case) -> tuple[str, ...]:
    return {"all": ("v17", "v29", "v27ter"), "v29": ("v29", "v27ter")}.get(case.modems, (case.modems,))


@pytest.mark.parametrize("case", THEY_SEND, ids=str)
def test_they_send(tmp_path: Path, pages: Pages, case: Case) -> None:
    path = spandsp.write_tiff(tmp_path / "sent.tif", pages[:1])
    call = faxcore.FaxCall.receive(identity=OURS)
    with FaxTerminal(calling=True, tx_tiff=path, identity=THEIRS, **(ABLE | {"modems": modems(case)})) as terminal:  # type: ignore[arg-type]
        talk(terminal, Ours(call), line_of(case))
    assert_ours(call, 1)
    assert_same(pels_of(call), pages[:1])


@pytest.mark.parametrize("case", WE_SEND, ids=str)
def test_we_send(tmp_path: Path, pages: Pages, case: Case) -> None:
    path = spandsp.write_tiff(tmp_path / "sent.tif", pages[:1])
    options = faxcore.Options(modulations=modems(case))
    call = faxcore.FaxCall.send(faxcore.open_document(path), identity=OURS, options=options)
    with FaxTerminal(calling=False, rx_tiff=tmp_path / "received.tif", identity=THEIRS, **ABLE) as terminal:  # type: ignore[arg-type]
        talk(Ours(call), terminal, line_of(case))
    assert_ours(call, 1)
    assert_same(spandsp.read_tiff(tmp_path / "received.tif"), pages[:1])


def test_the_axes_are_those_of_ours() -> None:
    assert {name for case in (*THEY_SEND, *WE_SEND) for name, _ in case.values} <= set(AXES)
