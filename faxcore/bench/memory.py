"""What a waiting call holds in memory: the growth of a process of its own that makes many."""

from __future__ import annotations

import json
import subprocess
import sys

CALLS = 1000
"""Ends held at a time, half of them senders."""


def memory() -> dict[str, float]:
    """Kilobytes of resident memory of one end: a call over audio, and one over T.38."""
    done = subprocess.run([sys.executable, "-m", "faxcore.bench.memory"], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _resident() -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def _grown(packets: bool) -> float:
    from faxcore.bench.work import Work

    work = Work(packets=packets)
    held = [work.ends(()) for _ in range(50)]
    before = _resident()
    held += [work.ends(()) for _ in range(CALLS // 2)]
    return round((_resident() - before) / (2 * (CALLS // 2)), 1)


if __name__ == "__main__":
    print(json.dumps({"audio": _grown(packets=False), "t38": _grown(packets=True)}))
