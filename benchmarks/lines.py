"""Whole calls over grids of lines: which come through, at which rate, after how many trainings. Prints a table.

    python -m benchmarks.lines [--seeds 3] [--quick]

One axis at a time, on a line that is good in all else, then lines that are bad in several ways. Levels: -13 dBm0 sent.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

import faxcore
from faxcore.document import ReceivedDocument
from faxcore.events import FramesAskedFor, Negotiated
from faxcore.page import A4_WIDTH, RESOLUTIONS, Page

SENT_DBM0 = -13.0
ROWS = 60

AXES: dict[str, tuple[float, ...]] = {
    "snr_db": (18, 20, 22, 24, 26, 28, 30, 33, 36),
    "loss_db": (0, 5, 10, 15, 20, 25, 30),
    "echo_db": (-30, -25, -20, -15, -10),
    "echo_ms": (5, 15, 30, 45, 60),
    "delay_s": (0, 0.05, 0.2, 0.4, 0.6, 0.8),
    "clock_ppm": (-150, -100, -50, 50, 100, 150),
    "frames_lost": (0.0005, 0.001, 0.002, 0.003),
    "slips": (0.5, 1, 2, 4),
    "drop_outs": (0.5, 1, 2, 4),
}
"""Slips are 1 to 240 samples, drop-outs 10 to 500 ms, both so many a minute."""

MODEMS: dict[str, tuple[str, ...]] = {
    "all": ("v17", "v29", "v27ter"), "v29": ("v29", "v27ter"), "v27ter": ("v27ter",)
}  # fmt: skip


class Case(NamedTuple):
    """One call: what its line is, which modulations both ends have, and a seed."""

    values: tuple[tuple[str, float], ...]
    modems: str
    ecm: bool
    seed: int

    def __str__(self) -> str:
        words = ["-".join((name, f"{value:g}")) for name, value in self.values]
        return " ".join([*words, self.modems, "ecm" if self.ecm else "plain", str(self.seed)])


@dataclass(frozen=True)
class Answer:
    """What became of a call; `same`: the page arrived to the pel."""

    case: Case
    outcome: faxcore.simulation.Outcome
    same: bool
    rates: tuple[int, ...]
    asked: int


def line_of(case: Case) -> faxcore.Line:
    """The line of a case."""
    values = dict(case.values)
    line = faxcore.Line(
        law="mu", gain_db=-values.get("loss_db", 0.0), delay=values.get("delay_s", 0.01), seed=case.seed,
        clock_ppm=values.get("clock_ppm", 0.0), frames_lost=values.get("frames_lost", 0.0),
        slips=values.get("slips", 0.0), drop_outs=values.get("drop_outs", 0.0),
    )  # fmt: skip
    if {"echo_db", "echo_ms"} & values.keys():
        line = replace(line, echo_db=values.get("echo_db", -15.0), echo_delay=values.get("echo_ms", 30) / 1000)
    noise = SENT_DBM0 + line.gain_db - values.get("snr_db", 38.0)
    return replace(line, noise_dbm0=noise)


def page_of(seed: int, rows: int = ROWS) -> Page:
    """A page that no coding makes small."""
    pels = np.random.default_rng(seed).random((rows, A4_WIDTH)) < 0.15
    return Page.from_pels(pels, RESOLUTIONS["fine"])


def axis_cases(seeds: int, modems: tuple[str, ...] = tuple(MODEMS)) -> Iterator[Case]:
    """One axis at a time."""
    for name, values in AXES.items():
        for value in values:
            for who in modems:
                for seed in range(seeds):
                    yield Case(((name, value),), who, True, seed)


def mixed_case(seed: int) -> Case:
    """A line that is bad in three ways, each anywhere on its axis."""
    random = np.random.default_rng([seed, 77])
    names = random.choice(sorted(AXES), 3, replace=False)
    values = tuple((str(name), round(float(random.uniform(min(AXES[name]), max(AXES[name]))), 4)) for name in names)
    return Case(values, str(random.choice(sorted(MODEMS))), True, seed)


def run(case: Case) -> Answer:
    """One call, ours to ours, in virtual time."""
    page, document = page_of(case.seed), ReceivedDocument()
    document.append(page)
    options = faxcore.Options(ecm=case.ecm, modulations=MODEMS[case.modems])
    sender = faxcore.FaxCall.send(document, identity="+15551230001", options=options)
    receiver = faxcore.FaxCall.receive(identity="+15551230002", options=options)
    outcome = faxcore.simulate(sender, receiver, line=line_of(case), limit=3600)
    events: list[Any] = list(sender.events())
    return Answer(
        case, outcome, list(receiver.document.pages) == [page],
        tuple(event.modulation.bit_rate for event in events if isinstance(event, Negotiated)),
        sum(event.frames for event in events if isinstance(event, FramesAskedFor)),
    )  # fmt: skip


def held(answer: Answer) -> bool:
    """The call did what it should: error correction brings the page to the pel, or it does not say so."""
    return answer.outcome.sender.success and answer.same


def table(answers: list[Answer]) -> str:
    """Success, rates and trainings, one row for each point of an axis."""
    rows = [f"{'line':<44} {'modems':<7} calls good  rates (calls)                 trainings frames asked"]
    groups: dict[tuple[str, str], list[Answer]] = {}
    for answer in answers:
        words = str(answer.case).rsplit(" ", 3)
        groups.setdefault((words[0], words[1]), []).append(answer)
    for (line, modems), group in groups.items():
        rates = Counter(answer.outcome.sender.bit_rate for answer in group)
        told = " ".join(f"{rate} ({count})" for rate, count in sorted(rates.items(), reverse=True))
        trainings = sum(len(answer.rates) for answer in group) / len(group)
        asked = sum(answer.asked for answer in group) / len(group)
        good = sum(map(held, group))
        rows.append(f"{line:<44} {modems:<7} {len(group):5} {good:4}  {told:<30} {trainings:8.1f} {asked:8.1f}")
    return "\n".join(rows)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Whole calls over grids of lines.")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--mixed", type=int, default=200, help="calls on lines that are bad in three ways")
    parser.add_argument("--quick", action="store_true", help="one seed, twenty mixed lines")
    chosen = parser.parse_args()
    seeds, mixed = (1, 20) if chosen.quick else (chosen.seeds, chosen.mixed)
    print(table([run(case) for case in axis_cases(seeds)]), flush=True)
    answers = [run(mixed_case(seed)) for seed in range(mixed)]
    print(f"\n{mixed} lines bad in three ways: {sum(map(held, answers))} good")
    for answer in answers:
        if not held(answer):
            print(f"  {answer.case}: {int(answer.outcome.sender.code)} {answer.outcome.sender.note}")


if __name__ == "__main__":
    main()
