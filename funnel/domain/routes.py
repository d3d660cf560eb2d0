"""Ordered rules: the first one whose conditions all hold says which pool a lead goes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from funnel.domain.drafts import Problem, read_conditions
from funnel.domain.fit import Condition, Facts, holds

MAX_CONDITIONS = 10


@dataclass(frozen=True, slots=True)
class Route:
    """One rule. What is unknown of a lead does not hold; a rule without conditions holds for every lead."""

    key: int
    name: str
    pool: int
    conditions: tuple[Condition, ...] = ()
    skills: tuple[str, ...] = ()

    def takes(self, facts: Facts) -> bool:
        """Whether a lead with these facts goes this way."""
        return all(holds(condition, facts) for condition in self.conditions)


def first(routes: Iterable[Route], facts: Facts) -> Route | None:
    """The first rule that takes the lead, or None: it goes to the default pool."""
    return next((route for route in routes if route.takes(facts)), None)


def read(document: Any) -> tuple[tuple[Condition, ...], list[Problem]]:
    """The conditions of a rule as they were given, or what is wrong with them."""
    return read_conditions(document, name="conditions", most=MAX_CONDITIONS)


def missing_skills(needed: Iterable[str], has: Iterable[str]) -> tuple[str, ...]:
    """The skills that an owner lacks; case does not matter."""
    known = {skill.strip().casefold() for skill in has}
    return tuple(skill for skill in needed if skill.strip().casefold() not in known)


def of_row(row: Mapping[str, Any]) -> Route:
    """A rule from its stored row; its conditions were checked when it was written."""
    conditions, _problems = read(row["conditions"])
    return Route(row["pk"], row["name"], row["pool_id"], conditions, tuple(row["skills"]))
