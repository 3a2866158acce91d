"""Sweeps: plans that are read and refused, journals that survive a kill, one table whatever ran it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from faxcore import kernels
from faxcore.document import CodedPage
from faxcore.page import FINE, Page
from faxcore.sweep import EXAMPLE, Journal, Plan, SweepError, read_plan, replay, run, tell
from faxcore.sweep.cases import run_batch
from faxcore.sweep.cells import wilson
from faxcore.sweep.documents import Drawn, drawn
from faxcore.sweep.plan import make_plan
from faxcore.sweep.report import page

WORDS: dict[str, Any] = {
    "documents": ["small.png"],
    "seeds": 3,
    "line": [{"profile": "local", "noise_dbm0": [-50.0, -14.0]}],
    "offer": [{"ecm": [True, False], "modulations": ["v29"], "max_rate": 7200, "t1": 5.0, "t0": 5.0}],
}


def plan_of(**changes: Any) -> Plan:
    return make_plan(WORDS | changes, Path())


def small_page() -> Drawn:
    """A page of 60 lines, with enough in it that damage would show."""
    pels = np.random.default_rng(5).random((60, 1728)) < 0.02
    return {("small.png", "fine"): (CodedPage.of(Page.from_pels(pels, FINE)),)}


def rows_of(plan: Plan, folder: Path, **words: Any) -> list[dict[str, Any]]:
    journal = Journal(folder, plan)
    run(plan, small_page(), journal, **words)
    return [journal.rows[index] for index in range(len(plan))]


def test_every_line_meets_every_offer_once_for_each_seed() -> None:
    plan = plan_of()
    cases = [plan.case(index) for index in range(len(plan))]
    assert len(plan) == 2 * 2 * 3
    assert [case.seed for case in cases[:4]] == [0, 1, 2, 0]
    assert len({(case.line.label, case.offer.label, case.seed) for case in cases}) == len(plan)
    assert cases[0].line.label == "local noise_dbm0=-50.0"
    assert cases[0].options().modulations == ("v29",)
    with pytest.raises(IndexError, match="none of number 12"):
        plan.case(12)


def test_a_list_of_lists_is_an_axis_of_options_that_are_lists() -> None:
    plan = plan_of(offer=[{"modulations": [["v29", "v27ter"], ["v27ter"]]}])
    assert {plan.case(index).options().modulations for index in range(len(plan))} == {("v29", "v27ter"), ("v27ter",)}


def test_the_example_is_a_plan(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text(EXAMPLE)
    plan = read_plan(path)
    packets = [plan.case(index) for index in range(len(plan)) if plan.case(index).packets]
    assert len(plan) == 5 * (5 * 2 + 3 * 2 * 2)
    assert {case.offer.words["t38"]["redundancy"] for case in packets} == {0, 3}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"documents": []}, "documents is a name"),
        ({"seeds": 0}, "seeds is how many"),
        ({"seeds": [1, 1]}, "seeds is how many"),
        ({"line": []}, r"needs a \[\[line\]\]"),
        ({"line": [{"noise_dbm0": []}]}, "noise_dbm0 has no value"),
        ({"line": [{"noise_dbm0": 3}]}, r"\[line\] noise_dbm0 is a number from -100 to 0"),
        ({"line": [{"colour": "red"}]}, r"\[line\].*colour"),
        ({"line": [{"profile": "moon"}]}, "profile is one of clean, local"),
        ({"line": [{"law": "mu"}, {"law": "mu"}]}, "are the same"),
        ({"line": "local"}, "line is a table"),
        ({"offer": [{"max_rate": 1}]}, r"\[offer\] rates must be"),
        ({"lines": []}, "lines: a sweep knows"),
        ({"seeds": 10_000_001}, "more than 10000000"),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused_before_the_first_call(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SweepError, match=said):
        plan_of(**changes)


@pytest.mark.parametrize("text", ["seeds = ", "\xff"])
def test_a_file_that_is_no_plan_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sweep.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SweepError, match=r"sweep\.toml is no TOML"):
        read_plan(path)
    with pytest.raises(SweepError, match="cannot be read"):
        read_plan(tmp_path / "none.toml")


def test_one_table_for_any_batch_worker_and_restart(tmp_path: Path) -> None:
    plan = plan_of()
    whole = rows_of(plan, tmp_path / "a", workers=1)
    assert rows_of(plan, tmp_path / "b", workers=2, batch=1) == whole
    journal = Journal(tmp_path / "c", plan)
    journal.add(run_batch(plan, small_page(), [7, 2]))
    assert rows_of(plan, tmp_path / "c", workers=1, batch=5) == whole
    assert {row["success"] for row in whole} == {True, False}
    assert not any(row["damaged"] and row["ecm"] for row in whole)


def test_what_a_kill_left_half_written_is_done_again(tmp_path: Path) -> None:
    plan = plan_of(seeds=1)
    whole = rows_of(plan, tmp_path, workers=1)
    path = tmp_path / "rows.jsonl"
    for cut in (1, 40):
        path.write_bytes(path.read_bytes()[:-cut])
        assert len(Journal(tmp_path, plan).rows) == len(plan) - 1
        assert rows_of(plan, tmp_path, workers=1) == whole


def test_a_folder_holds_one_sweep(tmp_path: Path) -> None:
    Journal(tmp_path, plan_of())
    with pytest.raises(SweepError, match="another plan: choose another --output"):
        Journal(tmp_path, plan_of(seeds=4))
    head = json.loads((tmp_path / "sweep.json").read_text())
    (tmp_path / "sweep.json").write_text(json.dumps(head | {"cpu_level": "z80"}))
    with pytest.raises(SweepError, match="FAXCORE_CPU=z80 goes on"):
        Journal(tmp_path, plan_of())


def test_a_case_is_replayed_as_it_was(tmp_path: Path) -> None:
    plan, heard = plan_of(), []
    row = run_batch(plan, small_page(), [4])[0]
    outcome = replay(plan, small_page(), 4, lambda sender, receiver: heard.extend(sender.events()))
    assert (int(outcome.sender.code), round(outcome.line_time, 6)) == (row["code"], row["line_time"])
    assert heard


def test_the_files_of_a_sweep_say_the_same(tmp_path: Path) -> None:
    plan = plan_of()
    rows = rows_of(plan, tmp_path, workers=1)
    made = tell(plan, Journal(tmp_path, plan))
    assert {path.name for path in made} == {"report.html", "table.csv", "table.parquet", "line-noise_dbm0.svg"}
    with (tmp_path / "table.csv").open() as file:
        in_csv = list(csv.DictReader(file))
    in_parquet = pyarrow.parquet.read_table(tmp_path / "table.parquet").to_pylist()
    for row, text, typed in zip(rows, in_csv, in_parquet, strict=True):
        assert typed == {name: row.get(name) for name in typed}
        assert (text["case"], text["success"]) == (str(row["case"]), str(row["success"]).lower())
    html = (tmp_path / "report.html").read_text()
    good = sum(row["success"] for row in rows)
    assert f"<b>{100 * good / len(rows):.1f} %</b>" in html
    assert html.count("<svg") == 1
    assert "--case" in html
    before = {path: path.read_bytes() for path in made}
    tell(plan, Journal(tmp_path, plan))
    assert {path: path.read_bytes() for path in made if path.suffix != ".parquet"} == {
        path: octets for path, octets in before.items() if path.suffix != ".parquet"
    }


def test_what_documents_say_is_shown_not_run(tmp_path: Path) -> None:
    plan = plan_of(documents=["<script>.png"], seeds=1)
    rows = [{**row, "document": "<script>"} for row in run_batch(plan_of(seeds=1), small_page(), range(4))]
    assert "<script>" not in page(plan, rows, {})


@pytest.mark.parametrize(
    ("name", "pages"), [("sample", 4), ("sample:2", 1), ("sample:2-3", 2)]
)
def test_documents_are_drawn_once(name: str, pages: int) -> None:
    assert len(drawn(plan_of(documents=[name]))[name, "fine"]) == pages


@pytest.mark.parametrize("name", ["sample:5", "sample:0", "sample:3-2", "sample:1-2-3"])
def test_pages_that_are_not_there_are_named(name: str) -> None:
    with pytest.raises(SweepError, match="documents: "):
        drawn(plan_of(documents=[name]))


def test_bounds_are_wilsons() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: method 3 for 81 of 263 and 0 of 20
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_the_cpu_levels_agree_on_every_outcome() -> None:
    """A reference sweep with 3 dB to spare: nothing but the measured SNR may differ between kernels."""
    plan = plan_of(
        seeds=2,
        line=[{"noise_dbm0": [-60.0, -40.0], "gain_db": [0.0, -10.0]}],
        offer=[{"ecm": [True, False], "modulations": [["v17"], ["v29"], ["v27ter"]]}],
    )
    tables = []
    for level in kernels.cpu_levels():
        kernels.select_cpu_level(level)
        try:
            rows = run_batch(plan, small_page(), range(len(plan)))
        finally:
            kernels.select_cpu_level(kernels.cpu_levels()[-1])
        assert {row.pop("cpu_level") for row in rows} == {level}
        tables.append([{name: value for name, value in row.items() if name != "snr_db"} for row in rows])
    assert all(table == tables[0] for table in tables)
    assert all(row["success"] for row in tables[0])
