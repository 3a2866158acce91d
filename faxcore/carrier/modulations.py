"""Modulations under the names of T.38: which indicator says that one trains, and which data type is its data."""

from __future__ import annotations

from faxcore.signals import V21, Modulation
from faxcore.t38.ifp import DataKind, IndicatorKind

TRAINING = {
    Modulation("v27ter", 2400): IndicatorKind.V27_2400_TRAINING,
    Modulation("v27ter", 4800): IndicatorKind.V27_4800_TRAINING,
    Modulation("v29", 7200): IndicatorKind.V29_7200_TRAINING,
    Modulation("v29", 9600): IndicatorKind.V29_9600_TRAINING,
    Modulation("v17", 7200, True): IndicatorKind.V17_7200_SHORT_TRAINING,
    Modulation("v17", 7200): IndicatorKind.V17_7200_LONG_TRAINING,
    Modulation("v17", 9600, True): IndicatorKind.V17_9600_SHORT_TRAINING,
    Modulation("v17", 9600): IndicatorKind.V17_9600_LONG_TRAINING,
    Modulation("v17", 12000, True): IndicatorKind.V17_12000_SHORT_TRAINING,
    Modulation("v17", 12000): IndicatorKind.V17_12000_LONG_TRAINING,
    Modulation("v17", 14400, True): IndicatorKind.V17_14400_SHORT_TRAINING,
    Modulation("v17", 14400): IndicatorKind.V17_14400_LONG_TRAINING,
}
"""[T.38 7.3.1]"""

TRAINED = {kind: modulation for modulation, kind in TRAINING.items()}

DATA = {
    V21: DataKind.V21,
    Modulation("v27ter", 2400): DataKind.V27_2400,
    Modulation("v27ter", 4800): DataKind.V27_4800,
    Modulation("v29", 7200): DataKind.V29_7200,
    Modulation("v29", 9600): DataKind.V29_9600,
    Modulation("v17", 7200): DataKind.V17_7200,
    Modulation("v17", 9600): DataKind.V17_9600,
    Modulation("v17", 12000): DataKind.V17_12000,
    Modulation("v17", 14400): DataKind.V17_14400,
}
"""[T.38 7.3.2]"""

CARRIED = {kind: modulation for modulation, kind in DATA.items()}

TRAINING_SECONDS = {
    ("v17", False): 1.393, ("v17", True): 0.142, ("v29", False): 0.234,
    ("v27ter", False): 0.708,
}  # fmt: skip
"""What the far end's modem needs before data, by name and shortness."""

V27TER_2400_SECONDS = 0.943


def training_seconds(modulation: Modulation) -> float:
    """How long the far end's modem trains: the data of a signal must not come before [T.38 8, practice]."""
    if modulation == Modulation("v27ter", 2400):
        return V27TER_2400_SECONDS
    return TRAINING_SECONDS[modulation.name, modulation.short]
