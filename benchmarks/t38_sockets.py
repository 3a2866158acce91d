"""Many T.38 calls at once over loopback sockets in real time: how late packets leave, and whether all succeed.

    python -m benchmarks.t38_sockets [--calls 200] [--rows 600]

Senders run in one process, receivers in another, documents are drawn before. Prints one JSON object for each: calls
that succeeded, datagrams sent, how many milliseconds after their time (median, 99th percentile, most), CPU. A third
process has nothing but a timer: its lateness is the machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import subprocess
import sys
import time

import numpy as np

import faxcore
from faxcore.document import ReceivedDocument
from faxcore.net.udptl import UdptlCall
from faxcore.page import A4_WIDTH, FINE, Page

LOCAL = "127.0.0.1"
SPREAD = 2.0
"""Seconds over which the calls begin."""


def page(rows: int) -> Page:
    """A page of random strokes."""
    rng = np.random.default_rng(1)
    pels = np.zeros((rows, A4_WIDTH), np.bool_)
    for row, start, length in zip(*(rng.integers(0, top, rows) for top in (rows, 1600, 120)), strict=True):
        pels[row, start : start + length] = True
    return Page.from_pels(pels, FINE)


async def receivers(calls: int) -> tuple[int, list[float]]:
    """Wait for so many calls; tell the ports on stdout."""
    ours: list[UdptlCall] = []
    late: list[float] = []
    for _ in range(calls):
        call = faxcore.FaxCall.receive(carrier=faxcore.T38())
        ours.append(UdptlCall(call, local=(LOCAL, 0), late=late.append))
        await ours[-1].open()
    print(json.dumps([call.port for call in ours]), flush=True)
    _settle()
    results = await asyncio.gather(*(call.finished() for call in ours))
    return sum(result.success for result in results), late


async def senders(ports: list[int], rows: int) -> tuple[int, list[float]]:
    """Call each port."""
    document = ReceivedDocument()
    document.append(page(rows))
    late: list[float] = []
    made = [faxcore.FaxCall.send(document, carrier=faxcore.T38()) for _ in ports]
    _settle()

    async def send(number: int) -> bool:
        await asyncio.sleep(SPREAD * number / len(ports))
        async with UdptlCall(made[number], local=(LOCAL, 0), remote=(LOCAL, ports[number]), late=late.append) as call:
            return (await call.finished()).success

    return sum(await asyncio.gather(*(send(number) for number in range(len(ports))))), late


async def timer(over: subprocess.Popen[str]) -> list[float]:
    """How late a timer of 10 ms is while the others run."""
    loop, late = asyncio.get_running_loop(), []
    while over.poll() is None:
        due = loop.time() + 0.01
        await asyncio.sleep(0.01)
        late.append(loop.time() - due)
    return late


def _settle() -> None:
    """A collection of garbage in mid-call would stop all calls for a while."""
    gc.collect()
    gc.freeze()
    gc.disable()


def _told(role: str, good: int, late: list[float]) -> dict[str, object]:
    figures = 1e3 * np.percentile(late, [50, 99, 100])
    names = ("median_ms", "p99_ms", "most_ms")
    lateness = {name: round(float(figure), 2) for name, figure in zip(names, figures, strict=True)}
    return {"role": role, "succeeded": good, "datagrams": len(late), **lateness, "cpu": round(time.process_time(), 1)}


def main() -> None:
    """Both processes, or one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--role", choices=["both", "receivers", "senders"], default="both", help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.role == "receivers":
        print(json.dumps(_told("receivers", *asyncio.run(receivers(words.calls)))))
    elif words.role == "senders":
        print(json.dumps(_told("senders", *asyncio.run(senders(json.loads(input()), words.rows)))))
    else:
        sizes = ["--calls", str(words.calls), "--rows", str(words.rows)]
        command = [sys.executable, "-m", "benchmarks.t38_sockets", *sizes, "--role"]
        far = subprocess.Popen([*command, "receivers"], stdout=subprocess.PIPE, text=True)
        assert far.stdout is not None
        ports = far.stdout.readline()
        near = subprocess.Popen([*command, "senders"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert near.stdin is not None
        near.stdin.write(ports)
        near.stdin.close()
        late = asyncio.run(timer(far))
        near.wait()
        for process in (near, far):
            assert process.stdout is not None
            print(process.stdout.read(), end="")
        print(json.dumps(_told("timer", 0, late)))


if __name__ == "__main__":
    main()
