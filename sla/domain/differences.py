"""What changes from one version of an agreement to the next, clause by clause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sla.domain.clauses import ClauseSpec

Change = Literal["same", "added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One clause before and after; ``parts`` names what differs ("target", "terms.ceiling")."""

    change: Change
    before: ClauseSpec | None
    after: ClauseSpec | None
    parts: tuple[str, ...] = ()


def between(old: Sequence[ClauseSpec], new: Sequence[ClauseSpec]) -> list[Difference]:
    """The clauses of ``new`` in their order, then those that are gone.

    A clause is held to be the same promise when metric and leads agree, else when only the metric does;
    each is paired once.
    """
    left = list(old)
    pairs: dict[int, ClauseSpec] = {}
    for alike in (_same_leads, _same_metric):
        for i, clause in enumerate(new):
            if i in pairs:
                continue
            found = next((k for k, other in enumerate(left) if alike(other, clause)), None)
            if found is not None:
                pairs[i] = left.pop(found)
    told = [_pair(pairs.get(i), clause) for i, clause in enumerate(new)]
    return told + [Difference("removed", clause, None) for clause in left]


def parts_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """The dotted names of members that differ."""
    found: list[str] = []
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if isinstance(before, Mapping) or isinstance(after, Mapping):
            found += [f"{name}.{part}" for part in parts_between(before or {}, after or {})]
        elif before != after:
            found.append(name)
    return tuple(found)


def _pair(before: ClauseSpec | None, after: ClauseSpec) -> Difference:
    if before is None:
        return Difference("added", None, after)
    parts = parts_between(before.to_json(), after.to_json())
    return Difference("changed" if parts else "same", before, after, parts)


def _same_leads(old: ClauseSpec, new: ClauseSpec) -> bool:
    alike = (old.metric, old.bands, old.team, old.period) == (new.metric, new.bands, new.team, new.period)
    return alike and old.terms.get("per") == new.terms.get("per")


def _same_metric(old: ClauseSpec, new: ClauseSpec) -> bool:
    return old.metric == new.metric
