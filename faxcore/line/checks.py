"""Checks of what a simulated line or network is asked for."""

from __future__ import annotations

from numbers import Real


def in_range(name: str, value: object, low: float, high: float) -> None:
    """ValueError where a value is no number in the range."""
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= float(value) <= high:
        raise ValueError(f"{name} is a number from {low} to {high}, not {value!r}")
