"""Modems: samples to the signal stream and back, and whole bursts for people who study modems."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faxcore.modem import v29
from faxcore.signals import Modulation, Octets, SignalBegins, SignalEnds

__all__ = ["Burst", "demodulate", "modulate"]


@dataclass(frozen=True)
class Burst:
    """What a receiver made of a burst.

    `bits` (uint8, 0 or 1) begin with the first data bit after the training; a few extra may follow at the end.
    `evm` is a ratio, `snr_db` counts noise over 0-4 kHz, `carrier_hz` and `clock_ppm` are the far end's
    offsets, `symbols` (complex64) the points decided on, training check included.
    """

    trained: bool
    bits: NDArray[np.uint8]
    evm: float
    snr_db: float
    carrier_hz: float
    clock_ppm: float
    level_dbm0: float
    symbols: NDArray[np.complex64]


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
    chosen = _modulation(modulation, bit_rate)
    if training != "long":
        raise ValueError(f"{modulation} has no {training!r} training")
    data = np.asarray(bits)
    if data.size and not np.isin(data, (0, 1)).all():
        raise ValueError("bits are not all 0 or 1")
    padded = np.concatenate([data.ravel().astype(np.uint8), np.ones(-data.size % 8, np.uint8)])
    transmitter = v29.Transmitter(chosen, level_dbm0=level_dbm0, echo_protection=echo_protection)
    transmitter.feed(np.packbits(padded, bitorder="little").tobytes())
    transmitter.finish()
    return transmitter.pull(transmitter.samples_ready)


def demodulate(samples: NDArray[np.int16], modulation: str, bit_rate: int) -> Burst:
    """Receive the first burst in `samples` (int16 at 8 kHz); it may begin anywhere."""
    receiver = v29.Receiver(_modulation(modulation, bit_rate))
    octets, symbols, trained, counted = bytearray(), [np.zeros(0, np.complex64)], False, 0
    samples = np.asarray(samples)
    tail = np.zeros(800, samples.dtype)  # the burst may stop with the last sample
    for chunk in (*np.array_split(samples, len(samples) // 2000 + 1), tail):
        items = receiver.push(chunk)
        begun = any(isinstance(item, SignalBegins) for item in items)
        if begun and trained:
            break
        trained, counted = trained or begun, 0 if begun else counted
        octets += b"".join(item.data for item in items if isinstance(item, Octets))
        fresh = receiver.symbol_count - counted
        symbols.append(receiver.symbols[len(receiver.symbols) - fresh :])
        counted = receiver.symbol_count
        if trained and any(isinstance(item, SignalEnds) for item in items):
            break
    quality = receiver.quality
    return Burst(
        trained,
        np.unpackbits(np.frombuffer(bytes(octets), np.uint8), bitorder="little"),
        quality.evm,
        quality.snr_db,
        quality.carrier_hz,
        quality.clock_ppm,
        quality.level_dbm0,
        np.concatenate(symbols),
    )


def _modulation(name: str, bit_rate: int) -> Modulation:
    if name in ("v17", "v27ter"):
        raise ValueError(f"{name} is not built yet")
    modulation = Modulation(name, bit_rate)
    v29.scheme(modulation)
    return modulation
