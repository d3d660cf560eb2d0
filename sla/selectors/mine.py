"""A user's own part of the agreement: what they promised, what is promised to them, what they answer for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sla.domain import metrics
from sla.selectors import agreements, commitments, prose
from sla.selectors.commitments import Line
from smarketing.users.domain.roles import Role, Side
from smarketing.users.models import User


@dataclass(frozen=True, slots=True)
class Mine:
    """``own`` are promises the user keeps, ``owed`` those of the other side to them; ``accountable`` are
    sentences they answer for by name, ``plan`` what was agreed to be done."""

    own: list[Line]
    owed: list[Line]
    accountable: list[str]
    plan: list[dict[str, str]]


def of(user: User, *, now: datetime, back: int = 0) -> Mine:
    """A rep's own numbers; for everybody else those of their side. Without a side both stand under owed."""
    owner = user if user.role == Role.REP else None
    told = commitments.lines(now=now, back=back, owner=owner)
    if owner is not None:
        told = [line for line in told if _is_a_reps(line)]
    side: Side | None = user.side
    text = agreements.in_force()
    clauses = [p.clause for s in text.sides for p in s.promises] if text is not None else []
    return Mine(
        own=[line for line in told if side is not None and line.spec.side == side],
        owed=[line for line in told if side is None or line.spec.side != side],
        accountable=[
            prose.sentence(clause)
            for clause in clauses
            if user.pk in (clause.accountable_id, clause.backup_id)
        ],
        plan=text.version.annex.get("plan", []) if text is not None else [],
    )


def _is_a_reps(line: Line) -> bool:
    """Whether the promise has a part for one rep; an amount for all together has none."""
    supply = line.spec.metric in (metrics.SUPPLY_COUNT, metrics.SUPPLY_VALUE)
    return not supply or line.spec.term("per") == metrics.PER_REP
