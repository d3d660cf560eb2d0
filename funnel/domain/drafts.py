"""Reading a draft of a definition: every problem is found, named with its path and how to mend it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from funnel.domain import fit
from funnel.domain.definitions import (
    CELLS,
    FIT_BANDS,
    OPTIONAL,
    Action,
    Definition,
    Exclusion,
    Requirements,
    Signal,
    canonical,
    default_document,
    digest,
)
from funnel.domain.fit import Condition, Criterion
from funnel.domain.personas import Portrait

KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
PATH = re.compile(r"[a-z]+(\.[A-Za-z0-9_][A-Za-z0-9_ -]{0,63}){1,3}")
PARTS = frozenset(default_document())
MAX_CRITERIA, MAX_SIGNALS, MAX_EXCLUSIONS, MAX_REQUIREMENTS = 100, 60, 100, 20
MAX_PERSONAS, MAX_CONDITIONS, MAX_DESCRIPTION = 20, 20, 2000
MAX_POINTS = 1000
MAX_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. ``field`` is a dotted path ("fit.0.points"), ``detail`` one sentence."""

    field: str
    code: str
    detail: str


class DefinitionInvalid(ValueError):
    """The draft can't be used; ``problems`` names each place."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.field}: {p.detail}" for p in problems))
        self.problems = tuple(problems)


def parse(document: Any) -> Definition:
    """Check a draft and make it a Definition. Raises DefinitionInvalid with every problem found."""
    reader = _Reader()
    definition = reader.definition(document)
    if definition is None or reader.problems:
        raise DefinitionInvalid(reader.problems)
    return definition


def validate(document: Any) -> list[Problem]:
    """Every problem of a draft; empty when it can be used."""
    try:
        parse(document)
    except DefinitionInvalid as invalid:
        return list(invalid.problems)
    return []


def read_conditions(data: Any, *, name: str, most: int) -> tuple[tuple[Condition, ...], list[Problem]]:
    """Conditions on a lead that stand alone, such as those of a routing rule, and what is wrong with them."""
    reader = _Reader()
    if not isinstance(data, list) or len(data) > most:
        reader.problem(name, "invalid", f"Give a list of at most {most} conditions.")
        return (), reader.problems
    found = [
        reader.condition(entry if isinstance(entry, Mapping) else {}, f"{name}.{i}", fit.ROOTS[:4])
        for i, entry in enumerate(data)
    ]
    return tuple(condition for condition in found if condition is not None), reader.problems


class _Reader:
    """Collects problems while reading, so that a form can show them all at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def problem(self, field: str, code: str, detail: str) -> None:
        self.problems.append(Problem(field, code, detail))

    def definition(self, document: Any) -> Definition | None:
        if not isinstance(document, Mapping):
            self.problem("", "not_an_object", "A definition must be an object.")
            return None
        for name in sorted((set(map(str, document)) - OPTIONAL) ^ PARTS):
            known = name in PARTS
            self.problem(
                name, *(("missing", "This part is missing.") if known else ("unknown", "Unknown part."))
            )
        if self.problems:
            return None
        document = without_blanks(document)
        try:
            size = len(canonical(document))
        except (ValueError, TypeError, RecursionError):
            self.problem("", "not_json", "The definition must be plain JSON without NaN or Infinity.")
            return None
        if size > MAX_BYTES:
            self.problem("", "too_big", "The definition is too big.")
            return None
        half_life = self.number(document["half_life_days"], "half_life_days", least=0.25, most=3650)
        interest_bands = self.bands(document["interest_bands"], "interest_bands", ("1", "2"), most=1e9)
        hysteresis = self.number(document["hysteresis"], "hysteresis", least=0, most=0.9)
        return Definition(
            document=document,
            digest=digest(document),
            criteria=self.criteria(document["fit"]),
            signals=self.signals(document["signals"]),
            half_life=timedelta(days=half_life or 1),
            fit_bands=self.bands(document["fit_bands"], "fit_bands", ("A", "B"), most=100),
            interest_bands={int(name): least for name, least in interest_bands.items()},
            matrix=self.matrix(document["matrix"]),
            minimum_information=self.requirements(document["minimum_information"], "minimum_information"),
            exclusions=self.exclusions(document["exclusions"]),
            hysteresis=hysteresis or 0.0,
            minimum_by_band=self.minimum_by_band(document.get("minimum_by_band", {})),
            personas=self.personas(document.get("personas", [])),
            ideal_customer=self.ideal_customer(document.get("ideal_customer")),
            effective_on=self.day(document.get("effective_on"), "effective_on"),
        )

    def criteria(self, data: Any) -> tuple[Criterion, ...]:
        found = []
        for entry, path in self.entries(data, "fit", MAX_CRITERIA):
            condition = self.condition(entry, path, fit.ROOTS[:4])
            points = self.points(entry.get("points"), f"{path}.points", most=100)
            if points is not None and points != int(points):
                self.problem(f"{path}.points", "not_whole", "Points of fit are whole numbers.")
            elif condition is not None and points is not None:
                found.append(Criterion(str(entry["key"]), condition, int(points)))
        return tuple(found)

    def signals(self, data: Any) -> tuple[Signal, ...]:
        found = []
        for entry, path in self.entries(data, "signals", MAX_SIGNALS):
            event, cap = entry.get("event"), entry.get("daily_cap")
            points = self.points(entry.get("points"), f"{path}.points", most=MAX_POINTS)
            if not isinstance(event, str) or not 0 < len(event) <= 100:
                self.problem(f"{path}.event", "invalid", "Name the kind of event.")
                continue
            if cap is not None and (
                isinstance(cap, bool) or not isinstance(cap, int) or not 1 <= cap <= 1000
            ):
                self.problem(f"{path}.daily_cap", "invalid", "A daily cap is a whole number from 1 to 1000.")
                continue
            where = entry.get("where", [])
            if not isinstance(where, list) or len(where) > 10:
                self.problem(f"{path}.where", "invalid", "Conditions must be a list of at most 10.")
                continue
            conditions = [
                self.condition(
                    item if isinstance(item, Mapping) else {}, f"{path}.where.{i}", ("properties",)
                )
                for i, item in enumerate(where)
            ]
            if points is not None:
                usable = tuple(condition for condition in conditions if condition is not None)
                found.append(Signal(str(entry["key"]), event, points, cap, usable))
        return tuple(found)

    def exclusions(self, data: Any) -> tuple[Exclusion, ...]:
        found = []
        for entry, path in self.entries(data, "exclusions", MAX_EXCLUSIONS):
            condition = self.condition(entry, path, fit.ROOTS[:4])
            reason = entry.get("reason")
            if not isinstance(reason, str) or not 0 < len(reason.strip()) <= 200:
                self.problem(f"{path}.reason", "required", "Say why such leads are excluded.")
            elif condition is not None:
                found.append(Exclusion(str(entry["key"]), condition, reason.strip()))
        return tuple(found)

    def requirements(self, data: Any, name: str) -> Requirements:
        if not isinstance(data, list) or len(data) > MAX_REQUIREMENTS:
            self.problem(name, "invalid", f"Give a list of at most {MAX_REQUIREMENTS} requirements.")
            return ()
        found = []
        for i, item in enumerate(data):
            paths = [item] if isinstance(item, str) else item
            if isinstance(paths, list) and paths and all(self.is_path(path, fit.ROOTS[:4]) for path in paths):
                found.append(tuple(paths))
            else:
                self.problem(f"{name}.{i}", "invalid", "Name an attribute, or a list of which one is enough.")
        return tuple(found)

    def minimum_by_band(self, data: Any) -> Mapping[str, Requirements]:
        name = "minimum_by_band"
        if not isinstance(data, Mapping) or not set(data) <= set(FIT_BANDS):
            self.problem(name, "invalid", "Give a list of requirements for the bands A, B or C.")
            return {}
        return {band: self.requirements(data[band], f"{name}.{band}") for band in FIT_BANDS if band in data}

    def personas(self, data: Any) -> tuple[Portrait, ...]:
        found = []
        for entry, path in self.entries(data, "personas", MAX_PERSONAS):
            name = entry.get("name")
            if not isinstance(name, str) or not 0 < len(name.strip()) <= 80:
                self.problem(f"{path}.name", "required", "Give the persona a name of at most 80 characters.")
            else:
                found.append(self.portrait(entry, path, str(entry["key"]), name.strip()))
        return tuple(found)

    def ideal_customer(self, data: Any) -> Portrait | None:
        if data is None:
            return None
        if not isinstance(data, Mapping):
            self.problem("ideal_customer", "invalid", "Give a description and conditions.")
            return None
        return self.portrait(data, "ideal_customer", "ideal_customer", "")

    def portrait(self, entry: Mapping[str, Any], path: str, key: str, name: str) -> Portrait:
        description, where = entry.get("description", ""), entry.get("where", [])
        if not isinstance(description, str) or len(description) > MAX_DESCRIPTION:
            detail = f"Describe it in at most {MAX_DESCRIPTION} characters."
            self.problem(f"{path}.description", "invalid", detail)
            description = ""
        if not isinstance(where, list) or len(where) > MAX_CONDITIONS:
            detail = f"Conditions must be a list of at most {MAX_CONDITIONS}."
            self.problem(f"{path}.where", "invalid", detail)
            where = []
        conditions = [
            self.condition(item if isinstance(item, Mapping) else {}, f"{path}.where.{i}", fit.ROOTS[:4])
            for i, item in enumerate(where)
        ]
        return Portrait(key, name, description.strip(), tuple(c for c in conditions if c is not None))

    def day(self, value: Any, field: str) -> date | None:
        if value is None:
            return None
        try:
            found = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
        except ValueError:
            found = None
        if found is None or not 2000 <= found.year <= 2200:
            self.problem(field, "invalid", "Give a day as year-month-day, for example 2026-04-01.")
        return found

    def matrix(self, data: Any) -> Mapping[str, Action]:
        if not isinstance(data, Mapping) or set(data) != set(CELLS):
            self.problem("matrix", "invalid", "Say for each of the nine cells A1 to C3 what to do.")
            return {}
        found = {}
        for cell in CELLS:
            if isinstance(data[cell], str) and data[cell] in set(Action):
                found[cell] = Action(data[cell])
            else:
                detail = "Choose hand_off, nurture, self_serve or discard."
                self.problem(f"matrix.{cell}", "invalid", detail)
        return found

    def bands(self, data: Any, name: str, keys: tuple[str, str], *, most: float) -> Mapping[str, float]:
        if not isinstance(data, Mapping) or set(data) != set(keys):
            self.problem(name, "invalid", f"Give the thresholds of {keys[0]} and {keys[1]}.")
            return {}
        upper = self.number(data[keys[0]], f"{name}.{keys[0]}", least=1e-6, most=most)
        lower = self.number(data[keys[1]], f"{name}.{keys[1]}", least=1e-6, most=most)
        if upper is None or lower is None:
            return {}
        if upper <= lower:
            self.problem(f"{name}.{keys[0]}", "order", f"Band {keys[0]} must start above band {keys[1]}.")
        return {keys[0]: upper, keys[1]: lower}

    def entries(self, data: Any, name: str, most: int) -> list[tuple[Mapping[str, Any], str]]:
        if not isinstance(data, list) or len(data) > most:
            self.problem(name, "invalid", f"Give a list of at most {most} entries.")
            return []
        found, keys = [], set()
        for i, entry in enumerate(data):
            path = f"{name}.{i}"
            key = entry.get("key") if isinstance(entry, Mapping) else None
            if not isinstance(key, str) or not KEY.fullmatch(key):
                self.problem(f"{path}.key", "invalid", "A key is lower-case letters, digits and underscores.")
            elif key in keys:
                self.problem(f"{path}.key", "duplicate", f"The key “{key}” is used twice.")
            else:
                keys.add(key)
                found.append((entry, path))
        return found

    def condition(self, entry: Mapping[str, Any], path: str, roots: tuple[str, ...]) -> Condition | None:
        where, operator, value = entry.get("path"), entry.get("operator"), entry.get("value")
        if not self.is_path(where, roots):
            detail = f"Name an attribute that begins with {', '.join(roots)} and a dot."
            self.problem(f"{path}.path", "invalid", detail)
            return None
        if operator not in fit.OPERATORS:
            self.problem(f"{path}.operator", "invalid", f"Choose one of {', '.join(fit.OPERATORS)}.")
            return None
        wrong = _wrong_value(str(operator), value)
        if wrong:
            self.problem(f"{path}.value", "invalid", wrong)
            return None
        return Condition(str(where), str(operator), None if operator in fit.WITHOUT_VALUE else value)

    def points(self, value: Any, field: str, *, most: float) -> float | None:
        return self.number(value, field, least=-most, most=most)

    def number(self, value: Any, field: str, *, least: float, most: float) -> float | None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or not least <= value <= most:
            self.problem(field, "invalid", f"Give a number from {least:g} to {most:g}.")
            return None
        return float(value)

    @staticmethod
    def is_path(value: Any, roots: tuple[str, ...]) -> bool:
        return isinstance(value, str) and bool(PATH.fullmatch(value)) and value.split(".")[0] in roots


def without_blanks(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document without optional parts that say nothing, as it is signed."""
    if not OPTIONAL & set(document):
        return document
    parts = dict(document)
    by_band = parts.get("minimum_by_band")
    if isinstance(by_band, Mapping):
        parts["minimum_by_band"] = {band: asked for band, asked in by_band.items() if asked != []}
    ideal = parts.get("ideal_customer")
    if isinstance(ideal, Mapping) and not any(ideal.values()):
        parts["ideal_customer"] = None
    blank: tuple[Any, ...] = (None, "", [], {})
    return {name: part for name, part in parts.items() if name not in OPTIONAL or part not in blank}


def _wrong_value(operator: str, value: Any) -> str | None:
    """What is wrong with a condition's value, or None."""
    texts = value if isinstance(value, list) else [value]
    if any(isinstance(text, str) and "\x00" in text for text in texts):
        return "Text must not hold the NUL character."
    if operator in fit.WITHOUT_VALUE:
        return None if value is None else "This comparison takes no value."
    if operator == "range":
        ends = [fit.number(end) for end in value] if isinstance(value, list) and len(value) == 2 else [None]
        low, high = (ends[0], ends[-1])
        ordered = len(ends) == 2 and low is not None and high is not None and low <= high
        return None if ordered else "Give two numbers, the lower first."
    if operator in fit.NUMERIC:
        return None if fit.number(value) is not None else "Give a number."
    if operator in {"in", "not_in"}:
        usable = isinstance(value, list) and 0 < len(value) <= fit.MAX_CHOICES and all(map(_plain, value))
        return None if usable else f"Give a list of 1 to {fit.MAX_CHOICES} values."
    if operator in {"contains", "not_contains", "matches"}:
        usable = isinstance(value, str) and 0 < len(value.strip()) <= fit.MAX_PATTERN
        return None if usable else f"Give a text of at most {fit.MAX_PATTERN} characters."
    return None if _plain(value) else "Give a text, a number, true or false."


def _plain(value: Any) -> bool:
    if isinstance(value, str):
        return 0 < len(value.strip()) <= fit.MAX_TEXT
    return isinstance(value, bool | int | float) and abs(value) <= 10**15


def parse_conditions(
    data: Any, *, name: str, roots: tuple[str, ...], most: int = 20
) -> tuple[tuple[Condition, ...], list[Problem]]:
    """A list of conditions that all must hold, outside a definition, and what is wrong with it."""
    reader = _Reader()
    if not isinstance(data, list) or len(data) > most:
        reader.problem(name, "invalid", f"Give a list of at most {most} conditions.")
        return (), reader.problems
    found = []
    for i, entry in enumerate(data):
        if not isinstance(entry, Mapping) or set(entry) - {"path", "operator", "value"}:
            reader.problem(f"{name}.{i}", "invalid", "A condition has a path, an operator and a value.")
            continue
        condition = reader.condition(entry, f"{name}.{i}", roots)
        if condition is not None:
            found.append(condition)
    return tuple(found), reader.problems
