"""A whole call: PDF to bitmap to MR to V.29 over a line and back to a stored PDF.

Point: in a warm process with the drawing worker running, dense text, V.29 9600, MR: `simulate()` from PDF to
saved PDF costs at most 150 ms of CPU, worker included. `faxcore --version` and `faxcore send --help` return in
under 0.3 s of wall time.

    python benchmarks/call.py [REPEATS]

CPU time is that of this process and of the worker, to the nanosecond, by the clocks that Linux keeps for both.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from pypdf import PdfReader, PdfWriter

import faxcore
from faxcore import kernels
from faxcore.bench.cpu import children, cpu_of
from faxcore.call import FaxCall
from faxcore.document import PageRequest
from faxcore.line import Direction
from faxcore.modem import qam, v21
from faxcore.options import Options

SAMPLE = Path(faxcore.__file__).with_name("cli") / "sample.pdf"
CALL_BUDGET, COMMAND_BUDGET = 150.0, 300.0  # ms of CPU, ms of wall time
COMMANDS = (["--version"], ["send", "--help"])
LINE = {"noise_dbm0": -55.0, "law": "mu", "seed": 1}

OPTIONS = Options(modulations=("v29",), codings=("mr",), ecm=False)


class Stopwatch:
    """CPU time by part; a part inside another counts for itself only."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._parts = ["rest"]
        self._since = time.process_time()

    def switch(self, part: str | None) -> None:
        """Enter a part, or leave the innermost."""
        now = time.process_time()
        self.spent[self._parts[-1]] += 1000 * (now - self._since)
        self._since = now
        if part is None:
            self._parts.pop()
        else:
            self._parts.append(part)

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, counted as a part."""

        def counted(*args: Any, **named: Any) -> Any:
            self.switch(part)
            try:
                return function(*args, **named)
            finally:
                self.switch(None)

        return counted


def watch(stopwatch: Stopwatch) -> None:
    """Count the parts of every call from now on."""
    for part, home, name in (
        ("open and draw", PageRequest, "page"),
        ("transmit", qam.Transmitter, "pull"),
        ("line", Direction, "carry"),
        ("receive", qam.Receiver, "push"),
        ("receive", v21.Receiver, "push"),
    ):
        setattr(home, name, stopwatch.timed(part, getattr(home, name)))
    for part, name in (("code", "encode"), ("decode", "decode")):
        function = getattr(sys.modules["faxcore.coding"], name)
        timed = stopwatch.timed(part, function)
        for module in [m for n, m in sys.modules.items() if n.startswith("faxcore") and m is not None]:
            if vars(module).get(name) is function:
                setattr(module, name, timed)


def one_call(document: Path, output: Path) -> float:
    """PDF to saved PDF; gives the line time."""
    sender = FaxCall.send(faxcore.open_document(document), identity="+15551230001", options=OPTIONS)
    receiver = FaxCall.receive(identity="+15551230002", options=OPTIONS)
    outcome = faxcore.simulate(sender, receiver, line=faxcore.Line(**LINE))
    assert outcome.sender.success, outcome.sender
    assert (outcome.sender.bit_rate, outcome.sender.coding) == (9600, "mr"), outcome.sender
    faxcore.save_document(receiver.document, output)
    return outcome.line_time


def measured(document: Path, output: Path, stopwatch: Stopwatch) -> dict[str, float]:
    """CPU ms of one call by part."""
    worker = children()
    stopwatch.switch("rest")
    stopwatch.spent.clear()
    before, drawn = time.process_time(), cpu_of(worker)
    one_call(document, output)
    ours, drawn = 1000 * (time.process_time() - before), 1000 * (cpu_of(worker) - drawn)
    stopwatch.switch(None)
    parts = dict(stopwatch.spent)
    parts["open and draw"] = parts.get("open and draw", 0.0) + drawn
    return parts | {"all": ours + drawn}


def dense_page(folder: Path) -> Path:
    """The sample's first page as a document of its own."""
    writer, path = PdfWriter(), folder / "dense.pdf"
    writer.add_page(PdfReader(SAMPLE).pages[0])
    writer.write(path)
    return path


def command_ms(words: list[str]) -> float:
    """Wall time of one command."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "faxcore", *words], check=True, stdout=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - begin)


def show(what: str, values: list[float], budget: float | None = None) -> None:
    verdict = ""
    if budget is not None:
        verdict = f"  at most {budget:.0f} ms: {'holds' if median(values) <= budget else 'DOES NOT HOLD'}"
    print(f"  {what:24} {median(values):8.1f} ms  ({min(values):.1f} to {max(values):.1f}){verdict}")


def main(repeats: int = 20) -> None:
    """Print what a call and the two commands cost."""
    stopwatch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        document, output = dense_page(Path(folder)), Path(folder) / "received.pdf"
        line_time = one_call(document, output)
        watch(stopwatch)
        faxcore.open_document = stopwatch.timed("open and draw", faxcore.open_document)
        faxcore.save_document = stopwatch.timed("save", faxcore.save_document)
        runs = [measured(document, output, stopwatch) for _ in range(repeats)]
    print(f"One dense A4 page, fine, MR, V.29 9600, {line_time:.1f} s of line, {kernels.cpu_level()}:")
    print(f"CPU time, {repeats} calls: median (least to most)")
    for part in ("open and draw", "code", "transmit", "line", "receive", "decode", "save", "rest"):
        show(part, [run.get(part, 0.0) for run in runs])
    show("PDF to saved PDF", [run["all"] for run in runs], CALL_BUDGET)
    print(f"Commands: wall time, {repeats} runs")
    for words in COMMANDS:
        show("faxcore " + " ".join(words), [command_ms(words) for _ in range(repeats)], COMMAND_BUDGET)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
