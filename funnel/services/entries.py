"""Stages that leads enter by themselves: whoever meets an own stage's criteria goes on to it.

Asked whenever something happens with a lead, and for all leads once when criteria are new. Where no
stage has criteria this costs one look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Least

from funnel.domain import entry
from funnel.domain.fit import Condition, Facts
from funnel.models import LeadState, MoveCause, Stage, StageRole
from funnel.selectors import entry_facts, stages
from funnel.selectors.stages import Road
from funnel.services import lifecycle
from smarketing.core import locks
from smarketing.core.locks import Namespace
from smarketing.core.prepared import Statement
from smarketing.core.transactions import joined

Rules = Mapping[str, tuple[Condition, ...]]
CHUNK = 500
_ASKED = Statement(
    "stages_with_criteria",
    "SELECT 1 FROM funnel_stage WHERE is_active AND role = 'main' AND rule <> '[]'::jsonb LIMIT 1",
)
_OF_EVENTS = Statement(
    "open_leads_of_events",
    """
SELECT DISTINCT l.id FROM leads_event e JOIN leads_lead l ON l.person_id = e.person_id
 WHERE e.id = ANY(%(ids)s::uuid[]) AND l.closed_at IS NULL ORDER BY 1
""",
    by="ids",
)


def after_events(*, event_ids: Sequence[UUID], now: datetime) -> int:
    """Somebody did something: ask for the open leads of these events' persons."""
    if not _ASKED.rows():
        return 0
    return enter(lead_ids=[row[0] for row in _OF_EVENTS.rows(ids=list(event_ids))], now=now)


@joined()
def enter(*, lead_ids: Sequence[int], now: datetime) -> int:
    """Move those of these leads on that meet the criteria of a further stage; return how many."""
    if not lead_ids or not _ASKED.rows():
        return 0
    road = stages.road()
    rules = entry_facts.rules_of(s for s in road.known.values() if s.is_active and s.role == StageRole.MAIN)
    steps = {road.known[code].counts_as for code in rules}
    moved = 0
    for start in range(0, len(lead_ids), CHUNK):
        chunk = list(lead_ids[start : start + CHUNK])
        near = [state for state in _open(chunk) if road.known[state.stage.code].counts_as in steps]
        known = entry_facts.of_leads([state.lead_id for state in near], now=now) if near else {}
        due = [state.lead_id for state in near if _goal(state, road, rules, known)]
        for state in lifecycle.lock(lead_ids=due).values():
            goal = _goal(state, road, rules, known)
            if goal is None or state.lead.closed_at is not None:
                continue
            lifecycle.move(lead=state.lead, to=goal, cause=MoveCause.CRITERIA, actor=None, at=now, now=now)
            moved += 1
    return moved


@joined()
def enter_later(*, lead_ids: Sequence[int]) -> None:
    """Many leads came in at once: the loop asks for them after that."""
    if not lead_ids or not _ASKED.rows():
        return
    before = Value(min(lead_ids) - 1)
    asked = Stage.objects.filter(is_active=True, role=StageRole.MAIN).exclude(rule=[])
    asked.update(checked_up_to=Least(Coalesce(F("checked_up_to"), before), before))


def run_once(*, now: datetime, limit: int) -> int:
    """Go on through the leads for criteria that are new; return how many leads were asked about."""
    with transaction.atomic():
        if not locks.try_advisory(Namespace.STAGES, 1):
            return 0
        waiting = Stage.objects.filter(checked_up_to__isnull=False)
        stage = waiting.order_by("checked_up_to", "pk").first()
        if stage is None or stage.checked_up_to is None:
            return 0
        upto = stage.checked_up_to
        following = LeadState.objects.filter(lead__gt=upto, lead__closed_at=None).order_by("lead")
        ids = list(following.values_list("lead_id", flat=True)[:limit])
        enter(lead_ids=ids, now=now)
    # Only a cursor that is still where we found it: criteria that changed meanwhile begin again.
    after = ids[-1] if len(ids) == limit else None
    Stage.objects.filter(pk=stage.pk, checked_up_to=upto).update(checked_up_to=after)
    return len(ids)


def _open(lead_ids: Sequence[int]) -> list[LeadState]:
    found = LeadState.objects.filter(lead__in=lead_ids, lead__closed_at=None)
    return list(found.select_related("stage", "high_water").order_by("lead"))


def _goal(state: LeadState, road: Road, rules: Rules, known: Mapping[int, Facts]) -> str | None:
    return entry.next_stage(
        road.ladder,
        current=state.stage.code,
        high_water=state.high_water.code,
        counts_as={code: stage.counts_as for code, stage in road.known.items()},
        rules=rules,
        facts=known.get(state.lead_id, {}),
    )
