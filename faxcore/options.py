"""What a user may ask of a call: checked when it is made, so that a call never fails by its options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from faxcore.page import LINES_MM, RESOLUTIONS
from faxcore.stations import FarStation

BUILT_CODINGS = ("mmr", "mr", "mh")
BUILT_MODULATIONS = ("v17", "v29", "v27ter")
KNOWN_CODINGS = ("mmr", "mr", "mh")
RATES = {"v17": (14400, 12000, 9600, 7200), "v29": (9600, 7200), "v27ter": (4800, 2400)}
KNOWN_MODULATIONS = tuple(RATES)
ADDRESSES = ("sub_address", "sender_id", "password", "polling_address", "polled_sub_address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a terminal negotiates.

    `codings` and `modulations` are in order of preference; rates are in bit/s. Pages are sent at `resolution` and in
    their own size, on lines of at most `width` ("a4", "b4", "a3"), which is also the widest that is received. Where the
    far end takes less, pages are drawn for what it takes; without `adapt` the call ends with code 11 or 12.
    A page received without error correction is answered with RTP, or with RTN and not kept, from these shares of bad
    rows on. `t0` to `t5` are T.30's timers in seconds.
    After as many failures to train as `tries_per_rate` the next lower rate is tried.

    A sender names the person or box that is meant with `sub_address` (SUB), and itself with `sender_id` (SID); a
    receiver that polls says which document with `polling_address` (SEP) and `polled_sub_address` (PSA), and that it may
    with `password` (PWD): at most 20 ASCII characters each, left out where the far end does not know them.
    `accept` is asked when the far end has said who it is and what it wants, perhaps more than once: None goes on, the
    name of a field of `FarStation` ends the call with that field's code, 50 to 61.
    ValueError names an option that is out of range or not built yet.
    """

    ecm: bool = True
    codings: tuple[str, ...] = BUILT_CODINGS
    modulations: tuple[str, ...] = BUILT_MODULATIONS
    max_rate: int = 14400
    min_rate: int = 2400
    resolution: str = "fine"
    width: str = "a3"
    adapt: bool = True
    rtp_bad_rows: float = 0.05
    rtn_bad_rows: float = 0.15
    sub_address: str | None = None
    sender_id: str | None = None
    password: str | None = None
    polling_address: str | None = None
    polled_sub_address: str | None = None
    accept: Callable[[FarStation], str | None] | None = None
    tries_per_rate: int = 1
    t0: float = 60.0
    t1: float = 35.0
    t2: float = 7.0
    t3: float = 10.0
    t4: float = 3.45
    t5: float = 65.0

    def __post_init__(self) -> None:
        _choices("codings", self.codings, KNOWN_CODINGS, BUILT_CODINGS)
        _choices("modulations", self.modulations, KNOWN_MODULATIONS, BUILT_MODULATIONS)
        for name in ADDRESSES:
            _address(name, getattr(self, name))
        if self.accept is not None and not callable(self.accept):
            raise TypeError(f"accept is called with a FarStation, which {self.accept!r} cannot be")
        if not 1 <= self.tries_per_rate <= 10:
            raise ValueError(f"tries_per_rate is 1 to 10, not {self.tries_per_rate}")
        if not 2400 <= self.min_rate <= self.max_rate:
            raise ValueError(f"rates must be 2400 <= min_rate <= max_rate, not {self.min_rate}, {self.max_rate}")
        rates = [rate for name in self.modulations for rate in RATES[name]]
        if not any(self.min_rate <= rate <= self.max_rate for rate in rates):
            word = "max_rate" if self.max_rate < min(rates) else "min_rate"
            raise ValueError(f"{word}={getattr(self, word)} leaves no rate: {', '.join(map(str, sorted(set(rates))))}")
        if self.resolution not in RESOLUTIONS:
            raise ValueError(f"resolution must be one of {', '.join(RESOLUTIONS)}, not {self.resolution!r}")
        if self.width not in LINES_MM:
            raise ValueError(f"width must be one of {', '.join(LINES_MM)}, not {self.width!r}")
        if not 0 <= self.rtp_bad_rows <= self.rtn_bad_rows <= 1:
            shares = f"{self.rtp_bad_rows}, {self.rtn_bad_rows}"
            raise ValueError(f"shares must be 0 <= rtp_bad_rows <= rtn_bad_rows <= 1, not {shares}")
        for name, high in (("t0", 600), ("t1", 600), ("t2", 60), ("t3", 60), ("t4", 60), ("t5", 600)):
            if not 1 <= getattr(self, name) <= high:
                raise ValueError(f"{name} is in seconds, 1 to {high}, not {getattr(self, name)}")


def _address(name: str, given: str | None) -> None:
    if given is not None and not (0 < len(given) <= 20 and given.isascii() and given.isprintable()):
        raise ValueError(f"{name} has 1 to 20 printable ASCII characters, not {given!r}")


def _choices(name: str, given: tuple[str, ...], known: tuple[str, ...], built: tuple[str, ...]) -> None:
    if isinstance(given, str) or not given:
        raise ValueError(f"{name} must be a tuple with at least one of {', '.join(known)}, not {given!r}")
    for item in given:
        if item not in known:
            raise ValueError(f"{name} knows {', '.join(known)}, not {item!r}")
        if item not in built:
            raise ValueError(f"{name}: {item!r} is not built yet")
    if len(set(given)) != len(given):
        raise ValueError(f"{name} names one twice: {given!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """The carrier for a telephone line. `level` is the transmit level in dBm0 [T.4 6: 0 to -15]."""

    level: float = -13.0

    def __post_init__(self) -> None:
        if not -40 <= self.level <= -3:
            raise ValueError(f"level is in dBm0, -40 to -3, not {self.level}")


@dataclass(frozen=True, slots=True, kw_only=True)
class T38:
    """The carrier for packets, as negotiated: `max_datagram` and `max_buffer` (octets) are what the far end takes.

    `tcf`: the training check is "transferred" or made "local"ly by each side: then one that does not come is good.
    `error_correction` is "redundancy", "fec" or "none"; `redundancy` earlier packets go with each one, or
    `fec_entries` parity packets over `fec_span` each. `chunk` is how much line time a data packet carries, in
    seconds; `repeats` how often an indicator is sent. `internet_aware`: two such ends do without training check and
    pacing [T.30 table 2, bit 123]; only where no gateway with modems stands between. ValueError names a setting that
    is out of range.
    """

    version: int = 0
    tcf: str = "transferred"
    error_correction: str = "redundancy"
    redundancy: int = 3
    fec_span: int = 3
    fec_entries: int = 3
    max_datagram: int = 400
    max_buffer: int = 2000
    fill_removal: bool = False
    chunk: float = 0.03
    repeats: int = 3
    internet_aware: bool = False

    def __post_init__(self) -> None:
        for name, allowed in (("tcf", ("transferred", "local")), ("error_correction", ("redundancy", "fec", "none"))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        for name, low, high in (
            ("version", 0, 3), ("redundancy", 0, 15), ("fec_span", 1, 15), ("fec_entries", 1, 5),
            ("max_datagram", 50, 65507), ("max_buffer", 40, 1 << 20), ("chunk", 0.01, 0.2), ("repeats", 1, 10),
        ):  # fmt: skip
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {low} to {high}, not {getattr(self, name)!r}")
        if self.fec_span * self.fec_entries > 15:
            raise ValueError(f"fec_span * fec_entries is at most 15, not {self.fec_span * self.fec_entries}")
