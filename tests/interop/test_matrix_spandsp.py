"""Every way to carry a page, with SpanDSP in both directions: {ECM on, off} x codings x modems x {1, 3} pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import faxcore
from tests.interop import spandsp
from tests.interop.test_calls_spandsp import ABLE, assert_ours, assert_same, assert_theirs, pels_of, receive, send

pytestmark = pytest.mark.peer("spandsp")

Pels = npt.NDArray[np.bool_]
ENCODINGS = {"mh": 1, "mr": 2, "mmr": 3}
MATRIX = [
    pytest.param(ecm, coding, modem, count, id=f"{'ecm' if ecm else 'no-ecm'}-{coding}-{modem}-{count}")
    for ecm in (True, False)
    for coding in (("mmr", "mr", "mh") if ecm else ("mr", "mh"))  # MMR needs ECM
    for modem in ("v17", "v29", "v27ter")
    for count in (1, 3)
]


def assert_as_asked(call: faxcore.FaxCall, ecm: bool, coding: str, modem: str) -> None:
    assert call.result is not None
    assert (call.result.ecm, call.result.coding, call.result.modulation) == (ecm, coding, modem)


@pytest.mark.parametrize(("ecm", "coding", "modem", "count"), MATRIX)
def test_we_send(tmp_path: Path, pages: list[Pels], ecm: bool, coding: str, modem: str, count: int) -> None:
    sent = spandsp.write_tiff(tmp_path / "sent.tif", pages[-count:])
    options = faxcore.Options(ecm=ecm, modulations=(modem,), codings=(coding,))
    call, terminal = send(sent, tmp_path / "received.tif", options, **ABLE)
    assert_ours(call, count)
    assert_theirs(terminal, count)
    assert_as_asked(call, ecm, coding, modem)
    assert (terminal.stats.ecm, terminal.stats.encoding) == (ecm, ENCODINGS[coding])
    assert_same(spandsp.read_tiff(tmp_path / "received.tif"), pages[-count:])


@pytest.mark.parametrize(("ecm", "coding", "modem", "count"), MATRIX)
def test_they_send(tmp_path: Path, pages: list[Pels], ecm: bool, coding: str, modem: str, count: int) -> None:
    sent = spandsp.write_tiff(tmp_path / "sent.tif", pages[-count:])
    options = faxcore.Options(ecm=ecm, modulations=(modem,), codings=(coding,))
    call, terminal = receive(sent, options, **ABLE)
    assert_ours(call, count)
    assert_theirs(terminal, count)
    assert_as_asked(call, ecm, coding, modem)
    assert_same(pels_of(call), pages[-count:])
