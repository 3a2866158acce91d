"""The examples run as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import faxcore

EXAMPLES = Path(__file__).parents[2] / "examples"
SAMPLE = Path(faxcore.__file__).with_name("cli") / "sample.pdf"


def example(name: str, *words: str) -> list[str]:
    """The lines that an example prints."""
    paths = os.pathsep.join(filter(None, (str(EXAMPLES.parent), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, str(EXAMPLES / name), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": paths})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_asyncio() -> None:
    assert example("embed_asyncio.py", str(SAMPLE), "3") == [
        "call 0: success, 4 pages",
        "call 1: success, 4 pages",
        "call 2: CancelledError, 0 pages",
    ]


def test_synchronous(tmp_path: Path) -> None:
    *pages, _, _, _, count, code, _, result = example("embed_sync.py", str(SAMPLE), str(tmp_path))
    assert len(pages) == 4
    assert (count, code) == ("receive_fax_pages: 4", "receive_fax_result_code: 0")
    assert result == "receive_fax_result: success"
    (stored,) = tmp_path.iterdir()
    assert len(faxcore.open_document(stored).pages) == 4


def test_t38_and_the_switch_to_it() -> None:
    assert example("embed_t38.py", str(SAMPLE)) == ["packets: success, 4 pages", "switched: success, 4 pages"]
