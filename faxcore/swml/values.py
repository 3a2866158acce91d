"""What a script may consist of: the values of JSON, and not too many of them."""

from __future__ import annotations

from typing import Any

from faxcore.errors import SwmlError

MOST_VALUES, DEEPEST = 20_000, 32
WRONG_TYPE = "relay_script_element_wrong_type"


def check_values(document: Any) -> None:
    """Refuses what JSON does not have, and what aliases or substitution make huge or endless. SwmlError."""
    waiting = [(document, 0)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if depth > DEEPEST or seen > MOST_VALUES:
            limits = f"{DEEPEST} levels and {MOST_VALUES} values"
            raise SwmlError("relay_script_nested_too_deep", f"there are more than {limits} within each other")
        if isinstance(value, dict):
            for name in value:
                if not isinstance(name, str):
                    raise SwmlError(WRONG_TYPE, f"{_plain(name)} is no name: in YAML write it in quotes")
            waiting += [(part, depth + 1) for part in value.values()]
        elif isinstance(value, list):
            waiting += [(part, depth + 1) for part in value]
        elif not isinstance(value, str | int | float | None) or (isinstance(value, int) and abs(value) >= 2**63):
            raise SwmlError(WRONG_TYPE, f"{_plain(value)} must be a text: in YAML write it in quotes")


def _plain(value: object) -> str:
    """A value that YAML read without quotes, as it may have been written."""
    if isinstance(value, bool):
        return "yes, on or true" if value else "no, off or false"
    return "a number of more than 63 bits" if isinstance(value, int) and abs(value) >= 2**63 else str(value)[:80]
