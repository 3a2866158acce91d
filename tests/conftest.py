"""What all tests share: the vectors, the peers from Debian, and the compute modes of the kernels."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from faxcore import kernels
from faxcore.t30 import transmitter
from tests.support import PEERS

# The same examples in every run, on every machine, however slow: a failure here is a failure anywhere.
settings.register_profile("house", derandomize=True, deadline=None, database=None)
settings.load_profile("house")


SANITIZED = bool(os.environ.get("FAXCORE_SANITIZE"))

if SANITIZED:
    from faxcore.document.client import DrawingProcess

    def _no_drawing(self: DrawingProcess) -> Any:
        """Its limit on address space leaves no room for the sanitizers, and its libraries were built without them."""
        pytest.skip("nothing is drawn under the sanitizers", allow_module_level=True)

    DrawingProcess._start = _no_drawing  # type: ignore[method-assign]


def pytest_runtest_setup(item: pytest.Item) -> None:
    transmitter._coded.cache_clear()  # some tests put page codes of their own in the place of the real ones
    for mark in item.iter_markers("peer"):
        name = mark.args[0]
        if not PEERS[name]():
            if os.environ.get("FAXCORE_REQUIRE_PEERS"):
                pytest.fail(f"peer {name} is required here and missing", pytrace=False)
            pytest.skip(f"peer {name} is not installed")


# The sanitizers look at native code, and the twins have none.
COMPUTE = [*kernels.cpu_levels(), *([] if SANITIZED else ["twin"])]


@pytest.fixture(params=COMPUTE)
def compute(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every CPU level of this machine, then the twins; `kernel_of(family)` gives what to call."""
    before = kernels.cpu_level()
    if request.param != "twin":
        kernels.select_cpu_level(request.param)
    yield request.param
    kernels.select_cpu_level(before)


@pytest.fixture
def kernel_of(compute: str) -> Any:
    """A function from a kernel family's name to the object that holds its functions, in this compute mode."""
    if compute == "twin":
        return lambda family: importlib.import_module(f"faxcore.kernels.twins.{family}")
    return lambda family: kernels.native
