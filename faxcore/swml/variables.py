"""Variables in scripts: `${path}` and `%{path}` are the same thing, and mean a value of one of four scopes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from faxcore.errors import SwmlError
from faxcore.swml.values import check_values

PLACEHOLDER = re.compile(r"[$%]\{([^{}]*)\}")
PATH = re.compile(r"[A-Za-z_]\w*(?:\.\w+|\[\d{1,9}\])*", re.ASCII)
PART = re.compile(r"\w+", re.ASCII)
MOST_TEXT = 262_144
"""Characters that one substitution may make: a script that doubles its variables must not fill the memory."""


@dataclass(slots=True)
class Scopes:
    """What a script can read; a path without a scope is looked up in `vars`, then in `envs`."""

    call: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    vars: dict[str, Any] = field(default_factory=dict)
    envs: Mapping[str, Any] = field(default_factory=dict)
    _made: int = 0

    def substitute(self, value: Any) -> Any:
        """A value with every placeholder in its strings replaced, also deep inside. SwmlError.

        A string that is one placeholder becomes the object or list it stands for; everything else becomes text,
        and what has no value becomes nothing.
        """
        self._made = 0
        found = self._replaced(value)
        check_values(found)
        return found

    def _replaced(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {name: self._replaced(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self._replaced(part) for part in value]
        return value

    def _text(self, text: str) -> Any:
        whole = PLACEHOLDER.fullmatch(text)
        if whole and isinstance(found := self.look_up(whole[1]), dict | list):
            return found
        return PLACEHOLDER.sub(self._value_text, text)

    def _value_text(self, match: re.Match[str]) -> str:
        text = _as_text(self.look_up(match[1]))
        self._made += len(text)
        if self._made > MOST_TEXT:
            raise SwmlError("relay_script_element_invalid_value", f"variables make more than {MOST_TEXT} characters")
        return text

    def look_up(self, path: str) -> Any:
        """The value of a path, None where there is none. SwmlError for what is no path."""
        path = path.strip()
        if not PATH.fullmatch(path):
            raise SwmlError("relay_script_js_eval_error", f"expressions are not evaluated here: {path[:100]!r}")
        first, *rest = PART.findall(path)
        scopes = {"call": self.call, "params": self.params, "vars": self.vars, "envs": self.envs}
        found = scopes[first] if first in scopes else self.vars.get(first, self.envs.get(first))
        for part in rest:
            found = _member(found, part)
        return found


def _member(value: Any, part: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
        return value[int(part)]
    return None


def _as_text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value).decode()
