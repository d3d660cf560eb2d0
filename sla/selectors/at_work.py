"""What the agreement says to routing: whose working hours hold now, and who was given all that was agreed.

Routing asks under its lock, for pools that keep hours or have a rule for overflow, so both answers take
a fixed number of queries however many reps there are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache

from django.db.models import Count

from sla.domain import metrics
from sla.domain.clauses import ClauseSpec
from sla.models import AgreementState, Clause
from sla.selectors import agreements, commitments, deliveries
from sla.selectors.clock_rows import calendar_from
from smarketing.core.prepared import Statement
from smarketing.users.models import Membership
from smarketing.users.selectors import organisation

SUPPLIES = (metrics.SUPPLY_COUNT, metrics.SUPPLY_VALUE)
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


_OWN = Statement(
    "hours_of_ones_own",
    """
SELECT w.user_id, v.body
  FROM sla_ownhours w
  JOIN LATERAL (SELECT body FROM sla_calendarversion
                 WHERE calendar_id = w.calendar_id ORDER BY number DESC LIMIT 1) v ON true
 WHERE w.user_id = ANY(%(users)s::bigint[])
""",
    by="users",
)


def in_hours(user_ids: Collection[int], now: datetime) -> frozenset[int]:
    """Those of ``user_ids`` for whom ``now`` lies in the hours by which their first response is counted.

    That is their own calendar, else that of the response clause for one of their teams, else of the one for
    everybody, else the default calendar; everybody where there is none of them.
    """
    rows = _CALENDARS.rows()
    if not rows:
        return frozenset(user_ids)
    own_hours: dict[int, str] = dict(_OWN.rows(users=list(user_ids)))
    teams = _teams(user_ids) if any(team is not None for team, _body in rows) else {}
    bodies = {body for _team, body in rows} | set(own_hours.values())
    is_open = {body: calendar_from(body).is_open(now) for body in bodies}
    found = []
    for user in user_ids:
        own = teams.get(user, frozenset())
        agreed = next((body for team, body in rows if team is None or team in own), None)
        body = own_hours.get(user, agreed)
        if body is None or is_open[body]:
            found.append(user)
    return frozenset(found)


def at_ceiling(user_ids: Collection[int], now: datetime, band: str) -> frozenset[int]:
    """Those of ``user_ids`` who may be given no more leads of ``band`` in the period of a supply clause.

    Counted is what counts for the promise too: delivered *net*, so that a lead that was rejected makes room
    for another (docs/adr/0012). A ceiling for a whole team, or for all, holds for each of them at once; one
    on value counts what leads are worth by their cell, as the clause does.
    """
    clauses = list(
        Clause.objects.filter(
            version__state=AgreementState.IN_FORCE, metric__in=SUPPLIES, terms__has_key="ceiling"
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
            full |= _full(spec, covered, _given(spec, net, before=period.start or now, now=now))
    return frozenset(full)


def _given(
    spec: ClauseSpec, net: deliveries.Handoffs, *, before: datetime, now: datetime
) -> Mapping[int, float]:
    """What every owner was given in the period, in leads or in what they are worth."""
    if spec.metric == metrics.SUPPLY_VALUE:
        hour = now.replace(minute=0, second=0, microsecond=0)
        return commitments.worth_per_owner(net, worth_in(before, hour=hour))
    counted = net.values_list("owner_id").annotate(Count("pk", distinct=True)).order_by()
    return {owner: count for owner, count in counted if owner is not None}


@lru_cache(maxsize=8)
def worth_in(before: datetime, *, hour: datetime) -> Mapping[str, float]:
    """What a lead of each cell is worth in the period that begins at ``before``, as known in this ``hour``.

    It is an average of the year before the period, so a deal that was entered late moves it little; reading
    that year for each delivery, under the lock of routing, would hold all of them up.
    """
    return commitments.worth_of_cells(before=before)[0]


def _full(spec: ClauseSpec, covered: set[int], given: Mapping[int, float]) -> set[int]:
    ceiling = spec.term("ceiling")
    if spec.term("per") == metrics.PER_TEAM:
        return covered if sum(given.values()) >= ceiling else set()
    return {owner for owner in covered if given.get(owner, 0) >= ceiling}


def _teams(user_ids: Collection[int]) -> Mapping[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    for user, team in Membership.objects.filter(user__in=user_ids).values_list("user_id", "team_id"):
        found.setdefault(user, set()).add(team)
    return {user: frozenset(teams) for user, teams in found.items()}
