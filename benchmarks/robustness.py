"""Our receivers beside SpanDSP's on bad lines: `python -m benchmarks.robustness [--only v29] [--quick]`.

Both hear the same bursts, made by one transmitter: bit error rates over 10^6 bits and more a cell, trainings over as
many bursts as stated (the short one over twice as many: where all of 800 succeed, the goal is proven with 95 %), SNR
over 0-4 kHz, burst i from seed i, exact 95 % bounds in brackets. SpanDSP trains only where noise begins with the burst,
so "quiet before" stands beside "noise before": 300 ms of it. Rows at "own 1e-4 + 3 dB" have each engine at its own SNR,
ours with noise before, SpanDSP's without. A burst that did not train, or lost its data (more than 5 % wrong), is
counted as lost and not as bit errors; V.21's rate is that of independent errors which lose as many frames of 26 octets
as were lost. Needs gcc and libspandsp-dev; `--results` keeps the cells as JSON.

A cell that is in the file of --results already, from the same sources, is not measured again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import multiprocessing
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.cells import Cell, Count, bit_error_rate, measure
from benchmarks.engines import ENGINES
from benchmarks.impairments import LINES, Channel
from faxcore.bench import figures

IDEAL_DB = {
    ("v17", 14400): 20.4, ("v17", 12000): 17.6, ("v17", 9600): 13.8, ("v17", 7200): 10.3,
    ("v29", 9600): 17.7, ("v29", 7200): 14.2, ("v29", 4800): 10.4,
    ("v27ter", 4800): 13.3, ("v27ter", 2400): 6.9, ("v21", 300): 2.6,
}  # fmt: skip
"""SNR for a bit error rate of 1e-4 with ideal synchronisation."""

WITHIN_DB = 1.3
QUICK = 20
CURVE_BITS = 400_000
"""A curve of fewer bits has too few errors to say where 1e-4 is."""

Counts = dict[tuple[str, Cell], Count]
Goal = Callable[[Count], bool]
Real = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One line of a table: a cell for each engine, and what ours has to reach there."""

    section: str
    condition: str
    cells: dict[str, Cell]
    goal: Goal | None = None

    @property
    def mode(self) -> str:
        cell = next(iter(self.cells.values()))
        return f"{cell.name} {cell.rate}"


def clean(count: Count) -> bool:
    return count.failed == count.errors == 0


def usable(count: Count) -> bool:
    return count.failed == 0 and count.error_rate < 1e-3


def within(error_rate: float) -> Goal:
    return lambda count: count.failed == 0 and count.error_rate <= error_rate


def trained(share: float) -> Goal:
    return lambda count: count.failed <= (1 - share) * count.bursts


class Runner:
    """Measures cells in processes of its own and remembers them."""

    def __init__(self, processes: int, results: Path | None) -> None:
        self.counts: Counts = {}
        self._processes, self._results = processes, results
        self._sources = _digest_of_sources()
        if results and results.exists():
            for line in map(json.loads, results.read_text().splitlines()):
                if line["sources"] == self._sources:
                    cell = Cell(**line["cell"] | {"channel": Channel(**line["cell"]["channel"])})
                    self.counts[line["engine"], cell] = Count(**line["count"])

    def run(self, wanted: Iterable[tuple[str, Cell]]) -> None:
        todo: dict[Cell, list[str]] = {}
        for engine, cell in wanted:
            if (engine, cell) not in self.counts and engine not in todo.setdefault(cell, []):
                todo[cell].append(engine)
        jobs = [(cell, tuple(listening)) for cell, listening in todo.items() if listening]
        start = time.monotonic()
        with multiprocessing.get_context("forkserver").Pool(self._processes) as pool:
            for done, (cell, counts) in enumerate(pool.imap_unordered(_measured, jobs), 1):
                for engine, count in counts.items():
                    self.counts[engine, cell] = count
                    self._keep(engine, cell, count)
                seconds = time.monotonic() - start
                print(f"\r{done}/{len(jobs)} cells, {seconds:.0f} s", end="", file=sys.stderr, flush=True)
        if jobs:
            print(file=sys.stderr)

    def _keep(self, engine: str, cell: Cell, count: Count) -> None:
        if self._results:
            line = {"sources": self._sources, "engine": engine, "cell": asdict(cell), "count": asdict(count)}
            with self._results.open("a") as file:
                file.write(json.dumps(line) + "\n")


def _measured(job: tuple[Cell, tuple[str, ...]]) -> tuple[Cell, dict[str, Count]]:
    return job[0], measure(*job)


def _digest_of_sources() -> str:
    """Of what a receiver and its cells are made of."""
    root = Path(__file__).parent.parent
    parts = ["faxcore/modem/*.py", "faxcore/hdlc.py", "faxcore/g711.py"]
    parts += [f"native/{family}*.[ch]" for family in ("qam", "fsk", "bank")]
    parts += [f"benchmarks/{name}.py" for name in ("cells", "engines", "impairments")]
    files = sorted(file for part in parts for file in root.glob(part))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


# --- what is measured ---


@dataclass(frozen=True)
class Plan:
    """All cells of one modulation at one rate."""

    name: str
    rate: int
    bits: int
    bursts: int
    listening: tuple[str, ...]
    transmitter: str

    def cell(self, kind: str, channel: Channel, seconds: float = 4.0) -> Cell:
        size = {"data": self.bits, "frames": self.bits, "training": self.bursts, "short": 2 * self.bursts}[kind]
        return Cell(kind, self.name, self.rate, channel, size, seconds, self.transmitter)

    def curve(self, engine: str, noise_before: bool) -> list[Cell]:
        """Cells around the SNR of a bit error rate of 1e-4."""
        kind = "frames" if self.name == "v21" else "data"
        ideal = IDEAL_DB[self.name, self.rate]
        above = np.arange(-1, 2.1, 0.5) if engine == "faxcore" else np.arange(-0.5, 4.1, 0.5)
        channels = [Channel(round(ideal + more, 1), noise_before) for more in above.tolist()]
        return [replace(self.cell(kind, channel), size=max(self.bits, CURVE_BITS)) for channel in channels]

    def trainings(self, at_1e3: float) -> list[Row]:
        """Where bit errors reach 1e-3 training must not be the bottleneck."""
        rows = []
        places = [(f"{at_1e3 + more:.1f} dB", Channel(round(at_1e3 + more, 1))) for more in (0, 2, 5, 15)]
        moved = Channel(round(at_1e3, 1), carrier_hz=15, clock_ppm=-200)
        places += [("no noise", Channel()), (f"{at_1e3:.1f} dB, +15 Hz, -200 ppm", moved)]
        for label, channel in places:
            for before, text in ((True, "noise before"), (False, "quiet before")):
                cell = self.cell("training", replace(channel, noise_before=before))
                if channel.snr_db is not None or before:
                    condition = f"{label}, {text}" if channel.snr_db is not None else label
                    rows.append(Row("Training", condition, dict.fromkeys(self.listening, cell), trained(0.99)))
        return rows

    def margins(self, at_1e4: dict[str, float]) -> list[Row]:
        """Impairments one by one, each engine 3 dB above its own SNR for 1e-4."""
        conditions: list[tuple[str, str, Channel, Goal, float]] = [
            ("Line filters", line, Channel(line=line), clean, 4.0) for line in LINES
        ]
        conditions += [("Carrier offset", f"{hz:+} Hz", Channel(carrier_hz=hz), clean, 4.0) for hz in (-15, -7, 7, 15)]
        for ppm in (-400, -200, -100, 100, 200, 400):
            goal = clean if abs(ppm) <= 200 else usable
            conditions.append(("Clock offset", f"{ppm:+} ppm", Channel(clock_ppm=ppm), goal, 20.0))
        for level in (-3, -43):
            conditions.append(("Level", f"{level} dBm0", Channel(level_dbm0=level), clean, 4.0))
        worst = Channel(level_dbm0=-30, carrier_hz=15, clock_ppm=-200, line="end of band + delay", law="a")
        label = "+15 Hz, -200 ppm, end of band + delay, -30 dBm0, a law"
        conditions.append(("All at once", label, worst, clean, 20.0))
        rows = []
        for section, label, channel, goal, seconds in conditions:
            cells = {
                engine: self.cell("data", replace(channel, snr_db=round(at_1e4[engine] + 3, 1),
                                                  noise_before=engine == "faxcore"), seconds)
                for engine in self.listening
            }  # fmt: skip
            rows.append(Row(section, f"{label}, own 1e-4 + 3 dB", cells, goal))
        return rows

    def quiet_lines(self) -> list[Row]:
        """Levels and companding laws, without noise."""
        places = [(f"{level} dBm0", Channel(level_dbm0=level)) for level in (0, -3, -10, -20, -30, -40, -43)]
        places += [(f"{level} dBm0, {law} law", Channel(level_dbm0=level, law=law))
                   for law in ("a", "mu") for level in (-13, -30)]  # fmt: skip
        places.append(("-43 dBm0, DC of 200 counts", Channel(level_dbm0=-43, dc=200)))
        places.append(("-43 dBm0, hum of -30 dBm0", Channel(level_dbm0=-43, hum_dbm0=-30)))
        return [
            Row("Level", f"{label}, no noise", dict.fromkeys(self.listening, self.cell("data", channel)),
                clean if channel.level_dbm0 else within(1e-4))
            for label, channel in places
        ]  # fmt: skip

    def short_trainings(self) -> list[Row]:
        """V.17's resynchronisation after a long training."""
        if self.name != "v17":
            return []
        channels = [Channel(level_dbm0=level) for level in (-5, -10, -15, -20, -25, -30, -35, -40)]
        return [
            Row("Short training", f"{channel.level_dbm0} dBm0, no noise",
                dict.fromkeys(self.listening, self.cell("short", channel)), trained(0.995))
            for channel in channels
        ]  # fmt: skip


@dataclass(frozen=True)
class Threshold:
    """The SNR in dB for a bit error rate with its 95 % half width, and the bursts lost on the way to it."""

    snr_db: float
    half_width: float
    lost: int
    bursts: int


def threshold(cells: list[Cell], counts: list[Count], error_rate: float) -> Threshold:
    """By the likeliest straight line through the logarithms of the error rates, those of no error included.

    Not a number where too few cells had errors, or where they do not fall with the SNR.
    """
    points = [(cell.channel.snr_db, *bit_error_rate(cell, count)) for cell, count in zip(cells, counts, strict=True)]
    near = np.array([point for point in points if point[1] < error_rate * 12], float).reshape(-1, 3)
    whole = [] if cells[0].kind == "frames" else counts
    lost, bursts = sum(count.failed for count in whole), sum(count.bursts for count in whole)
    snr, rate, events = near.T
    unknown = Threshold(math.nan, math.nan, lost, bursts)
    if np.sum(events > 0) < 2 or np.ptp(snr[events > 0]) == 0:
        return unknown
    trials = np.full(len(snr), np.sum(events) / np.sum(rate))  # of independent errors
    height, slope = poisson_line(snr, events, trials)
    if slope >= 0:
        return unknown
    return Threshold((math.log(error_rate) - height) / slope, 1.96 / math.sqrt(events.sum()) / -slope, lost, bursts)


def poisson_line(x: Real, events: Real, trials: Real) -> tuple[float, float]:
    """Height at 0 and slope of the line ln(rate) = height + slope x that makes the counted events likeliest."""
    middle = float(np.average(x, weights=events))
    design = np.stack([np.ones(len(x)), x - middle])
    found = np.array([math.log(np.sum(events) / np.sum(trials)), 0.0])
    for _ in range(60):
        expected = trials * np.exp(np.clip(found @ design, -50, 0))
        step = np.linalg.solve((design * expected) @ design.T, design @ (events - expected))
        found = found + np.clip(step, -1, 1)
    return float(found[0] - found[1] * middle), float(found[1])


# --- the tables ---


def shown(cell: Cell, count: Count) -> str:
    """A count with its bounds."""
    if cell.kind in ("training", "short"):
        low, high = count.success_bounds
        good = count.bursts - count.failed
        return f"{good}/{count.bursts} [{100 * low:.1f}, {100 * high:.1f} %]"
    low, high = count.error_bounds
    lost = f", {count.failed}/{count.bursts} lost" if count.failed else ""
    if not count.errors:
        return f"0 in {count.bits:.1e} [{high:.1e}]{lost}"
    return f"{count.error_rate:.1e} [{low:.1e}, {high:.1e}]{lost}"


def table(rows: list[Row], counts: Counts, engines: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Markdown lines, and the rows where ours misses its goal."""
    lines, misses, section = [], [], ""
    for row in rows:
        if row.section != section:
            section = row.section
            lines += ["", f"## {section}", "", f"| mode | condition | {' | '.join(engines)} | goal |"]
            lines.append("|---" * (len(engines) + 3) + "|")
        cells = [shown(row.cells[engine], counts[engine, row.cells[engine]]) for engine in engines]
        verdict = ""
        if row.goal and "faxcore" in engines:
            verdict = "met" if row.goal(counts["faxcore", row.cells["faxcore"]]) else "MISSED"
        line = f"| {row.mode} | {row.condition} | {' | '.join(cells)} | {verdict} |"
        lines.append(line)
        misses += [f"{row.section}: {line}"] if verdict == "MISSED" else []
    return lines, misses


def sensitivity(plan: Plan, found: dict[tuple[str, bool], Threshold], counts: Counts) -> tuple[list[str], list[str]]:
    """The lines of the first table for one mode."""
    ideal = IDEAL_DB[plan.name, plan.rate]
    lines, misses = [], []
    for (engine, before), at in found.items():
        limit = found.get(("spandsp", False), at).snr_db if plan.name == "v21" else ideal + WITHIN_DB
        verdict = "" if engine != "faxcore" else "met" if at.snr_db <= limit and not at.lost else "MISSED"
        lost = f"{at.lost}/{at.bursts}" if at.bursts else ""
        line = (f"| {plan.name} {plan.rate} | {engine}, {'noise' if before else 'quiet'} before | {at.snr_db:.2f} "
                f"± {at.half_width:.2f} | {at.snr_db - ideal:+.2f} | {lost} | {verdict} |")  # fmt: skip
        lines.append(line)
        misses += [f"BER 1e-4: {line}"] if verdict == "MISSED" else []
    return lines, misses


def circumstances() -> str:
    """The machine, the versions and the command."""
    query = ["dpkg-query", "-W", "-f", "${Package} ${Version}", "libspandsp2"]
    peer = subprocess.run(query, check=False, capture_output=True, text=True).stdout if shutil.which(query[0]) else ""
    facts = figures.machine()
    versions = f"{peer}, Python {facts['python']}, NumPy {facts['numpy']}"
    command = f"`python -m benchmarks.robustness {' '.join(sys.argv[1:])}`"
    return f"{facts['processor']}, kernels {facts['cpu_level']}; {versions}; {command}"


def plans(arguments: argparse.Namespace) -> list[Plan]:
    share = QUICK if arguments.quick else 1
    listening = tuple(arguments.engines.split(","))
    return [
        Plan(name, rate, arguments.bits // share, arguments.bursts // share, listening, arguments.transmitter)
        for name, rate in IDEAL_DB
        if {name, f"{name}-{rate}"} & set(arguments.only.split(","))
    ]


def first_stage(plan: Plan, runner: Runner) -> dict[tuple[str, bool], Threshold]:
    curves = {(engine, before): plan.curve(engine, before) for engine in plan.listening
              for before in ((True, False) if engine == "faxcore" else (False,))}  # fmt: skip
    runner.run((engine, cell) for (engine, _), cells in curves.items() for cell in cells)
    return {
        (engine, before): threshold(cells, [runner.counts[engine, cell] for cell in cells], 1e-4)
        for (engine, before), cells in curves.items()
    }


def second_stage(plan: Plan, found: dict[tuple[str, bool], Threshold], counts: Counts) -> list[Row]:
    if plan.name == "v21":
        return []
    hopeless = IDEAL_DB[plan.name, plan.rate] + 5
    at_1e4 = {engine: found[engine, engine == "faxcore"].snr_db for engine in plan.listening}
    at_1e4 = {engine: hopeless if math.isnan(snr) else snr for engine, snr in at_1e4.items()}
    leader = plan.listening[0]
    cells = plan.curve(leader, leader == "faxcore")
    at_1e3 = threshold(cells, [counts[leader, cell] for cell in cells], 1e-3).snr_db
    at_1e3 = hopeless if math.isnan(at_1e3) else at_1e3
    return plan.trainings(at_1e3) + plan.margins(at_1e4) + plan.quiet_lines() + plan.short_trainings()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="v17,v29,v27ter,v21", help="modulations, or single rates: v29-9600")
    parser.add_argument("--quick", action="store_true", help="a twentieth of it, two fifths of the curves' bits")
    parser.add_argument("--bits", type=int, default=1_000_000)
    parser.add_argument("--bursts", type=int, default=400)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--transmitter", choices=ENGINES, default="faxcore")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, help="keeps every cell, one JSON object a line")
    parser.add_argument("--markdown", type=Path, help="writes the tables there as well")
    arguments = parser.parse_args()
    runner = Runner(arguments.processes, arguments.results)
    rows: list[Row] = []
    chosen, misses = plans(arguments), list[str]()
    lines = ["# Receivers on bad lines", "", (__doc__ or "").split("\n\n")[1], ""]
    lines += [f"Transmitter {arguments.transmitter}, {chosen[0].bits} bits or {chosen[0].bursts} bursts a cell, seeds "
              "from 0.", "", circumstances(), ""]  # fmt: skip
    lines += ["## SNR for BER 1e-4", "", "| mode | engine | dB | above ideal | lost | goal |", "|---" * 6 + "|"]
    for plan in chosen:
        found = first_stage(plan, runner)
        more, missed = sensitivity(plan, found, runner.counts)
        lines, misses, rows = lines + more, misses + missed, rows + second_stage(plan, found, runner.counts)
    runner.run((engine, cell) for row in rows for engine, cell in row.cells.items())
    sections = list(dict.fromkeys(row.section for row in rows))
    rows.sort(key=lambda row: sections.index(row.section))
    more, missed = table(rows, runner.counts, chosen[0].listening)
    misses += missed
    text = "\n".join([*lines, *more, "", f"## Missed: {len(misses)}", "", *(f"* {miss}" for miss in misses)])
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text + "\n")


if __name__ == "__main__":
    main()
