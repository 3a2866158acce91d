"""Imports only go down, and the core reads no clock, socket or random source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.sources import MODULES, dotted, imports, tree

FLOORS = (
    {"units", "errors", "page", "signals", "options", "events", "result", "stations", "extras"},
    {"kernels"},
    {"document", "coding", "hdlc", "g711"},
    {"t30", "modem", "t38", "line"},
    {"carrier"},
    {"call"},
    {"simulation", "swml"},
    {"net", "sweep", "bench"},
    {"cli"},
    {"__main__"},
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
STRANGERS = 3
"""From this floor up, rooms on one floor do not know each other."""

WORLDLY = {"socket", "asyncio", "http", "ssl", "select", "selectors", "socketserver", "urllib", "secrets", "random",
           "time", "uuid", "threading", "multiprocessing", "subprocess", "signal"}  # fmt: skip
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter", "urandom", "token_bytes"}
NET = 7

ALLOWED: dict[str, set[str]] = {
    # foreign files are opened in a process of its own, which may hang: neither pages nor calls depend on its time
    "faxcore.document.client": {"signal", "socket", "subprocess", "time", "time.monotonic"},
    "faxcore.document.pool": {"select", "signal", "threading"},
    "faxcore.document.worker": {"signal", "socket", "time"},
    "faxcore.document.files": {"secrets"},  # the name of a file that is not whole yet
    "faxcore.swml.urls": {"urllib"},  # its parser of URLs, which reads nothing
    "faxcore.call.facade": {"datetime.now"},  # the header line's date, only where its owner gave none
}
"""What a module below `net` may use of the world nevertheless, and the reason beside it."""


def room(module: str) -> str:
    """The room of a dotted name: "faxcore.t30.orders" is in "t30"; the package itself is ""."""
    return module.partition("faxcore.")[2].partition(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_go_down(path: Path) -> None:
    here = room(dotted(path))
    if not here:
        return
    assert here in FLOOR_OF, f"{here} has no floor: give it one in this test and in the design"
    for name in imports(path):
        there = room(name)
        if not name.startswith("faxcore.") or there in (here, "__version__"):
            continue
        assert there in FLOOR_OF, f"{name} is no room of the house"
        up = FLOOR_OF[there] - FLOOR_OF[here]
        assert up < 0 or (up == 0 and FLOOR_OF[here] < STRANGERS), f"{here} must not know {there}"


def used_of_the_world(path: Path) -> set[str]:
    """Modules of the outside world that a file imports, and its calls of clocks and unseeded random sources."""
    used = {name.partition(".")[0] for name in imports(path)} & WORLDLY
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name = ast.unparse(node.func)
        unseeded = name.endswith("random.default_rng") and not node.args
        legacy = ".random." in f".{name}" and node.func.attr not in ("default_rng", "Philox", "PCG64", "Generator")
        clock = node.func.attr in CLOCKS and name.partition(".")[0] in ("time", "datetime", "date", "os", "secrets")
        if clock or unseeded or legacy:
            used.add(name)
    return used


@pytest.mark.parametrize(
    "path", [p for p in MODULES if room(dotted(p)) and FLOOR_OF.get(room(dotted(p)), 0) < NET], ids=dotted
)
def test_the_core_reads_no_clock_socket_or_random_source(path: Path) -> None:
    assert used_of_the_world(path) == ALLOWED.get(dotted(path), set())


def test_allowed_exceptions_exist() -> None:
    assert set(ALLOWED) <= {dotted(path) for path in MODULES}
