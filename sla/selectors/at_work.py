"""What the agreement says to routing: whose working hours hold now, and who was given all that was agreed.

Routing asks under its lock, for pools that keep hours or have a rule for overflow, so both answers take
a fixed number of queries however many reps there are.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache

from django.db.models import Count

from sla.domain import metrics
from sla.domain.calendars import WeeklyCalendar
from sla.domain.clauses import ClauseSpec
from sla.models import AgreementState, Clause
from sla.selectors import agreements, commitments, deliveries
from smarketing.core.prepared import Statement
from smarketing.users.models import Membership
from smarketing.users.selectors import organisation

# The calendars of first response in force: one that is a team's before one for all, one about every lead
# before one about some bands; last the default calendar.
_CALENDARS = Statement(
    "hours_of_work",
    """
SELECT c.team, v.body
  FROM (SELECT (c.population->>'team')::bigint AS team, c.population ? 'bands' AS some, c.position,
               c.calendar_id
          FROM sla_clause c JOIN sla_agreementversion a ON a.id = c.version_id
         WHERE a.state = 'in_force' AND c.metric = 'first_response' AND c.calendar_id IS NOT NULL
         UNION ALL
        SELECT NULL, true, 32767, id FROM sla_calendar WHERE is_default) c
  JOIN LATERAL (SELECT body FROM sla_calendarversion
                 WHERE calendar_id = c.calendar_id ORDER BY number DESC LIMIT 1) v ON true
 ORDER BY c.team IS NULL, c.some, c.position
""",
)


def in_hours(user_ids: Collection[int], now: datetime) -> frozenset[int]:
    """Those of ``user_ids`` for whom ``now`` lies in the hours by which their first response is counted.

    That is the calendar of the response clause for one of their teams, else of the one for everybody, else
    the default calendar; everybody where there is none of them.
    """
    rows = _CALENDARS.rows()
    if not rows:
        return frozenset(user_ids)
    teams = _teams(user_ids) if any(team is not None for team, _body in rows) else {}
    is_open = {body: _calendar(body).is_open(now) for _team, body in rows}
    found = []
    for user in user_ids:
        own = teams.get(user, frozenset())
        body = next((body for team, body in rows if team is None or team in own), None)
        if body is None or is_open[body]:
            found.append(user)
    return frozenset(found)


def at_ceiling(user_ids: Collection[int], now: datetime, band: str) -> frozenset[int]:
    """Those of ``user_ids`` who may be given no more leads of ``band`` in the period of a supply clause.

    Counted is what counts for the promise too: delivered *net*, so that a lead that was rejected makes room
    for another (docs/adr/0012). A ceiling for a whole team, or for all, holds for each of them at once.
    """
    clauses = list(
        Clause.objects.filter(
            version__state=AgreementState.IN_FORCE, metric=metrics.SUPPLY_COUNT, terms__has_key="ceiling"
        ).order_by("position")
    )
    if not clauses:
        return frozenset()
    zone = organisation.zone()
    teams = _teams(user_ids)
    full: set[int] = set()
    for clause in clauses:
        spec = agreements.spec_of(clause)
        covered = {user for user in user_ids if spec.covers(band, teams.get(user, frozenset()))}
        if covered - full:
            period = commitments.span_of(spec, now, zone=zone)
            net = deliveries.cells(spec, period, now=now)["net"]
            full |= _full(spec, covered, net)
    return frozenset(full)


def _full(spec: ClauseSpec, covered: set[int], net: deliveries.Handoffs) -> set[int]:
    ceiling = spec.term("ceiling")
    if spec.term("per") == metrics.PER_TEAM:
        return covered if net.count() >= ceiling else set()
    given = net.filter(owner__in=covered).values_list("owner_id").annotate(Count("pk")).order_by()
    return {owner for owner, count in given if owner is not None and count >= ceiling}


def _teams(user_ids: Collection[int]) -> Mapping[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    for user, team in Membership.objects.filter(user__in=user_ids).values_list("user_id", "team_id"):
        found.setdefault(user, set()).add(team)
    return {user: frozenset(teams) for user, teams in found.items()}


@lru_cache(maxsize=256)
def _calendar(body: str) -> WeeklyCalendar:
    """The rules that a stored version's text says; the same text says the same for ever."""
    return WeeklyCalendar.from_json(json.loads(body))
