"""SpanDSP as a peer: its modems, its V.21 frames, its tones, and its whole fax terminal, driven in lock-step.

It is a black box behind its installed headers. The shim beside this file is compiled on first use. Nothing here
reads a clock: a terminal's time is the samples that it is given.

    caller, answerer = FaxTerminal(calling=True, tx_tiff=page), FaxTerminal(calling=False, rx_tiff=received)
    converse(caller, answerer)
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

Samples = npt.NDArray[np.int16]
Bits = npt.NDArray[np.uint8]
Carry = Callable[[Samples], Samples]

SHIM = Path(__file__).with_name("spandsp_shim.c")
TICK = 160

TRAINING_SUCCEEDED, TRAINING_FAILED = -4, -5
STATUSES = {
    -1: "carrier down",
    -2: "carrier up",
    -3: "training",
    TRAINING_SUCCEEDED: "trained",
    TRAINING_FAILED: "training failed",
    -7: "end of data",
    -12: "poor signal",
}

_FRAME = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.POINTER(ctypes.c_uint8), ctypes.c_int)
_TONE = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_int, ctypes.c_int)
_PHASE = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_int)
_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p)


class _Watcher(ctypes.Structure):
    _fields_ = (("frame", _FRAME), ("phase", _PHASE), ("log", _LOG))


@cache
def shim() -> Any:
    """The compiled shim, kept per source in the temporary directory."""
    name = f"faxcore-spandsp-{os.getuid()}-{hashlib.sha256(SHIM.read_bytes()).hexdigest()[:16]}.so"
    library = Path(tempfile.gettempdir()) / name
    if not library.exists():
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / name
            command = ["gcc", "-std=gnu11", "-O2", "-Wall", "-shared", "-fPIC", "-o", str(made), str(SHIM)]
            subprocess.run([*command, "-lspandsp", "-ltiff"], check=True)
            os.replace(made, library)
    loaded = ctypes.CDLL(str(library))
    pointer, integer, real, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_float, ctypes.c_char_p
    for function, result, *arguments in (
        ("modulate", integer, text, integer, integer, integer, real, pointer, integer, pointer, integer),
        ("demodulate", integer, text, integer, real, pointer, integer, pointer, integer),
        ("v17_demodulate_short", integer, integer, real, pointer, integer, pointer, integer, pointer, integer),
        ("fsk_modulate", integer, real, pointer, integer, pointer, integer),
        ("fsk_demodulate", integer, real, pointer, integer, pointer, integer),
        ("hdlc_modulate", integer, integer, real, pointer, pointer, integer, pointer, integer),
        ("hdlc_demodulate", None, real, pointer, integer, _FRAME),
        ("tone", integer, text, pointer, integer),
        ("hear_tone", integer, text, pointer, integer, _TONE),
        ("tone_name", text, integer),
        ("terminal_new", pointer, integer, *[text] * 3, integer, *[text] * 4, integer, text, integer, pointer),
        ("terminal_address", text, pointer, text, text),
        ("terminal_free", None, pointer),
        ("terminal_rx", None, pointer, pointer, integer),
        ("terminal_tx", None, pointer, pointer, integer),
        ("terminal_active", integer, pointer),
        ("terminal_hang_up", None, pointer),
        ("terminal_remote", text, pointer),
        ("terminal_stats", None, pointer, pointer),
    ):
        entry = getattr(loaded, f"peer_{function}")
        entry.restype, entry.argtypes = result, arguments
    return loaded


def _made(count: int, out: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if count < 0:
        raise ValueError("SpanDSP does not know this modem, rate or tone")
    return out[:count].copy()


def _int16(samples: npt.ArrayLike) -> Samples:
    return np.ascontiguousarray(samples, np.int16)


# --- modems for data ---


def modulate(bits: npt.ArrayLike, modem: str, bit_rate: int, *, level_dbm0: float = -13.0, tep: bool = False,
             short_train: bool = False) -> Samples:
    """A whole burst of SpanDSP's "v29", "v27ter" or "v17": training, the bits (0 or 1), turn-off."""
    data = np.ascontiguousarray(bits, np.uint8)
    out = np.empty(8000 * len(data) // bit_rate + 40000, np.int16)
    return _made(shim().peer_modulate(modem.encode(), bit_rate, tep, short_train, level_dbm0, data.ctypes.data,
                                      len(data), out.ctypes.data, len(out)), out)


class Heard(NamedTuple):
    """What a receiver of SpanDSP made of some samples; `bits` are those after training."""

    bits: Bits
    trained: bool
    statuses: list[str]


def demodulate(samples: npt.ArrayLike, modem: str, bit_rate: int, *, cutoff_dbm0: float = -45.0) -> Heard:
    """What SpanDSP's receiver makes of samples that may begin anywhere before the burst."""
    line = _int16(samples)
    out = np.empty(2 * len(line) + 1000, np.int8)
    return _heard(_made(shim().peer_demodulate(modem.encode(), bit_rate, cutoff_dbm0, line.ctypes.data, len(line),
                                               out.ctypes.data, len(out)), out))


def v17_demodulate_short(first: npt.ArrayLike, samples: npt.ArrayLike, bit_rate: int, *,
                         cutoff_dbm0: float = -45.0) -> Heard:
    """What it makes of a V.17 burst with the short training, after it heard `first`, one with the long training."""
    before, line = _int16(first), _int16(samples)
    out = np.empty(2 * (len(before) + len(line)) + 1000, np.int8)
    return _heard(_made(shim().peer_v17_demodulate_short(bit_rate, cutoff_dbm0, before.ctypes.data, len(before),
                                                         line.ctypes.data, len(line), out.ctypes.data, len(out)), out))


def _heard(heard: npt.NDArray[np.int8]) -> Heard:
    trained = np.flatnonzero(heard == TRAINING_SUCCEEDED)
    data = heard[trained[0] :] if len(trained) else heard[:0]
    return Heard(data[data >= 0].astype(np.uint8), len(trained) > 0, _statuses(heard))


def _statuses(heard: npt.NDArray[np.int8]) -> list[str]:
    return [STATUSES.get(int(code), str(code)) for code in heard[heard < 0]]


def v29_modulate(bits: npt.ArrayLike, bit_rate: int, *, level_dbm0: float = -13.0, tep: bool = False) -> Samples:
    """A whole V.29 burst at 9600, 7200 or 4800 bit/s."""
    return modulate(bits, "v29", bit_rate, level_dbm0=level_dbm0, tep=tep)


def v29_demodulate(samples: npt.ArrayLike, bit_rate: int, *, cutoff_dbm0: float = -45.0) -> Heard:
    """What SpanDSP's V.29 receiver hears at 9600, 7200 or 4800 bit/s."""
    return demodulate(samples, "v29", bit_rate, cutoff_dbm0=cutoff_dbm0)


# --- V.21 channel 2 ---


def v21_modulate(bits: npt.ArrayLike, *, level_dbm0: float = -13.0) -> Samples:
    """The bits in V.21 channel 2 at 300 bit/s."""
    data = np.ascontiguousarray(bits, np.uint8)
    out = np.empty(27 * len(data) + 8000, np.int16)
    return _made(shim().peer_fsk_modulate(level_dbm0, data.ctypes.data, len(data), out.ctypes.data, len(out)), out)


def v21_demodulate(samples: npt.ArrayLike, *, cutoff_dbm0: float = -45.0) -> Heard:
    """The bits that SpanDSP's V.21 channel 2 receiver hears."""
    line = _int16(samples)
    out = np.empty(len(line) + 1000, np.int8)
    heard = _made(shim().peer_fsk_demodulate(cutoff_dbm0, line.ctypes.data, len(line), out.ctypes.data, len(out)), out)
    bits = heard[heard >= 0].astype(np.uint8)
    return Heard(bits, len(bits) > 0, _statuses(heard))


def hdlc_modulate(frames: Sequence[bytes], *, preamble_flags: int = 37, level_dbm0: float = -13.0) -> Samples:
    """HDLC frames (without FCS, which SpanDSP adds) in V.21 channel 2, after a preamble of flags."""
    octets = np.frombuffer(b"".join(frames), np.uint8)
    lengths = np.array([len(frame) for frame in frames], np.intc)
    out = np.empty(320 * (len(octets) + preamble_flags + 8 * len(frames)) + 8000, np.int16)
    return _made(shim().peer_hdlc_modulate(preamble_flags, level_dbm0, octets.ctypes.data, lengths.ctypes.data,
                                           len(frames), out.ctypes.data, len(out)), out)


def hdlc_demodulate(samples: npt.ArrayLike, *, cutoff_dbm0: float = -45.0) -> list[tuple[bytes, bool]]:
    """The frames that SpanDSP hears in V.21 channel 2: octets without FCS, and whether the FCS was good."""
    line = _int16(samples)
    frames: list[tuple[bytes, bool]] = []
    keep = _FRAME(lambda ok, octets, length: frames.append((bytes(octets[:length]), bool(ok))))
    shim().peer_hdlc_demodulate(cutoff_dbm0, line.ctypes.data, len(line), keep)
    return frames


# --- tones ---


def tone(name: str, seconds: float = 10.0) -> Samples:
    """A connect tone: "cng" for `seconds`, or "ced", "ans_pr", "ansam", "ansam_pr" until its end."""
    out = np.empty(round(8000 * seconds), np.int16)
    return _made(shim().peer_tone(name.encode(), out.ctypes.data, len(out)), out)


def hear_tone(name: str, samples: npt.ArrayLike) -> list[str]:
    """What SpanDSP's detector for "cng", "ced", "preamble", "ced_or_preamble", "ansam".. reports, "none" at the end."""
    line = _int16(samples)
    heard: list[str] = []
    report = _TONE(lambda code, level, delay: heard.append(shim().peer_tone_name(code).decode()))
    _made(shim().peer_hear_tone(name.encode(), line.ctypes.data, len(line), report), line)
    return heard


# --- the whole terminal ---


@dataclass(slots=True)
class Stats:
    """SpanDSP's transfer statistics; encoding 1 is MH, 2 MR, 3 MMR; y_resolution is in lines per metre."""

    bit_rate: int
    ecm: int
    pages_tx: int
    pages_rx: int
    width: int
    length: int
    encoding: int
    bad_rows: int
    y_resolution: int
    ecm_retries: int
    remote_identity: str = field(default="")


class FaxTerminal:
    """SpanDSP's fax terminal on an audio line.

    `code` is its completion code, None until phase E; `frames` are (incoming, octets from the address field on);
    `phases` are ("B" | "D" | "E", code); `log` is what it says of itself. The received TIFF is whole after `close`.
    """

    def __init__(self, *, calling: bool, tx_tiff: Path | None = None, rx_tiff: Path | None = None, identity: str = "",
                 ecm: bool = False, modems: Iterable[str] = ("v29",), codings: Iterable[str] = ("mh", "mr"),
                 resolutions: Iterable[str] = ("standard", "fine", "superfine"), minimum_scan_ms: int = 0,
                 header: str | None = None, tep: bool = False,
                 sizes: Iterable[str] = ("a4", "letter", "legal", "unlimited"), **addresses: str) -> None:
        self.code: int | None = None
        self.frames: list[tuple[bool, bytes]] = []
        self.phases: list[tuple[str, int]] = []
        self.log: list[str] = []
        self._watcher = _Watcher(_FRAME(self._on_frame), _PHASE(self._on_phase), _LOG(self._on_log))
        self._terminal = shim().peer_terminal_new(
            calling, identity.encode(), tx_tiff and os.fsencode(tx_tiff), rx_tiff and os.fsencode(rx_tiff), ecm,
            _words(modems), _words(codings), _words(resolutions), _words(sizes), minimum_scan_ms,
            None if header is None else header.encode(), tep, ctypes.addressof(self._watcher))
        self._final: Stats | None = None
        for name, value in addresses.items():
            assert shim().peer_terminal_address(self._terminal, name.encode(), value.encode()), name

    def _on_frame(self, incoming: int, octets: Any, length: int) -> None:
        self.frames.append((bool(incoming), bytes(octets[:length])))

    def _on_phase(self, phase: int, code: int) -> None:
        self.phases.append((chr(phase), code))
        if chr(phase) == "E":
            self.code = code

    def _on_log(self, level: int, text: bytes) -> None:
        self.log.append(text.decode(errors="replace").rstrip())

    def rx(self, samples: npt.ArrayLike) -> None:
        """What the line brings, int16 at 8 kHz."""
        line = _int16(samples)
        shim().peer_terminal_rx(self._terminal, line.ctypes.data, len(line))

    def tx(self, count: int) -> Samples:
        """The next `count` samples for the line."""
        out = np.empty(count, np.int16)
        shim().peer_terminal_tx(self._terminal, out.ctypes.data, count)
        return out

    @property
    def finished(self) -> bool:
        """True when its call is over."""
        return self._terminal is None or not shim().peer_terminal_active(self._terminal)

    @property
    def stats(self) -> Stats:
        """The figures so far; those at `close` after it."""
        if self._final is None:
            numbers = (ctypes.c_int * 10)()
            shim().peer_terminal_stats(self._terminal, numbers)
            return Stats(*numbers, remote_identity=(shim().peer_terminal_remote(self._terminal) or b"").decode())
        return self._final

    def heard(self, name: str) -> str:
        """An address that the far end sent, by the name that `Options` gives it."""
        return (shim().peer_terminal_address(self._terminal, name.encode(), None) or b"").decode()

    def hang_up(self) -> None:
        """The line is gone for this terminal."""
        shim().peer_terminal_hang_up(self._terminal)

    def close(self) -> None:
        """Free it; the received TIFF is complete now."""
        if self._terminal is not None:
            self._final = self.stats
            shim().peer_terminal_free(self._terminal)
            self._terminal = None

    def __enter__(self) -> FaxTerminal:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _words(names: Iterable[str]) -> bytes:
    return f" {' '.join(names)} ".encode()


class End(Protocol):
    """One end of a line in lock-step."""

    @property
    def finished(self) -> bool: ...
    def rx(self, samples: Samples) -> None: ...
    def tx(self, count: int) -> Samples: ...


def _clean(samples: Samples) -> Samples:
    return samples


def converse(one: End, other: End, *, forth: Carry = _clean, back: Carry = _clean, limit_s: float = 300.0) -> float:
    """Run two ends against each other until both are finished, 20 ms a tick; the seconds of line time that it took.

    `forth` and `back` are what the line does to the samples of `one` and of `other`.
    """
    for tick in range(round(limit_s * 8000 / TICK)):
        to_other, to_one = forth(one.tx(TICK)), back(other.tx(TICK))
        other.rx(to_other)
        one.rx(to_one)
        if one.finished and other.finished:
            return tick * TICK / 8000
    raise AssertionError(f"not finished after {limit_s} s of line time")


# --- TIFF files, by Pillow ---


def write_tiff(path: Path, pages: Sequence[npt.NDArray[np.bool_]], y_dpi: int = 196, x_dpi: int = 204) -> Path:
    """A TIFF of class F with the pages, (height, width) of true = black, in MMR."""
    images = [Image.fromarray(~pels) for pels in pages]
    for image, pels in zip(images, pages, strict=True):
        image.encoderinfo = {"tiffinfo": {278: len(pels), 262: 0, 266: 2, 296: 2}}
    first, *others = images
    first.save(path, format="TIFF", save_all=True, append_images=others, compression="group4", dpi=(x_dpi, y_dpi),
               tiffinfo={278: max(len(pels) for pels in pages), 262: 0, 266: 2, 296: 2})
    return path


def read_tiff(path: Path) -> list[npt.NDArray[np.bool_]]:
    """The pages of a TIFF, (height, width) of true = black."""
    pages = []
    with Image.open(path) as image:
        for number in range(image.n_frames):
            image.seek(number)
            pages.append(~np.array(image.convert("1")))
    return pages
