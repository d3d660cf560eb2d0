"""What is promised for a lead delivered or returned now, by the agreement in force."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sla.domain import metrics
from sla.domain.calendars import WeeklyCalendar
from sla.domain.clauses import ClauseSpec
from sla.domain.working_days import business_day
from sla.models import Clause, ClockKind
from sla.selectors import agreements, clock_rows, hours
from smarketing.core.prepared import Statement
from smarketing.users.models import User

KIND_OF = {
    metrics.FIRST_RESPONSE: ClockKind.RESPOND,
    metrics.DEPTH: ClockKind.DEPTH,
    metrics.OUTCOME: ClockKind.OUTCOME,
    metrics.RETURN_FEEDBACK: ClockKind.FEEDBACK,
}
# Clocks that a delivery starts; a return starts that of feedback.
ON_DELIVERY = (metrics.FIRST_RESPONSE, metrics.DEPTH, metrics.OUTCOME)


# Clauses in force with the newest version of the calendar that counts their hours: the owner's own, where
# they have one, else that of the clause.
_CLAUSES = """
SELECT c.id, c.side, c.metric, c.comparator, c.target, c.period, c.calendar_id, c.population::text,
       c.terms::text, c.grace_seconds, c.accountable_id, c.backup_id, v.id, v.body::text{more}
  FROM sla_agreementversion a
  JOIN sla_clause c ON c.version_id = a.id AND c.metric = ANY(%(metrics)s::text[])
  JOIN LATERAL (SELECT id, body FROM sla_calendarversion
                 WHERE calendar_id = coalesce((SELECT w.calendar_id FROM sla_ownhours w
                                                WHERE w.user_id = %(owner)s::bigint), c.calendar_id)
                 ORDER BY number DESC LIMIT 1) v ON true
 WHERE a.state = 'in_force' AND c.calendar_id IS NOT NULL
 ORDER BY c.position
"""
_IN_TIME = Statement("promised", _CLAUSES.format(more=""))
# With the cell that the lead stands in and the teams of its owner, for each delivery asks for both.
_ON_DELIVERY = Statement(
    "promised_on_delivery",
    _CLAUSES.format(
        more=""",
       (SELECT s.fit_band || s.interest_band FROM funnel_handoff h
          JOIN funnel_leadscore s ON s.lead_id = h.lead_id WHERE h.id = %(handoff)s::bigint),
       ARRAY(SELECT team_id FROM users_membership WHERE user_id = %(owner)s::bigint)"""
    ),
)


@dataclass(frozen=True, slots=True)
class TimePromise:
    """A clause with a deadline, with the calendar version that applies now and the promised open time."""

    clause_id: int
    spec: ClauseSpec
    calendar_version_id: int
    calendar: WeeklyCalendar
    target: timedelta


def in_time(
    *, of: Collection[str], cell: str = "", teams: Collection[int] = (), owner_id: int | None = None
) -> list[TimePromise]:
    """The clauses of these metrics that cover a lead of this cell ("A1"); empty without an agreement.

    Hours are counted by the owner's own calendar where they have one, else by that of the clause.
    """
    return _covering(_IN_TIME.rows(metrics=list(of), owner=owner_id), cell, teams)


def again(clause: Clause, *, owner_id: int, target: timedelta) -> TimePromise:
    """The promise of a clause, whichever version it is of, once more for another owner."""
    version = hours.version_for(owner_id, calendar_id=clause.calendar_id)
    calendar = clock_rows.calendar_of(version)
    return TimePromise(clause.pk, agreements.spec_of(clause), version.pk, calendar, target)


def on_delivery(*, handoff_id: int, owner_id: int) -> list[TimePromise]:
    """What is promised for a lead that was delivered to this owner; empty without an agreement."""
    rows = _ON_DELIVERY.rows(metrics=list(ON_DELIVERY), handoff=handoff_id, owner=owner_id)
    cell, teams = rows[0][14:] if rows else (None, ())
    return _covering((row[:14] for row in rows), cell or "", teams)


def teams_of(owner: User) -> list[int]:
    """The teams whose promises hold for leads of this owner."""
    return list(owner.memberships.values_list("team_id", flat=True))


def _covering(rows: Iterable[tuple[Any, ...]], cell: str, teams: Collection[int]) -> list[TimePromise]:
    promises = (_promise(*row) for row in rows)
    return [promise for promise in promises if promise.spec.covers(cell, teams)]


@lru_cache(maxsize=256)
def _promise(
    clause_id: int,
    side: str,
    metric: str,
    comparator: str,
    target: Decimal,
    period: str,
    calendar_id: int,
    population: str,
    terms: str,
    grace_seconds: int,
    accountable: int | None,
    backup: int | None,
    version_id: int,
    body: str,
) -> TimePromise:
    """Kept by everything that is stored of it, so it is never another than the database's."""
    covered = json.loads(population)
    spec = ClauseSpec(
        side=side,
        metric=metric,
        comparator=comparator,
        target=target,
        period=period,
        calendar=calendar_id,
        bands=tuple(covered.get("bands", ())),
        team=covered.get("team"),
        grace_seconds=grace_seconds,
        accountable=accountable,
        backup=backup,
        terms=json.loads(terms),
    )
    calendar = clock_rows.calendar_from(body)
    return TimePromise(clause_id, spec, version_id, calendar, spec.duration(business_day(calendar)))
