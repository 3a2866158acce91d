"""Named lines: what a fax call meets on its way, as arguments of `faxcore.Line`."""

from __future__ import annotations

from typing import Any

PROFILES: dict[str, dict[str, Any]] = {
    # a call inside one digital exchange: the codec's own noise and nothing else
    "clean": {"noise_dbm0": None, "law": "mu"},
    # two good subscriber lines of one town
    "local": {"noise_dbm0": -55.0, "law": "mu", "gain_db": -6.0, "delay": 0.005},
    # through the country: more loss, more noise, a moderate delay
    "long-distance": {"noise_dbm0": -48.0, "law": "mu", "gain_db": -14.0, "delay": 0.04},
    # a long, wet loop at either end
    "poor": {"noise_dbm0": -42.0, "law": "a", "gain_db": -20.0, "delay": 0.03},
    # one satellite hop
    "satellite": {"noise_dbm0": -50.0, "law": "mu", "gain_db": -10.0, "delay": 0.27},
}
"""Levels at the receiver: the transmitter's -13 dBm0 and the line's gain."""
