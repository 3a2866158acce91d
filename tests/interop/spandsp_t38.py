"""SpanDSP's T.38 terminal as a peer: its IFP packets in our UDPTL, driven in lock-step without a clock.

    converse(call, terminal)     a FaxCall over T.38 and a T38Terminal, 20 ms a tick
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterable
from functools import cache
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, Protocol

import faxcore
from faxcore.t38 import udptl
from tests.interop.spandsp import _FRAME, _LOG, _PHASE, SHIM, TICK, Stats, _Watcher, _words

T38_SHIM = Path(__file__).with_name("spandsp_t38_shim.c")

_PACKET = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_uint8), ctypes.c_int, ctypes.c_int)


@cache
def shim() -> Any:
    """The compiled shim, kept per source in the temporary directory."""
    source = hashlib.sha256(SHIM.read_bytes() + T38_SHIM.read_bytes()).hexdigest()[:16]
    library = Path(tempfile.gettempdir()) / f"faxcore-spandsp-t38-{os.getuid()}-{source}.so"
    if not library.exists():
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / library.name
            command = ["gcc", "-std=gnu11", "-O2", "-Wall", "-shared", "-fPIC", "-o", str(made), str(T38_SHIM)]
            subprocess.run([*command, "-lspandsp", "-ltiff"], check=True)
            os.replace(made, library)
    loaded = ctypes.CDLL(str(library))
    pointer, integer, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    for function, result, *arguments in (
        ("new", pointer, integer, *[text] * 3, integer, *[text] * 2, *[integer] * 5, _PACKET, pointer),
        ("free", None, pointer),
        ("hear", integer, pointer, text, integer, integer),
        ("pass", integer, pointer, integer),
        ("active", integer, pointer),
        ("remote", text, pointer),
        ("stats", None, pointer, pointer),
    ):
        entry = getattr(loaded, f"peer_t38_{function}")
        entry.restype, entry.argtypes = result, arguments
    return loaded


class End(Protocol):
    """One end of a T.38 session in lock-step."""

    @property
    def finished(self) -> bool: ...
    def push_datagram(self, data: bytes, now: float) -> None: ...
    def pull_datagrams(self, now: float) -> list[bytes]: ...


class T38Terminal:
    """SpanDSP's T.38 terminal. It has no UDPTL of its own: `sender` and `receiver` are ours.

    `code` is its completion code, None until phase E; `frames` are (incoming, octets from the address field on).
    """

    def __init__(self, *, calling: bool, tx_tiff: Path | None = None, rx_tiff: Path | None = None, identity: str = "",
                 ecm: bool = False, modems: Iterable[str] = ("v17", "v29", "v27ter"),
                 codings: Iterable[str] = ("mh", "mr", "mmr"), minimum_scan_ms: int = 0, version: int = 0,
                 tcf: str = "transferred", fill_removal: bool = False, no_pacing: bool = False,
                 sender: udptl.Sender | None = None) -> None:  # fmt: skip
        self.code: int | None = None
        self.frames: list[tuple[bool, bytes]] = []
        self.phases: list[tuple[str, int]] = []
        self.log: list[str] = []
        self.sender, self.receiver = sender or udptl.Sender(), udptl.Receiver()
        self._out: list[bytes] = []
        self._now = 0.0
        self._over = False
        self._watcher = _Watcher(_FRAME(self._on_frame), _PHASE(self._on_phase), _LOG(self._on_log))
        self._packet = _PACKET(self._on_packet)
        self._terminal = shim().peer_t38_new(
            calling, identity.encode(), tx_tiff and os.fsencode(tx_tiff), rx_tiff and os.fsencode(rx_tiff), ecm,
            _words(modems), _words(codings), minimum_scan_ms, version, tcf == "local", fill_removal, no_pacing,
            self._packet, ctypes.addressof(self._watcher))  # fmt: skip
        self._final: Stats | None = None

    def _on_frame(self, incoming: int, octets: Any, length: int) -> None:
        self.frames.append((bool(incoming), bytes(octets[:length])))

    def _on_phase(self, phase: int, code: int) -> None:
        self.phases.append((chr(phase), code))
        if chr(phase) == "E":
            self.code = code

    def _on_log(self, level: int, text: bytes) -> None:
        self.log.append(text.decode(errors="replace").rstrip())

    def _on_packet(self, octets: Any, length: int, copies: int) -> None:
        self._out += [self.sender.datagram(bytes(octets[:length])) for _ in range(copies)]

    def push_datagram(self, data: bytes, now: float) -> None:
        """What the network brings."""
        for item in self.receiver.push(data):
            if isinstance(item, udptl.Arrived):
                shim().peer_t38_hear(self._terminal, item.octets, len(item.octets), item.sequence)

    def pull_datagrams(self, now: float) -> list[bytes]:
        """What it sends until now."""
        while self._now + TICK / 8000 <= now + 1e-9:
            self._now += TICK / 8000
            self._over = bool(shim().peer_t38_pass(self._terminal, TICK)) or self._over
        out, self._out = self._out, []
        return out

    @property
    def finished(self) -> bool:
        """True when its call is over."""
        return self._terminal is None or self._over or not shim().peer_t38_active(self._terminal)

    @property
    def stats(self) -> Stats:
        """The figures so far; those at `close` after it."""
        if self._final is None:
            numbers = (ctypes.c_int * 10)()
            shim().peer_t38_stats(self._terminal, numbers)
            return Stats(*numbers, remote_identity=(shim().peer_t38_remote(self._terminal) or b"").decode())
        return self._final

    def close(self) -> None:
        """Free it; the received TIFF is complete now."""
        if self._terminal is not None:
            self._final = self.stats
            shim().peer_t38_free(self._terminal)
            self._terminal = None

    def __enter__(self) -> T38Terminal:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def converse(one: End, other: End, *, network: faxcore.Network | None = None, limit_s: float = 300.0) -> float:
    """Run two ends against each other until both are finished, 20 ms a tick; the seconds that it took."""
    network = network or faxcore.Network()
    ways = ((one, network.direction(0), other), (other, network.direction(1), one))
    arrivals: list[tuple[float, int, End, bytes]] = []
    sent = 0
    for tick in range(round(limit_s * 8000 / TICK)):
        now = tick * TICK / 8000
        while arrivals and arrivals[0][0] <= now:
            _, _, end, datagram = heappop(arrivals)
            end.push_datagram(datagram, now)
        for end, way, far in ways:
            for datagram in end.pull_datagrams(now):
                for at in way.carry(now):
                    heappush(arrivals, (at, sent := sent + 1, far, datagram))
        if one.finished and other.finished:
            return now
    raise AssertionError(f"not finished after {limit_s} s of line time")
