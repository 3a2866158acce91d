"""The benchmark: figures that are what they say, and a peer that is asked for."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
from click.testing import CliRunner

from faxcore.bench import PeerMissing, Spread, peer, running
from faxcore.bench.figures import Measured, machine
from faxcore.bench.memory import memory
from faxcore.bench.report import Report, Row
from faxcore.bench.stages import REST, stages
from faxcore.bench.work import HEADLINES, OTHERS, Work
from faxcore.cli import main
from faxcore.document import CodedPage
from faxcore.kernels import native
from tests.unit.test_sweep import small_page

PAGES = next(iter(small_page().values()))
WORK = Work(modulation="v29", bit_rate=9600)


def test_a_spread_is_the_median_the_least_and_the_most() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    assert Spread(2.0, 1.0, 3.0).said() == "2.0 (1.0–3.0)"


def test_capacity_is_line_time_over_cpu_time() -> None:
    assert Measured(calls=2, pages=2, cpu=0.5, line=100.0).capacity == 200.0


def test_the_ratio_is_taken_repeat_by_repeat() -> None:
    ours = [Measured(1, 1, 1.0, 40.0), Measured(1, 1, 2.0, 40.0)]
    theirs = [Measured(1, 1, 4.0, 40.0), Measured(1, 1, 10.0, 40.0)]
    row = Row(WORK, ours, theirs)
    assert row.ratio == Spread.of([4.0, 5.0])
    assert Row(WORK, ours).ratio is None
    facts: dict[str, Any] = {"machine": machine(), "document": "x", "pages": 1, "repeats": 2, "calls": 1}
    assert Report(**facts, peer="SpanDSP", rows=[row]).ratios == {"audio_calls_per_core": 4.5}
    assert Report(**facts, peer=None, rows=[Row(WORK, ours)]).ratios == {}


@pytest.mark.parametrize("work", [*HEADLINES, *OTHERS], ids=lambda work: work.name)
def test_every_work_is_what_its_name_says(work: Work) -> None:
    sender, _ = work.ends(PAGES)
    measured = work.measure(PAGES, 2)
    assert (measured.calls, measured.pages) == (2, 2)
    assert sender.packets is work.packets
    assert measured.cpu > 0
    assert measured.line / 2 > 5


def test_kernels_are_timed_by_trade_and_put_back() -> None:
    before = dict(vars(native))
    found = stages(WORK, PAGES, 2)
    assert {"modem", "code", REST} <= set(found)
    assert dict(vars(native)) == before


def test_memory_is_that_of_waiting_ends() -> None:
    found = memory()
    assert 1 < found["audio"] < 1000
    assert 0 < found["t38"] < 1000


@pytest.mark.peer("spandsp")
@pytest.mark.parametrize("work", HEADLINES, ids=lambda work: work.name)
def test_the_peer_makes_the_same_calls(work: Work) -> None:
    from faxcore.document import ReceivedDocument

    with peer.peer(ReceivedDocument("bench", PAGES)) as other:
        measured = other.run(work, 2)
    assert (measured.calls, measured.pages) == (2, 2)
    assert measured.line > 10


def test_a_machine_without_a_compiler_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    result = CliRunner().invoke(main, ["bench", "--peer", "spandsp", "--quick", "--calls", "1", "--repeats", "1"])
    assert result.exit_code == 2
    assert "apt-get install" in result.output
    assert issubclass(PeerMissing, Exception)


def test_the_command_prints_one_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "drawing", lambda document, repeats: {"draw": Spread(1.0, 1.0, 1.0)})
    monkeypatch.setattr(running, "real_time", lambda pages: {"pairs": 1.0, "p99_ms": 1.0})
    monkeypatch.setattr(running, "CodedPage", SmallPage)
    result = CliRunner().invoke(main, ["bench", "--quick", "--calls", "1", "--repeats", "2", "--json"])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert [row["carrier"] for row in facts["calls_by_kind"]] == ["audio", "t38"]
    assert facts["ratio"] == {}
    table = CliRunner().invoke(main, ["bench", "--quick", "--calls", "1", "--repeats", "2"])
    assert "a core carries" in table.stdout


def test_drawing_is_measured_beside_poppler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faxcore.bench.drawing.PAGES", 1)
    found = {name: spread.median for name, spread in running.drawing(None, 1).items()}
    assert min(found.values()) > 0
    assert set(found) >= {"draw", "code", "wall"}
    assert ("ratio" in found) == bool(shutil.which("pdftoppm"))
    if "ratio" in found:
        assert found["ratio"] == pytest.approx((found["draw"] + found["code"]) / found["poppler draw and code"])
        assert found["wall ratio"] == pytest.approx(found["wall"] / found["poppler wall"])


class SmallPage:
    """A page that is quickly sent in the place of the dense one."""

    @staticmethod
    def of(_: object) -> CodedPage:
        return PAGES[0]
