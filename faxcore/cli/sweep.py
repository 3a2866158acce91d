"""`faxcore sweep`: thousands of calls from one plan, and the report that they give."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from faxcore.errors import DocumentError

if TYPE_CHECKING:
    from faxcore.sweep import Journal, Plan


@click.command(short_help="Call over many lines with many offers.")
@click.argument("plan", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Where table, plots and report go.  [default: PLAN's name]")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes.  [default: the machine's cores]")
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True, metavar="N",
              help="Calls that share a bank of modems.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler, tcp://host:port, whose workers run the calls.")
@click.option("--case", "number", type=click.IntRange(0), metavar="N", help="Run only case N and draw its ladder.")
@click.option("--example", is_flag=True, help="Print a plan to begin with.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def sweep(plan: Path | None, example: bool, as_json: bool, number: int | None, **words: Any) -> None:
    """Call over every line with every offer that PLAN, a TOML file, asks for, once for each seed.

    What was done is kept: a sweep that was stopped goes on where it was when it is started again. The same plan
    gives the same table for any number of workers. Exit status: 0 the table is whole, whatever the calls in it
    came to.
    """
    from faxcore.sweep import EXAMPLE, SweepError, read_plan

    if example:
        click.echo(EXAMPLE, nl=False)
        return
    if plan is None:
        raise click.UsageError("PLAN is missing; --example prints one")
    try:
        read = read_plan(plan)
        if number is not None:
            _one(read, number)
        else:
            _all(read, words.pop("output") or Path(plan.stem), as_json, words)
    except (SweepError, DocumentError) as error:
        click.echo(f"faxcore: {error}", err=True)
        click.get_current_context().exit(2 if isinstance(error, SweepError) else 1)


def _one(plan: Plan, number: int) -> None:
    """One case as a ladder."""
    from faxcore.cli.ladder import Ladder
    from faxcore.sweep import drawn, replay

    try:
        case = plan.case(number)
    except IndexError as error:
        raise click.UsageError(f"--case: {error}") from error
    ladder = Ladder()
    outcome = replay(plan, drawn(plan), number, ladder.before(lambda sender, receiver: None))
    click.echo(f"{Path(case.document).name} over {case.line.label} with {case.offer.label}, seed {case.seed}")
    for line in ladder.lines():
        click.echo(line)
    click.echo(f"{int(outcome.sender.code)}: {outcome.sender.text}. {outcome.sender.note}".rstrip(". ") + ".")


def _all(plan: Plan, folder: Path, as_json: bool, words: dict[str, Any]) -> None:
    """All cases, with a bar, and the report."""
    from faxcore.cli.display import counting
    from faxcore.sweep import Journal, drawn, run, tell

    journal = Journal(folder, plan)
    before, began, cpu = len(journal.rows), time.perf_counter(), time.process_time()
    with counting("calls") as tell_done:
        tell_done("Drawing", before, len(plan))
        documents = drawn(plan) if before < len(plan) else {}
        run(plan, documents, journal, progress=lambda done: tell_done("Calling", done, len(plan)), **words)
    made = tell(plan, journal)
    seconds = time.perf_counter() - began
    facts = _facts(plan, journal) | {"done_before": before, "wall_time": round(seconds, 3)}
    facts["own_cpu_time"] = round(time.process_time() - cpu, 3)
    if as_json:
        click.echo(json.dumps(facts | {"files": [str(path) for path in made]}))
        return
    went_on = f", {before} of them done before" if before else ""
    click.echo(f"{facts['calls']} calls{went_on}: {facts['succeeded']} succeeded; {facts['pages']} pages in "
               f"{facts['line_time'] / 3600:.1f} hours of line, {seconds:.1f} s here.")  # fmt: skip
    click.echo(f"Report: {made[0]}")


def _facts(plan: Plan, journal: Journal) -> dict[str, Any]:
    rows = journal.rows.values()
    return {
        "calls": len(plan),
        "succeeded": sum(row["success"] for row in rows),
        "damaged_with_ecm": sum(row["damaged"] and row["ecm"] for row in rows),
        "pages": sum(row["pages"] for row in rows),
        "line_time": round(sum(row["line_time"] for row in rows), 3),
    }
