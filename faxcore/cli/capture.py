"""Captures of T.38 calls for other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from faxcore.t38.pcap import Writer


@contextmanager
def writing(path: str | None) -> Iterator[Writer | None]:
    """A capture file; None where none is wanted. click.UsageError where it cannot be written."""
    if path is None:
        yield None
        return
    from faxcore.t38.pcap import Writer

    try:
        file = open(path, "wb")  # noqa: SIM115
    except OSError as error:
        raise click.UsageError(f"--pcap {path}: {error.strerror}") from error
    with file:
        yield Writer(file)


@contextmanager
def capturing(path: str | None) -> Iterator[Callable[[float, int, bytes], None] | None]:
    """What `simulate` tells of its datagrams, between two addresses of the documentation's."""
    from faxcore.t38.pcap import Endpoint

    ends = Endpoint("192.0.2.1", 4000), Endpoint("192.0.2.2", 4000)
    with writing(path) as writer:
        if writer is None:
            yield None
        else:
            yield lambda at, end, datagram: writer.write(at, ends[end], ends[1 - end], datagram)
