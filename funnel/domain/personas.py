"""Who the buyers are: personas and the ideal customer, as conditions over what is known of a lead.

They describe, they give no points: a persona names whom a lead is like, and the ideal customer says what a
company looks like that both teams want.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from funnel.domain import fit
from funnel.domain.fit import Condition, Facts


@dataclass(frozen=True, slots=True)
class Portrait:
    """A persona, or the ideal customer: its name, its description for people, and how it is told.

    Conditions about one attribute are alternatives ("the title contains CFO or contains finance"), negated
    ones all hold; different attributes must all fit. What is not known does not fit.
    """

    key: str
    name: str
    description: str
    where: tuple[Condition, ...] = ()

    def fits(self, facts: Facts) -> bool:
        """Whether the facts are known to fit; never without a condition."""
        return bool(self.where) and all(_fits(group, facts) for group in _by_attribute(self.where))

    def sentence(self) -> str:
        """How it is told, in words; empty without a condition."""
        return "; ".join(_words(group) for group in _by_attribute(self.where))


def first_that_fits(personas: Iterable[Portrait], facts: Facts) -> Portrait | None:
    """The first persona, in the order of the document, that the facts fit."""
    return next((persona for persona in personas if persona.fits(facts)), None)


def _by_attribute(where: Iterable[Condition]) -> list[list[Condition]]:
    groups: dict[str, list[Condition]] = {}
    for condition in where:
        groups.setdefault(condition.path, []).append(condition)
    return list(groups.values())


def _is_negated(condition: Condition) -> bool:
    return condition.operator in fit.NEGATED


def _fits(group: list[Condition], facts: Facts) -> bool:
    refused = [c for c in group if _is_negated(c)]
    wanted = [c for c in group if not _is_negated(c)]
    return all(fit.holds(c, facts) for c in refused) and (
        not wanted or any(fit.holds(c, facts) for c in wanted)
    )


def _words(group: list[Condition]) -> str:
    wanted = [fit.describe(c) for c in group if not _is_negated(c)]
    refused = [fit.describe(c) for c in group if _is_negated(c)]
    return " and ".join(filter(None, [" or ".join(wanted), " and ".join(refused)]))
