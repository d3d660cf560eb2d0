"""Entry criteria of a stage: conditions that all hold for a lead to get in.

They are written in the language of the definition's criteria (:mod:`funnel.domain.fit`) and may also ask
about the score and about what has happened with the lead. What is unknown lets nobody in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from funnel.domain import drafts, fit
from funnel.domain.drafts import Problem
from funnel.domain.fit import Condition, Facts
from funnel.domain.lifecycle import Ladder, Role

ROOTS = ("person", "company", "lead", "attributes", "score", "facts")
MOST = 20


def parse(rule: Any) -> tuple[tuple[Condition, ...], list[Problem]]:
    """The conditions of a rule and what is wrong with it; paths of problems begin with "rule"."""
    return drafts.parse_conditions(rule, name="rule", roots=ROOTS, most=MOST)


def unmet(conditions: Iterable[Condition], facts: Facts) -> list[Condition]:
    """Which conditions do not hold, or are about something unknown."""
    return [condition for condition in conditions if not fit.holds(condition, facts)]


def next_stage(
    ladder: Ladder,
    *,
    current: str,
    high_water: str,
    counts_as: Mapping[str, str],
    rules: Mapping[str, tuple[Condition, ...]],
    facts: Facts,
) -> str | None:
    """The furthest stage whose criteria take a lead of the road forward by themselves, or None.

    Only within the step of the product that the lead is in: nobody passes MQL without a handoff, SQL
    without need and budget. Never again to where the lead has been, or a person who took it back would
    argue with the rule.
    """
    here, reached = ladder.by_code[current], ladder.by_code[high_water]
    if here.role is not Role.MAIN:
        return None
    for stage in reversed(ladder.steps):
        if stage.rank <= max(here.rank, reached.rank):
            return None
        conditions = rules.get(stage.code)
        is_near = stage.in_use and counts_as[stage.code] == counts_as[current]
        if conditions and is_near and not unmet(conditions, facts):
            return stage.code
    return None
