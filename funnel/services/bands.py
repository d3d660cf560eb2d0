"""Bands and actions of open leads, and when each person's interest will fall below its band."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from funnel.domain.definitions import Action, Definition
from funnel.models import LeadScore
from funnel.selectors import facts
from funnel.services.frames import Frame
from leads.models import Lead
from smarketing.core.keysets import among
from smarketing.core.prepared import IsAmong, Query, Statement, given

_OPEN_LAPS = Statement(
    "open_laps_scored",
    """
SELECT l.person_id, l.id FROM leads_lead l JOIN funnel_leadscore s ON s.lead_id = l.id
 WHERE l.closed_at IS NULL AND l.person_id = ANY(%(people)s::bigint[])
""",
    by="people",
)
_SCORES = Query(
    "scores_lock",
    lambda: (
        LeadScore.objects.filter(IsAmong("lead_id", "leads"), definition_id=given("definition"))
        .annotate(key=F("lead__person__interest__key"), person_id=F("lead__person_id"))
        .order_by("lead_id")
    ),
    ending="FOR UPDATE OF funnel_leadscore",
    by="leads",
)
# The insert reads the bands as they were before the statement.
_WRITE = Statement(
    "bands_write",
    """
WITH n AS (
    SELECT * FROM unnest(%(leads)s::bigint[], %(bands)s::int[], %(actions)s::text[]) AS n(lead, band, action)
), kept AS (
    INSERT INTO funnel_interestperiod (lead_id, until, band, became)
    SELECT s.lead_id, %(now)s::timestamptz, s.interest_band, n.band
      FROM n JOIN funnel_leadscore s ON s.lead_id = n.lead AND s.interest_band <> n.band
)
UPDATE funnel_leadscore s SET interest_band = n.band, action = n.action, evaluated_at = %(now)s::timestamptz
  FROM n WHERE s.lead_id = n.lead
""",
    by="leads",
)
_COOLING = Statement(
    "interest_cooling",
    """
UPDATE funnel_interest i SET cools_at = n.cools_at
  FROM unnest(%(people)s::bigint[], %(ats)s::timestamptz[]) AS n(person, cools_at)
 WHERE i.person_id = n.person AND i.cools_at IS DISTINCT FROM n.cools_at
""",
    by="people",
)


def open_leads_of(*, people: Collection[int]) -> dict[int, int]:
    """The open lead of each of these persons that has one."""
    return dict(_OPEN_LAPS.rows(people=sorted(people)))


def of_leads(*, frame: Frame, lead_ids: Sequence[int], now: datetime) -> dict[int, int]:
    """The interest band of each lead's person at ``now``, entered afresh (no band was held before)."""
    keys = Lead.objects.filter(pk__in=among(lead_ids)).values_list("pk", "person__interest__key")
    return {pk: frame.rules.interest_band(frame.decay.score_of_key(key, now)) for pk, key in keys}


def reassess(*, frame: Frame, lead_ids: Sequence[int], now: datetime) -> None:
    """Write band, action and the instant of cooling of these leads as they are at ``now``; a band that
    was left goes to ``InterestPeriod``.

    A band is entered at its threshold and left below it by the hysteresis. The caller holds the locks
    of the persons' interest. Leads that were scored under another version wait for their rescoring.
    """
    rules, decay = frame.rules, frame.decay
    scores: list[Any] = _SCORES.all(leads=sorted(set(lead_ids)), definition=frame.version.pk)
    if not scores:
        return
    excluded = _excluded(rules, scores)
    leads, new_bands, actions, people, ats = [], [], [], [], []
    for score in scores:
        held = score.interest_band
        band = rules.interest_band(decay.score_of_key(score.key, now), held)
        action = Action.DISCARD if score.lead_id in excluded else rules.decide(score.fit_band, band)
        if band != held or str(action) != score.action:
            leads.append(score.lead_id)
            new_bands.append(band)
            actions.append(str(action))
        leave = rules.leave_below(band)
        people.append(score.person_id)
        ats.append(decay.cools_at(score.key, leave) if leave is not None else None)
    if leads:
        _WRITE.count(leads=leads, bands=new_bands, actions=actions, now=now)
    _COOLING.count(people=people, ats=ats)


def _excluded(rules: Definition, scores: Sequence[LeadScore]) -> set[int]:
    if not rules.exclusions:
        return set()
    known = facts.of_leads([score.lead_id for score in scores])
    return {lead for lead, lead_facts in known.items() if rules.excluded_by(lead_facts) is not None}
