"""SpanDSP's T.38 gateway as a peer: samples on one side, its IFP packets in our UDPTL on the other."""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from faxcore.t38 import udptl
from tests.interop.spandsp import _LOG, SHIM, FaxTerminal, Samples, _words

GATEWAY_SHIM = Path(__file__).with_name("spandsp_gateway_shim.c")

_PACKET = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_uint8), ctypes.c_int, ctypes.c_int)


@cache
def shim() -> Any:
    """The compiled shim, kept per source in the temporary directory."""
    source = hashlib.sha256(SHIM.read_bytes() + GATEWAY_SHIM.read_bytes()).hexdigest()[:16]
    library = Path(tempfile.gettempdir()) / f"faxcore-spandsp-gateway-{os.getuid()}-{source}.so"
    if not library.exists():
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / library.name
            command = ["gcc", "-std=gnu11", "-O2", "-Wall", "-shared", "-fPIC", "-o", str(made), str(GATEWAY_SHIM)]
            subprocess.run([*command, "-lspandsp", "-ltiff"], check=True)
            os.replace(made, library)
    loaded = ctypes.CDLL(str(library))
    pointer, integer, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    for function, result, *arguments in (
        ("new", pointer, integer, text, integer, integer, integer, _PACKET, _LOG),
        ("free", None, pointer),
        ("rx", None, pointer, pointer, integer),
        ("tx", None, pointer, pointer, integer),
        ("hear", integer, pointer, text, integer, integer),
    ):
        entry = getattr(loaded, f"peer_gateway_{function}")
        entry.restype, entry.argtypes = result, arguments
    return loaded


class SpanGateway:
    """SpanDSP's gateway. It has no UDPTL of its own: `sender` and `receiver` are ours."""

    def __init__(self, *, ecm: bool = True, modems: Iterable[str] = ("v17", "v29", "v27ter"), version: int = 0,
                 tcf: str = "transferred", fill_removal: bool = False) -> None:
        self.log: list[str] = []
        self.sender, self.receiver = udptl.Sender(), udptl.Receiver()
        self._out: list[bytes] = []
        self._packet, self._logged = _PACKET(self._on_packet), _LOG(self._on_log)
        self._gateway = shim().peer_gateway_new(
            ecm, _words(modems), version, tcf == "local", fill_removal, self._packet, self._logged)

    def _on_packet(self, octets: Any, length: int, copies: int) -> None:
        self._out += [self.sender.datagram(bytes(octets[:length])) for _ in range(copies)]

    def _on_log(self, level: int, text: bytes) -> None:
        self.log.append(text.decode(errors="replace").rstrip())

    def push_audio(self, samples: Samples) -> None:
        """What the line brings."""
        line = samples.copy()
        shim().peer_gateway_rx(self._gateway, line.ctypes.data, len(line))

    def pull_audio(self, count: int) -> Samples:
        """The next samples for the line."""
        out = np.empty(count, np.int16)
        shim().peer_gateway_tx(self._gateway, out.ctypes.data, count)
        return out

    def push_datagram(self, data: bytes, now: float) -> None:
        """What the network brings."""
        for item in self.receiver.push(data):
            if isinstance(item, udptl.Arrived):
                shim().peer_gateway_hear(self._gateway, item.octets, len(item.octets), item.sequence)

    def pull_datagrams(self, now: float) -> list[bytes]:
        """What it has sent."""
        out, self._out = self._out, []
        return out

    def close(self) -> None:
        """Free it."""
        shim().peer_gateway_free(self._gateway)


class OnTheLine:
    """SpanDSP's fax terminal under the names of our calls."""

    def __init__(self, terminal: FaxTerminal) -> None:
        self.terminal = terminal

    @property
    def finished(self) -> bool:
        return self.terminal.finished

    def push_audio(self, samples: Samples) -> None:
        """What the line brings."""
        self.terminal.rx(samples)

    def pull_audio(self, count: int) -> Samples:
        """The next samples for the line."""
        return self.terminal.tx(count)
