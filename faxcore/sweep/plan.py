"""The plan of a sweep: which documents, lines, offers and seeds, read from TOML and checked before the first call."""

from __future__ import annotations

import hashlib
import itertools
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from faxcore.line import Line, Network
from faxcore.options import T38, Audio, Options
from faxcore.sweep.profiles import PROFILES

TUPLES = ("codings", "modulations")
"""Options whose value is a list already: only a list of lists has several of them."""

MOST_CASES = 10_000_000

EXAMPLE = """\
# faxcore sweep sweep.toml: every document over every line with every offer, once for each seed.
# A list is an axis: each of its values is tried.  (codings and modulations are lists themselves: an axis of
# theirs is a list of lists.)

documents = ["sample:1"]      # files; "sample" is the built-in document, ":1" takes its first page
seeds = 5                     # so many, or a list of them

[[line]]                      # audio: the arguments of faxcore.Line, or a profile and what differs from it
profile = "local"
noise_dbm0 = [-45.0, -40.0, -36.0, -32.0, -28.0]

[[network]]                   # T.38: the arguments of faxcore.Network
loss = [0.0, 0.05, 0.1]
jitter = 0.05

[[offer]]                     # the arguments of faxcore.Options, for both ends
ecm = [true, false]
modulations = ["v17", "v29", "v27ter"]

[offer.t38]                   # on a network: the arguments of faxcore.T38
redundancy = [0, 3]
"""


class SweepError(ValueError):
    """A plan that cannot be run, or a sweep that cannot go on; the text says what to change."""


class Setting(NamedTuple):
    """One line or one offer: what it is called, and the words that make it."""

    label: str
    words: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One call of a sweep."""

    index: int
    document: str
    line: Setting
    offer: Setting
    seed: int
    packets: bool

    def options(self) -> Options:
        """The options of both ends."""
        return Options(**_frozen({k: v for k, v in self.offer.words.items() if k != "t38"}))

    def carrier(self) -> Audio | T38:
        """The carrier of both ends."""
        return T38(**self.offer.words.get("t38", {})) if self.packets else Audio()

    def way(self) -> Line | Network:
        """What lies between the two ends, with the seed of this case."""
        words = {name: value for name, value in self.line.words.items() if name != "profile"}
        return (Network if self.packets else Line)(**words, seed=self.seed)


@dataclass(frozen=True)
class Plan:
    """All cases of a sweep, in an order that is part of it: the seeds of one combination follow each other."""

    documents: tuple[str, ...]
    seeds: tuple[int, ...]
    combinations: tuple[tuple[str, Setting, Setting, bool], ...]

    def __len__(self) -> int:
        return len(self.combinations) * len(self.seeds)

    def case(self, index: int) -> Case:
        """The case of a number from 0. IndexError."""
        if not 0 <= index < len(self):
            raise IndexError(f"a sweep of {len(self)} cases has none of number {index}")
        which, seed = divmod(index, len(self.seeds))
        document, line, offer, packets = self.combinations[which]
        return Case(index, document, line, offer, self.seeds[seed], packets)

    @property
    def digest(self) -> str:
        """Tells one plan from another."""
        return hashlib.sha256(json.dumps([self.seeds, self.combinations], sort_keys=True).encode()).hexdigest()

    def resolutions(self) -> set[str]:
        """At which the documents are wanted."""
        return {Options(**_frozen(_without_t38(offer))).resolution for _, _, offer, _ in self.combinations}


def read_plan(path: Path) -> Plan:
    """The plan in a TOML file; its documents' paths are relative to it. SweepError."""
    try:
        words = tomllib.loads(path.read_text())
    except OSError as fault:
        raise SweepError(f"{path} cannot be read: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise SweepError(f"{path} is no TOML: {fault}") from fault
    return make_plan(words, path.parent)


def make_plan(words: Mapping[str, Any], folder: Path) -> Plan:
    """The plan that the words of a TOML file ask for. SweepError."""
    known = {"documents", "seeds", "line", "network", "offer"}
    if unknown := set(words) - known:
        raise SweepError(f"{', '.join(sorted(unknown))}: a sweep knows {', '.join(sorted(known))}")
    documents = tuple(_place(name, folder) for name in _strings("documents", words.get("documents")))
    lines = [(setting, False) for setting in _settings("line", words.get("line", []))]
    lines += [(setting, True) for setting in _settings("network", words.get("network", []))]
    if not lines:
        raise SweepError("a sweep needs a [[line]] or a [[network]] to call over")
    offers = _settings("offer", words.get("offer", [{}]))
    combinations = [
        (document, line, offer, packets)
        for document, (line, packets) in itertools.product(documents, lines)
        for offer in (offers if packets else _distinct(offers))
    ]
    plan = Plan(documents, _seeds(words.get("seeds", 1)), tuple(combinations))
    if len(plan) > MOST_CASES:
        raise SweepError(f"that makes {len(plan)} calls, more than {MOST_CASES}")
    _check(plan)
    return plan


def _check(plan: Plan) -> None:
    """Make every line and offer once: what the engine refuses is said before the first call."""
    for index in range(0, len(plan), len(plan.seeds)):
        case = plan.case(index)
        kind = "network" if case.packets else "line"
        for where, make in ((kind, case.way), ("offer", case.options), ("offer.t38", case.carrier)):
            try:
                make()
            except (TypeError, ValueError) as error:
                raise SweepError(f"[{where}] {error}") from error


def _place(name: str, folder: Path) -> str:
    path = name.partition(":")[0]
    return name if path == "sample" or Path(name).is_absolute() else str(folder / name)


def _strings(what: str, value: object) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not values or not all(isinstance(item, str) for item in values):
        raise SweepError(f"{what} is a name or a list of names, not {value!r}")
    return values


def _seeds(value: Any) -> tuple[int, ...]:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return tuple(range(value))
    listed = isinstance(value, list) and value and all(isinstance(seed, int) and seed >= 0 for seed in value)
    if listed and len(set(value)) == len(value):
        return tuple(value)
    raise SweepError(f"seeds is how many, or a list of different ones, not {value!r}")


def _settings(what: str, tables: object) -> list[Setting]:
    """Every combination of the lists in one table or several."""
    if isinstance(tables, dict):
        tables = [tables]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SweepError(f"{what} is a table: write [{what}] or [[{what}]]")
    found: dict[str, Setting] = {}
    for table in tables:
        for words in _expanded(what, table):
            label = " ".join(map(_said, words.items())) or "default"
            if label in found:
                raise SweepError(f"two of [[{what}]] are the same: {label!r}")
            found[label] = Setting(label, _resolved(words) if what == "line" else words)
    return list(found.values())


def _expanded(what: str, table: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for values in itertools.product(*(_axis(what, name, value) for name, value in table.items())):
        yield dict(zip(table, values, strict=True))


def _axis(what: str, name: str, value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(_expanded(f"{what}.{name}", value))
    several = isinstance(value, list) and (name not in TUPLES or any(isinstance(item, list) for item in value))
    if several and not value:
        raise SweepError(f"[{what}] {name} has no value")
    return list(value) if several else [value]


def _resolved(words: dict[str, Any]) -> dict[str, Any]:
    """A line's own words over those of its profile."""
    profile = words.get("profile")
    if profile is None:
        return words
    if profile not in PROFILES:
        raise SweepError(f"[line] profile is one of {', '.join(PROFILES)}, not {profile!r}")
    return {**PROFILES[profile], **words}


def _said(item: tuple[str, Any]) -> str:
    name, value = item
    if name == "profile":
        return str(value)
    if isinstance(value, dict):
        return f"{name}({', '.join(map(_said, value.items()))})"
    return f"{name}={'+'.join(value) if isinstance(value, list) else value}"


def _frozen(words: Mapping[str, Any]) -> dict[str, Any]:
    """TOML's lists as the tuples that options are."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in words.items()}


def _without_t38(offer: Setting) -> dict[str, Any]:
    return {name: value for name, value in offer.words.items() if name != "t38"}


def _distinct(offers: list[Setting]) -> list[Setting]:
    """Offers that differ without their T.38 words: on a line those say nothing."""
    found: dict[str, Setting] = {}
    for offer in offers:
        words = _without_t38(offer)
        label = " ".join(map(_said, words.items())) or "default"
        found.setdefault(label, Setting(label, words))
    return list(found.values())
