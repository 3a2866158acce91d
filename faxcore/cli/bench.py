"""`faxcore bench`: how much fax a core of this machine carries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from faxcore.errors import DocumentError

if TYPE_CHECKING:
    from faxcore.bench import Report


@click.command(short_help="Measure how much fax this machine carries.")
@click.option("--document", metavar="FILE", help="What is sent.  [default: one dense page]")
@click.option("--calls", type=click.IntRange(1, 4096), default=64, show_default=True, help="Calls at a time.")
@click.option("--repeats", type=click.IntRange(1, 100), default=5, show_default=True, help="Repeats of each figure.")
@click.option("--peer", type=click.Choice(["spandsp"]), help="Run it through the same work and print ratios.")
@click.option("--quick", is_flag=True, help="Only V.17 14400 with ECM and MMR, as audio and over T.38.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def bench(document: str | None, calls: int, repeats: int, peer: str | None, quick: bool, as_json: bool) -> None:
    """Measure capacity, pages a minute, CPU a page and memory a call, by modulation, coding and ECM.

    Capacity is 1 / (CPU seconds per second of line, both ends): the simultaneous calls that one core would carry.
    Figures are the median over the repeats, with the least and the most. Minutes of CPU; nothing else should run.
    """
    from faxcore.bench import PeerMissing, benchmark
    from faxcore.cli.display import counting

    try:
        with counting("steps") as progress:
            report = benchmark(document, calls=calls, repeats=repeats, with_peer=peer is not None, quick=quick,
                               progress=progress)  # fmt: skip
    except (PeerMissing, DocumentError) as error:
        click.echo(f"faxcore: {error}", err=True)
        click.get_current_context().exit(2 if isinstance(error, PeerMissing) else 1)
    if as_json:
        click.echo(json.dumps(report.json()))
    else:
        _tables(report)


def _tables(report: Report) -> None:
    """Print the figures."""
    from rich.console import Console
    from rich.table import Table

    console, machine = Console(), report.machine
    console.print(f"{machine['processor']}, {machine['cpu_level']} kernels; faxcore {machine['faxcore']}, "
                  f"Python {machine['python']}, NumPy {machine['numpy']}", highlight=False)  # fmt: skip
    console.print(f"{report.document}, {report.pages} pages; {report.calls} calls at a time, {report.repeats} repeats: "
                  "median (least to most)", highlight=False)  # fmt: skip
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    heads = ["calls", "a core carries", "ms a page", "pages/min"]
    for head in heads + ["SpanDSP", "ratio"] * bool(report.peer):
        table.add_column(head, justify="left" if head == "calls" else "right", no_wrap=True)
    for row in report.rows:
        page, minute = row.cpu_a_page(row.ours).median, row.pages_a_minute.median
        cells = [row.work.name, row.capacity.said(0), f"{page:.1f}", f"{minute:,.0f}"]
        if row.peer_capacity and row.ratio:
            cells += [f"{row.peer_capacity.median:,.0f}", row.ratio.said(2)]
        table.add_row(*cells)
    console.print(table)
    for name, parts in report.stages.items():
        said = ", ".join(f"{trade} {ms:.1f}" for trade, ms in parts.items())
        console.print(f"Where a call's time goes, ms of CPU ({name}): {said}", highlight=False)
    drawn = ", ".join(f"{name} {spread.said(2)}" for name, spread in report.drawing.items())
    console.print(f"Before the call, ms of CPU (and of wall time) a page: {drawn}", highlight=False)
    console.print(f"Memory of one waiting end: audio {report.memory['audio']:.0f} kB, "
                  f"T.38 {report.memory['t38']:.0f} kB", highlight=False)  # fmt: skip
    console.print(f"In real time: {report.real_time['pairs']:.0f} pairs, 99 % of the 20 ms ticks within "
                  f"{report.real_time['p99_ms']:.1f} ms", highlight=False)  # fmt: skip
