"""`faxcore swml run`: a script over the reference runtime, its far station in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from faxcore.errors import DocumentError, SwmlError

if TYPE_CHECKING:
    from faxcore.net import FaxService, Runtime, ScriptOutcome
    from faxcore.net.runtime import Carry
    from faxcore.swml.script import Script

SAMPLE = Path(__file__).with_name("sample.pdf")
NIL = "00000000-0000-0000-0000-000000000000"


@click.group(short_help="Run SWML scripts.")
def swml() -> None:
    """SWML: scripts with send_fax and receive_fax. Needs the extra: pip install 'faxcore[swml]'."""


def _checked_station(ctx: click.Context, parameter: click.Parameter, where: str | None) -> tuple[str, int] | None:
    """An address for T.38; None: the station in this process."""
    if where in (None, "loopback"):
        return None
    from faxcore.net.udptl import parse_url

    try:
        return parse_url(where or "")
    except ValueError:
        raise click.UsageError(f"{parameter.opts[0]} takes udptl://host:port, not {where!r}", ctx) from None


def _checked_envs(ctx: click.Context, _: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [word.partition("=") for word in given]
    for name, equals, _value in pairs:
        if not (name and equals):
            raise click.UsageError(f"--env takes NAME=VALUE, not {name!r}", ctx)
    return {name: value for name, _equals, value in pairs}


FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@swml.command(short_help="Run a script.")
@click.argument("script", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--to", "remote", default="loopback", show_default=True, callback=_checked_station, metavar="STATION",
              help="The far station: udptl://host:port for T.38; loopback is one in this process, in virtual time.")
@click.option("--listen", "local", callback=_checked_station, metavar="STATION",
              help="Where the far station calls: udptl://0.0.0.0:port for T.38.")
@click.option("--from", "caller", default="+15551230001", show_default=True, metavar="NUMBER",
              help="The caller's number: our identity where a script gives none.")
@click.option("--remote-identity", default="+15551230002", show_default=True, metavar="NUMBER",
              help="Number and identity of the far station.")
@click.option("--sends", "far_document", type=click.Path(exists=True, dir_okay=False), default=SAMPLE,
              show_default="a sample", metavar="DOCUMENT", help="What the far station sends to receive_fax.")
@click.option("--store", type=FOLDER, default=".", show_default=True, metavar="FOLDER",
              help="Where received documents go.")
@click.option("--allow-host", "hosts", multiple=True, metavar="HOST",
              help="A host, or host:port, that may have a private address; again for more.")
@click.option("--allow-files", "files", type=FOLDER, multiple=True, metavar="FOLDER",
              help="A folder from which file:// may take documents; again for more.")
@click.option("--env", "envs", multiple=True, callback=_checked_envs, metavar="NAME=VALUE",
              help="A value of the scope envs; again for more.")
@click.option("--secret", envvar="FAXCORE_SWML_SECRET", metavar="TEXT",
              help="Signs status callbacks; better given as FAXCORE_SWML_SECRET.")
@click.option("--t38", is_flag=True, help="Carry the faxes as T.38 packets instead of audio.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def run(script: str, as_json: bool, **words: Any) -> None:  # fmt: skip
    """Run SCRIPT, YAML or JSON, and print its variables.

    Exit status: 0 every fax succeeded and the script had no errors, 1 not so, 2 usage, 130 Ctrl-C.
    """
    import asyncio

    ctx = click.get_current_context()
    try:
        outcome = asyncio.run(_run(_script(script), words))
    except SwmlError as fault:
        _warn(fault)
        if as_json:
            click.echo(json.dumps(_object({"script_error": fault.code}, [fault], [])))
        ctx.exit(1)
    except (ImportError, DocumentError, OSError) as fault:
        click.echo(f"faxcore: {fault}", err=True)
        ctx.exit(1)
    _tell(outcome, as_json=as_json)
    ctx.exit(0 if outcome.success else 1)


def _script(path: str) -> Script:
    from faxcore.swml.script import LONGEST, Script

    with click.open_file(path, "rb") as file:
        return Script.parse(file.read(4 * LONGEST + 1))


async def _run(script: Script, words: dict[str, Any]) -> ScriptOutcome:
    import logging

    logging.getLogger("stamina").addHandler(logging.NullHandler())  # or each retry is a line on stderr
    async with _service(words) as service:
        return await _runtime(service, words).run(script)


def _service(words: dict[str, Any]) -> FaxService:
    from faxcore.net import AddressPolicy, FaxService, FetchLimits, FolderStorage

    return FaxService(
        policy=AddressPolicy(allow_hosts=frozenset(words["hosts"])),
        limits=FetchLimits(files=tuple(words["files"])),
        storage=FolderStorage(words["store"]),
        secret=os.fsencode(words["secret"]) if words["secret"] else None,
    )


def _runtime(service: FaxService, words: dict[str, Any]) -> Runtime:
    import uuid

    from faxcore.net import Runtime
    from faxcore.options import T38
    from faxcore.swml import CallInfo

    info = CallInfo(
        call_id=str(uuid.uuid4()),
        node_id=str(uuid.uuid4()),
        segment_id=str(uuid.uuid4()),
        session_id=str(uuid.uuid4()),
        project_id=NIL,
        space_id=NIL,
        direction="outbound",
        from_=words["caller"],
        to=words["remote_identity"],
    )
    elsewhere = words["remote"] or words["local"]
    carrier = T38() if elsewhere or words["t38"] else None
    carry = _elsewhere(words) if elsewhere else _here(words)
    return Runtime(service, carry, info, envs=words["envs"], carrier=carrier, warn=_warn)


def _here(words: dict[str, Any]) -> Carry:
    from faxcore.document import open_document
    from faxcore.net import LoopbackStation

    return LoopbackStation(words["remote_identity"], open_document(words["far_document"])).carry


def _elsewhere(words: dict[str, Any]) -> Carry:
    from functools import partial

    from faxcore.net import over_udptl

    return partial(over_udptl, local=words["local"] or ("0.0.0.0", 0), remote=words["remote"])


def _warn(error: SwmlError) -> None:
    click.echo(f"faxcore: {error}", err=True)


def _tell(outcome: ScriptOutcome, *, as_json: bool) -> None:
    """The variables on stdout, callbacks that did not arrive on stderr."""
    undelivered = [one for fax in outcome.faxes for one in fax.undelivered]
    if as_json:
        lost = [{"fax": json.loads(one.notice.json())["params"]["fax"], "cause": one.cause} for one in undelivered]
        click.echo(json.dumps(_object(outcome.variables, outcome.errors, lost)))
        return
    for one in undelivered:
        click.echo(f"faxcore: the event {one.notice.params.fax.type!r} did not arrive: {one.cause}", err=True)
    width = max(map(len, outcome.variables), default=0)
    for name, value in outcome.variables.items():
        click.echo(f"{name:{width}}  {value if isinstance(value, str) else json.dumps(value)}")


def _object(variables: dict[str, Any], errors: Iterable[SwmlError], undelivered: list[Any]) -> dict[str, Any]:
    told = [{"code": error.code, "message": error.description} for error in errors]
    return {**variables, "script_errors": told, "undelivered": undelivered}
