"""Modems: samples to the signal stream and back, and whole bursts for people who study modems."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faxcore.modem import bank, qam, v17, v27ter, v29
from faxcore.modem.acquisition import Lock
from faxcore.modem.scheme import Scheme
from faxcore.signals import Modulation, Octets, SignalBegins, SignalEnds

__all__ = [
    "Burst",
    "ReceiverBank",
    "TransmitterBank",
    "demodulate",
    "modulate",
    "receiver",
    "samples_for",
    "scheme",
    "transmitter",
]

_SCHEMES = {"v17": v17.scheme, "v27ter": v27ter.scheme, "v29": v29.scheme}


def scheme(modulation: Modulation) -> Scheme:
    """The facts of a fast modulation. ValueError for one that does not exist."""
    if modulation.name not in _SCHEMES or (modulation.short and modulation.name != "v17"):
        raise ValueError(f"{modulation}{' with a short training' * modulation.short} is no fast modulation")
    return _SCHEMES[modulation.name](modulation)


def transmitter(
    modulation: Modulation, *, level_dbm0: float = -13.0, echo_protection: bool | None = None
) -> qam.Transmitter:
    """What sends one burst; `level_dbm0` is -60 to 0. ValueError for a modulation that does not exist.

    Talker echo protection (None) comes where facsimile has it: before V.27ter [T.4 5.1].
    """
    facts, echo = scheme(modulation), _with_echo(modulation, echo_protection)
    return qam.Transmitter(facts, level_dbm0=level_dbm0, echo_protection=echo)


def receiver(
    modulation: Modulation, *, trained: Lock | None = None, at: int = 0, hold: float = 0.0
) -> qam.Receiver:
    """What hears bursts. A short training needs `trained`: the `lock` of a receiver that heard the long one.

    A burst that falls silent may go on within `hold` seconds.
    """
    return qam.Receiver(scheme(modulation), trained=trained, at=at, hold=hold)


def samples_for(modulation: Modulation, n_octets: int, *, echo_protection: bool | None = None) -> int:
    """Length in samples of a burst of so many octets, from training to turn-off."""
    return qam.samples_for(scheme(modulation), n_octets, echo_protection=_with_echo(modulation, echo_protection))


def _with_echo(modulation: Modulation, wanted: bool | None) -> bool:
    return modulation.name == "v27ter" if wanted is None else wanted


class TransmitterBank(bank.TransmitterBank):
    """`TransmitterBank("v17", 14400, lanes=256)`: many transmitters, (lanes, n) samples in one native call."""

    def __init__(self, modulation: str, bit_rate: int, lanes: int = 256) -> None:
        super().__init__(scheme(Modulation(modulation, bit_rate)), lanes)


class ReceiverBank(bank.ReceiverBank):
    """`ReceiverBank("v17", 14400, lanes=256)`: many receivers, (lanes, n) samples in one native call."""

    def __init__(self, modulation: str, bit_rate: int, lanes: int = 256) -> None:
        super().__init__(scheme(Modulation(modulation, bit_rate)), lanes)


@dataclass(frozen=True)
class Burst:
    """What a receiver made of a burst.

    `bits` (uint8, 0 or 1) begin with the first data bit after the training; a few extra may follow at the end.
    `evm` is a ratio, `snr_db` counts noise over 0-4 kHz, `carrier_hz` and `clock_ppm` are the far end's
    offsets, `symbols` (complex64) the points decided on, training check included, `taps` (complex64, half a symbol
    apart) the equaliser at the end.
    """

    trained: bool
    bits: NDArray[np.uint8]
    evm: float
    snr_db: float
    carrier_hz: float
    clock_ppm: float
    level_dbm0: float
    symbols: NDArray[np.complex64]
    taps: NDArray[np.complex64]
    lock: Lock | None = field(default=None, repr=False)


def modulate(
    bits: ArrayLike,
    modulation: str,
    bit_rate: int,
    *,
    training: str = "long",
    level_dbm0: float = -13.0,
    echo_protection: bool = False,
) -> NDArray[np.int16]:
    """Samples of a whole burst: training, data, turn-off.

    `bits` are 0 or 1, first in time first, padded with ones to whole octets. ValueError for a modulation,
    rate or training that does not exist or is not built yet.
    """
    if training not in ("long", "short"):
        raise ValueError(f"training is 'long' or 'short', not {training!r}")
    data = np.asarray(bits)
    if data.size and not np.isin(data, (0, 1)).all():
        raise ValueError("bits are not all 0 or 1")
    padded = np.concatenate([data.ravel().astype(np.uint8), np.ones(-data.size % 8, np.uint8)])
    chosen = Modulation(modulation, bit_rate, short=training == "short")
    burst = transmitter(chosen, level_dbm0=level_dbm0, echo_protection=echo_protection)
    burst.feed(np.packbits(padded, bitorder="little").tobytes())
    burst.finish()
    return burst.pull(burst.samples_ready)


def demodulate(
    samples: NDArray[np.int16], modulation: str, bit_rate: int, *, trained: Burst | None = None
) -> Burst:
    """Receive the first burst in `samples` (int16 at 8 kHz); it may begin anywhere.

    With `trained`, an earlier burst of the same far end, the burst has V.17's short training.
    """
    if trained is not None and trained.lock is None:
        raise ValueError("trained: the earlier burst was not trained itself")
    chosen = Modulation(modulation, bit_rate, short=trained is not None)
    hearing = receiver(chosen, trained=trained.lock if trained else None)
    octets, symbols, heard, counted = bytearray(), [np.zeros(0, np.complex64)], False, 0
    samples = np.asarray(samples)
    tail = np.zeros(800, samples.dtype)  # the burst may stop with the last sample
    for chunk in (*np.array_split(samples, len(samples) // 2000 + 1), tail):
        items = hearing.push(chunk)
        begun = any(isinstance(item, SignalBegins) for item in items)
        if begun and heard:
            break
        heard, counted = heard or begun, 0 if begun else counted
        octets += b"".join(item.data for item in items if isinstance(item, Octets))
        fresh = hearing.symbol_count - counted
        symbols.append(hearing.symbols[len(hearing.symbols) - fresh :])
        counted = hearing.symbol_count
        if heard and any(isinstance(item, SignalEnds) for item in items):
            break
    quality = hearing.quality
    return Burst(
        heard,
        np.unpackbits(np.frombuffer(bytes(octets), np.uint8), bitorder="little"),
        quality.evm,
        quality.snr_db,
        quality.carrier_hz,
        quality.clock_ppm,
        quality.level_dbm0,
        np.concatenate(symbols),
        quality.taps,
        hearing.lock if heard else None,
    )
