"""What a person sees: the bar while a fax runs, its events, the table at the end.

The bar and the events go to stderr, the table to stdout. Rich is imported only for a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TextIO

import click

from faxcore.cli.report import Report

if TYPE_CHECKING:
    from faxcore.call import FaxCall
    from faxcore.cli.station import Watch


@contextmanager
def live(*, verbose: bool) -> Iterator[Watch]:
    """Gives what is to see both calls after every step."""
    if not _is_terminal(sys.stderr):
        yield partial(_tell, print_line=partial(click.echo, err=True)) if verbose else _look_away
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("Calling", total=1.0, visible=False)

        def watch(sender: FaxCall, receiver: FaxCall) -> None:
            if verbose:
                _tell(sender, receiver, print_line=partial(bar.console.print, markup=False, highlight=False))
            words, done = _state(sender)
            bar.update(task, visible=True, description=words, completed=max(done, bar.tasks[task].completed))

        yield watch


@contextmanager
def counting(unit: str) -> Iterator[Callable[[str, int, int], None]]:
    """A bar on stderr, where it is a terminal: gives what is told the words, how many are done, and of how many."""
    if not _is_terminal(sys.stderr):
        yield lambda words, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        yield lambda words, done, total: bar.update(task, description=words, completed=done, total=total)


def _is_terminal(stream: TextIO | None) -> bool:
    """A person may be looking; None is a stream that was closed before we began."""
    return stream is not None and stream.isatty()


def _look_away(sender: FaxCall, receiver: FaxCall) -> None:
    """Nobody watches."""


def _tell(sender: FaxCall, receiver: FaxCall, *, print_line: Callable[[str], object]) -> None:
    """Print the new events of both ends in the order of line time."""
    from faxcore.cli.events import told, told_fields

    news = [(event, "sender") for event in sender.events()] + [(event, "receiver") for event in receiver.events()]
    for event, who in sorted(news, key=lambda item: item[0].at):
        print_line(f"{event.at:8.2f} s  {who:8}  {told(event)}")
        for line in told_fields(event) if who == "sender" else ():
            print_line(f"{'':22}{line}")


def _state(sender: FaxCall) -> tuple[str, float]:
    """Words and the part of all pages that is sent."""
    confirmed, page, fraction, pages = sender.progress
    if not pages or not page:
        return "Calling", 0.0
    return f"Page {page} of {pages}", max(confirmed, page - 1 + (fraction or 0.0)) / pages


def table(report: Report) -> None:
    """Print how it ended."""
    rows = list(report.rows())
    if not _is_terminal(sys.stdout):
        for what, how in rows:
            click.echo(f"{what:10}  {how}")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for what, how in rows:
        style = ("green" if report.status == 0 else "red") if what == "Result" else ""
        grid.add_row(Text(what, style="dim"), Text(how, style=style, overflow="fold"))
    Console().print(grid)
