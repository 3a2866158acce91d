"""Seeded grids of lines, ours to ours: error correction brings the page to the pel wherever the modem holds a rate."""

from __future__ import annotations

import pytest

from benchmarks.lines import AXES, Case, axis_cases, held, mixed_case, run, table

FEW = [case for number, case in enumerate(axis_cases(1)) if number % 3 == number // 3 % 3]
"""Every point of every axis once, with one of the sets of modulations."""


@pytest.mark.parametrize("case", FEW, ids=str)
def test_one_axis(case: Case) -> None:
    answer = run(case)
    assert held(answer), answer.outcome.sender.note


@pytest.mark.parametrize("seed", range(30))
def test_a_line_that_is_bad_in_three_ways(seed: int) -> None:
    answer = run(mixed_case(seed))
    assert held(answer), f"{answer.case}: {answer.outcome.sender.note}"


def test_every_point_is_tried() -> None:
    assert {case.values for case in FEW} == {((name, value),) for name, values in AXES.items() for value in values}


@pytest.mark.parametrize(("snr", "rates"), [(15.0, (14400, 12000, 9600)), (11.0, (14400, 12000, 9600, 7200))])
def test_a_line_that_does_not_hold_the_first_rate_shows_the_fallback(snr: float, rates: tuple[int, ...]) -> None:
    """The rates of the DCS, one after the other, are those of the ladder; the last one holds."""
    answer = run(Case((("snr_db", snr),), "all", True, 1))
    assert held(answer), answer.outcome.sender.note
    assert answer.rates[: len(rates)] == rates[: len(answer.rates)]
    assert len(answer.rates) > 1
    assert list(answer.rates) == sorted(answer.rates, reverse=True)
    assert answer.outcome.sender.attempts


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_full_grid() -> None:
    """All modulations, three seeds a point, and 300 lines that are bad in three ways; prints its table."""
    answers = [run(case) for case in axis_cases(3)]
    print(table(answers))
    mixed = [run(mixed_case(seed)) for seed in range(300)]
    failed = [str(answer.case) for answer in (*answers, *mixed) if not held(answer)]
    assert not failed


def test_a_report_that_is_known_late_loses_no_line_time() -> None:
    """Drop-outs in TCF on a line with an echo: line time went back, and stood still for ever."""
    assert held(run(mixed_case(35)))
