"""The words of the command line: options, their checks, exit statuses."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

import faxcore
from faxcore.cli.station import Request
from faxcore.cli.swml import swml

MOST_PAGES = 100_000
OUTPUT_KINDS = (".pdf", ".tif", ".tiff")


class _Stoppable(click.Group):
    """A group in which Ctrl-C is an exit status, wherever it strikes."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("faxcore: stopped", err=True)
            ctx.exit(130)


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from faxcore import kernels

        click.echo(f"faxcore {faxcore.__version__} (native kernels, {kernels.cpu_level()})")
        ctx.exit()


def _checked_output(ctx: click.Context, _: click.Parameter, path: str) -> str:
    """A path that can be written, so that no call is made in vain."""
    if Path(path).suffix.lower() not in OUTPUT_KINDS:
        raise click.UsageError(f"--output must end in .pdf or .tif, not {path!r}", ctx)
    folder = Path(path).parent
    if Path(path).is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise click.UsageError(f"--output: {path!r} cannot be written", ctx)
    return path


def _checked_station(ctx: click.Context, parameter: click.Parameter, where: str) -> tuple[str, int] | None:
    """Where the far station is; None: in this process."""
    name = parameter.opts[0]
    if where == "loopback":
        return None
    from faxcore.net.udptl import parse_url

    try:
        return parse_url(where)
    except ValueError:
        raise click.UsageError(f"{name} knows loopback and udptl://host:port, not {where!r}", ctx) from None


RESOLUTIONS = ("standard", "fine", "superfine", "R16x15.4", "200x100", "200x200", "200x400", "300x300", "400x400")


def _checked_pages(ctx: click.Context, _: click.Parameter, given: str | None) -> tuple[int, ...] | None:
    """Page numbers as people write them, counted from 0."""
    if given is None:
        return None
    numbers: list[int] = []
    for part in given.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() if dash else True)) or not 0 < int(first) <= int(last or first):
            raise click.UsageError(f"--pages is a list such as 1-3,7, not {given!r}", ctx)
        if int(last or first) > MOST_PAGES:
            raise click.UsageError(f"--pages: no document has a page {last or first}", ctx)
        numbers += range(int(first) - 1, int(last or first))
    return tuple(numbers)


ALLOWED_FIELDS = ("identity", "sub_address", "sender_id", "password", "polling_address", "polled_sub_address")


def _checked_allowed(ctx: click.Context, _: click.Parameter, given: tuple[str, ...]) -> dict[str, set[str]]:
    """What a far station may say: field to texts."""
    allowed: dict[str, set[str]] = {}
    for word in given:
        field, equals, text = word.partition("=")
        if field not in ALLOWED_FIELDS or not equals:
            raise click.UsageError(f"--allow is one of {', '.join(ALLOWED_FIELDS)}, = and a text, not {word!r}", ctx)
        allowed.setdefault(field, set()).add(text)
    return allowed


SHARED_OPTIONS = (
    click.option("--output", default="received.pdf", show_default=True, callback=_checked_output, metavar="FILE",
                 help="Where the received pages go: .pdf or .tif."),
    click.option("--header", metavar="TEXT", help="Draw a header line with date, identity, TEXT and page n/m."),
    click.option("--pages", callback=_checked_pages, metavar="LIST",
                 help="Pages to send, as in 1-3,7.  [default: all]"),
    click.option("--first-page", type=click.IntRange(1), default=1, show_default=True, metavar="N",
                 help="Resume a call that failed: the pages before the N-th are not sent."),
    click.option("--resolution", type=click.Choice(RESOLUTIONS), default="fine", show_default=True, metavar="NAME",
                 help="How fine pages are drawn, if the receiver takes it: standard, fine, superfine (204 pels and 98, "
                      "196 or 391 lines per inch), R16x15.4 (408 x 391), 200x100, 200x200, 200x400, 300x300, 400x400."),
    click.option("--width", type=click.Choice(["a4", "b4", "a3"]), default="a3", show_default=True,
                 help="The widest pages that are sent and received; wider ones are made smaller."),
    click.option("--adapt/--no-adapt", default=True,
                 help="Draw pages smaller or coarser where the receiver takes no better, or end the call.  "
                      "[default: draw]"),
    click.option("--modulation", "modulations", multiple=True, metavar="v17|v29|v27ter",
                 help="A modulation to use; again for more, the best first."),
    click.option("--max-rate", type=int, metavar="BIT/S", help="Fastest rate.  [default: 14400]"),
    click.option("--min-rate", type=int, metavar="BIT/S", help="Slowest rate.  [default: 2400]"),
    click.option("--ecm/--no-ecm", default=True, help="Error correction mode.  [default: on]"),
    click.option("--coding", "codings", multiple=True, metavar="mmr|mr|mh",
                 help="A coding to use; again for more, the best first."),
    click.option("--rasterizer", type=click.Choice(["pdfium", "poppler"]), default="pdfium", show_default=True,
                 help="What draws PDF pages."),
    click.option("--poll", is_flag=True, help="The receiver calls and fetches the document; the sender is called."),
    click.option("--sub-address", metavar="TEXT", help="SUB: the person or box at the receiver that is meant."),
    click.option("--sender-id", metavar="TEXT", help="SID: what the sender calls itself."),
    click.option("--password", metavar="TEXT", help="PWD: goes with a poll."),
    click.option("--polling-address", metavar="TEXT", help="SEP: which document is polled."),
    click.option("--polled-sub-address", metavar="TEXT", help="PSA: the box that is polled."),
    click.option("--allow", multiple=True, callback=_checked_allowed, metavar="FIELD=TEXT",
                 help="Go on only with a far station that says so: identity, sub_address, sender_id, password, "
                      "polling_address or polled_sub_address; again for more."),
    click.option("--noise", type=click.FloatRange(-100, 0), default=-55.0, show_default=True, metavar="DBM0",
                 help="Level of the line's noise."),
    click.option("--law", type=click.Choice(["mu", "a", "none"]), default="mu", show_default=True,
                 help="G.711 coding on the line."),
    click.option("--delay", type=click.FloatRange(0, 2000), default=0.0, show_default=True, metavar="MS",
                 help="Delay of the line, one way."),
    click.option("--gain", type=click.FloatRange(-60, 20), default=0.0, show_default=True, metavar="DB",
                 help="Gain of the line."),
    click.option("--t38", is_flag=True, help="T.38: datagrams over a simulated network in place of audio."),
    click.option("--loss", type=click.FloatRange(0, 1), default=0.0, show_default=True, metavar="SHARE",
                 help="Datagrams that the network loses."),
    click.option("--jitter", type=click.FloatRange(0, 2000), default=0.0, show_default=True, metavar="MS",
                 help="Delay that the network adds at most."),
    click.option("--pcap", metavar="FILE", help="Write the datagrams of a T.38 call to a capture file."),
    click.option("--seed", type=int, default=0, show_default=True, metavar="N",
                 help="Seed of the noise."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."),
    click.option("-v", "--verbose", is_flag=True, help="Print the events of the call as they happen."),
    click.option("--trace", is_flag=True, help="Draw the call as a ladder between both stations, at its end."),
)  # fmt: skip


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(SHARED_OPTIONS):
        command = option(command)
    return command


@click.group(cls=_Stoppable, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
              help="Print the version and the CPU level of the kernels.")  # fmt: skip
def main() -> None:
    """A software G3 fax engine.

    Exit status: 0 every page was confirmed, 1 the fax failed or a document cannot be used, 2 usage, 130 Ctrl-C.
    """


main.add_command(swml)


@main.command(short_help="Send a document.")
@click.argument("documents", nargs=-1, required=True, metavar="DOCUMENT...")
@click.option("--to", "far", default="loopback", show_default=True, callback=_checked_station, metavar="STATION",
              help="The receiving station: udptl://host:port for T.38; loopback is one in this process.")  # fmt: skip
@click.option("--identity", default="+15551230001", show_default=True, help="Identity of this station.")
@click.option("--remote-identity", default="+15551230002", show_default=True, help="Identity of the receiver.")
@_shared
def send(documents: tuple[str, ...], **words: Any) -> None:
    """Send DOCUMENT (PDF, TIFF, PNG, JPEG) over a simulated line in virtual time, or over UDP in real time.

    Several are sent one after the other in one call.
    """
    _run("send_fax", documents, words)


@main.command(short_help="Receive a document.")
@click.option("--from", "document", metavar="DOCUMENT",
              help="What a sending station in this process sends.")  # fmt: skip
@click.option("--listen", "far", default="loopback", show_default=True, callback=_checked_station, metavar="STATION",
              help="Where a call may come in: udptl://0.0.0.0:port for T.38.")  # fmt: skip
@click.option("--identity", default="+15551230002", show_default=True, help="Identity of this station.")
@click.option("--remote-identity", default="+15551230001", show_default=True, help="Identity of the sender.")
@_shared
def receive(document: str | None, **words: Any) -> None:
    """Receive a document that a station in this process sends over a simulated line, or one that comes over UDP."""
    if (document is None) == (words["far"] is None):
        raise click.UsageError("receive needs either --from DOCUMENT or --listen udptl://0.0.0.0:port")
    _run("receive_fax", (document,) if document else (), words)


def _run(method: str, documents: tuple[str, ...], words: dict[str, Any]) -> None:
    """One fax from the words to the exit status."""
    as_json, verbose, trace = words.pop("as_json"), words.pop("verbose"), words.pop("trace")
    request = Request(method=method, documents=documents, **words)
    _check_carrier(click.get_current_context(), request)
    if any(_same_file(document, request.output) for document in documents):
        raise click.UsageError(f"--output {request.output} is the document itself")
    from faxcore.cli import display, station
    from faxcore.cli.ladder import Ladder

    ladder = Ladder()
    with display.live(verbose=verbose and not trace) as watch:
        report = station.run(request, ladder.before(watch) if trace else watch)
    if report.error:
        click.echo(f"faxcore: {report.error}", err=True)
    for line in ladder.lines():
        click.echo(line, err=as_json)
    if as_json:
        click.echo(report.json())
    elif report.line_time:
        display.table(report)
    click.get_current_context().exit(report.status)


def _check_carrier(ctx: click.Context, request: Request) -> None:
    """A word that would do nothing is refused."""
    audio, network, packets = {"noise", "gain", "law"}, {"loss", "jitter"}, {"pcap"}
    if request.far:
        idle, why = audio | network | {"delay", "seed", "remote_identity", "t38", "poll"}, "a simulated call"
    elif request.t38:
        idle, why = audio, "a call without --t38"
    else:
        idle, why = network | packets, "a call with --t38"
    for name in sorted(idle):
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')} is for {why}")


def _same_file(first: str, second: str) -> bool:
    try:
        return os.path.samefile(first, second)
    except (OSError, ValueError):
        return False
