"""An editable install is found by a hook in sys.meta_path and by no path: what starts processes must know that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.house.sources import PACKAGE

HOOKED = f"""
import importlib.util, sys
class Hook:
    def find_spec(name, path=None, target=None):
        if name == "faxcore":
            return importlib.util.spec_from_file_location(name, {str(PACKAGE / "__init__.py")!r})
sys.path[:] = [path for path in sys.path if path not in ("", {str(PACKAGE.parent)!r})]
sys.meta_path.append(Hook)
import faxcore
page = faxcore.open_document({str(PACKAGE / "cli/sample.pdf")!r}).pages[0]
print(page.width, page.pels().any())
"""


def test_a_document_is_drawn(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", HOOKED], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1728", "True"]
