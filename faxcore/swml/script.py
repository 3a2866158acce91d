"""SWML documents, JSON or YAML: sections of steps, checked before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from faxcore import extras
from faxcore.errors import SwmlError
from faxcore.swml.values import DEEPEST, WRONG_TYPE, check_values

VERSION = "1.0.0"
LONGEST = 1_000_000
"""Characters of a document."""

LONG_NUMBER = re.compile(r"[-+0-9._:]{64}")
"""As a scalar without quotes begins that YAML may take for a number, also for one of base 60."""

PARSE_ERROR = "relay_script_parse_error"

Step = tuple[str, Any]
"""The name of a method, and its parameters as they stand."""


@dataclass(frozen=True, slots=True)
class Script:
    """A document: the steps of each section. `main` is there."""

    sections: dict[str, list[Step]]

    @classmethod
    def parse(cls, document: str | bytes | dict[str, Any] | list[Any]) -> Script:
        """A script from its text, JSON or YAML, or from what was read from it. SwmlError.

        A bare list of steps is the section `main`.
        """
        loaded = _load(document) if isinstance(document, str | bytes) else document
        check_values(loaded)
        return cls(_sections({"sections": {"main": loaded}} if isinstance(loaded, list) else loaded))


def steps(where: str, given: Any) -> list[Step]:
    """A list of steps. SwmlError says where the list stands."""
    if not isinstance(given, list):
        raise SwmlError(WRONG_TYPE, f"{where} must be a list of steps")
    return [_step(f"step {number} of {where}", step) for number, step in enumerate(given, 1)]


def _step(where: str, step: Any) -> Step:
    if isinstance(step, str):
        return step, None
    if not isinstance(step, dict) or len(step) != 1:
        raise SwmlError("relay_script_method_missing_name", f"{where} must be one method with its parameters")
    return next(iter(step.items()))


def _load(text: str | bytes) -> Any:
    if len(text) > LONGEST:
        raise SwmlError(PARSE_ERROR, f"the document is larger than {LONGEST} characters")
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
    except UnicodeDecodeError as fault:
        raise SwmlError(PARSE_ERROR, f"the document is no UTF-8: {fault}") from fault
    if text.lstrip()[:1] in ("{", "["):
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as fault:
            wrong = fault
        try:  # a document in YAML may begin like that too
            return _load_yaml(text)
        except SwmlError:
            raise SwmlError(PARSE_ERROR, f"the document is no JSON: {wrong}") from wrong
    return _load_yaml(text)


def _load_yaml(text: str) -> Any:
    yaml = extras.load("yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_events(yaml.parse(text, Loader=loader))
        return yaml.load(text, Loader=loader)
    except (yaml.YAMLError, ValueError) as fault:
        words = " ".join(str(fault).split())[:200]
        raise SwmlError(PARSE_ERROR, f"the document is neither JSON nor YAML: {words}") from fault


def _check_events(events: Iterable[Any]) -> None:
    """Refuses YAML that its loader would not survive: it nests deeper than the stack, or computes endless numbers."""
    depth = 0
    for event in events:
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        if depth > DEEPEST + 2:  # the stream and the document count too
            raise SwmlError("relay_script_nested_too_deep", f"the document is nested deeper than {DEEPEST} levels")
        if name == "ScalarEvent" and not event.style and LONG_NUMBER.match(event.value):
            raise SwmlError(PARSE_ERROR, f"the number {event.value[:20]}... is too long: write it in quotes")


def _sections(document: Any) -> dict[str, list[Step]]:
    if not isinstance(document, dict):
        raise SwmlError(WRONG_TYPE, "the document must be an object with sections")
    for name in document:
        if name not in ("version", "sections"):
            raise SwmlError("relay_script_element_undefined", f"the document has an unknown element {name!r}")
    _check_version(document.get("version", VERSION))
    sections = document.get("sections")
    if sections is None:
        raise SwmlError("relay_script_sections_missing", "the document has no sections")
    if not isinstance(sections, dict):
        raise SwmlError(WRONG_TYPE, "sections must be an object")
    if "main" not in sections:
        raise SwmlError("relay_script_main_section_missing", "sections has no main")
    return {name: _filled(name, steps(f"section {name}", given or [])) for name, given in sections.items()}


def _filled(name: str, found: list[Step]) -> list[Step]:
    if not found:
        raise SwmlError("relay_script_section_code_missing", f"section {name} has no steps")
    return found


def _check_version(version: Any) -> None:
    if version != VERSION:
        hint = "" if isinstance(version, str) else ": in YAML write it as 1.0.0, which is no number"
        raise SwmlError("relay_script_version_invalid", f"version must be {VERSION}, not {version!r}{hint}")
