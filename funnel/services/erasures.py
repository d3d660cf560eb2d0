"""What an erasure means here: nobody works the lead on, and what was written about the person goes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.models import Handoff, HandoffState, MoveCause
from funnel.services import handoffs, lifecycle, tombstones
from leads.models import Lead
from leads.services.erasure_steps import BY_LEAD, BY_PERSON, EMPTY, GONE, NOTHING, Step
from smarketing.users.models import User

_OF_ALERTS = "alert_id IN (SELECT id FROM funnel_alert WHERE person_id = ANY(%(persons)s))"
_OF_HANDOFFS = f"handoff_id IN (SELECT id FROM funnel_handoff WHERE {BY_LEAD})"  # noqa: S608
_OF_DEALS = f"opportunity_id IN (SELECT id FROM funnel_opportunity WHERE {BY_PERSON} OR {BY_LEAD})"  # noqa: S608
STEPS = (
    Step("funnel_alerthit", f"{BY_PERSON} OR {_OF_ALERTS}"),
    Step("funnel_alert", BY_PERSON),
    Step(
        "funnel_handoff",
        BY_LEAD,
        {"packet": NOTHING, "return_note": EMPTY, "override_reason": EMPTY},
    ),
    Step(
        "funnel_appeal",
        _OF_HANDOFFS,
        {"evidence": EMPTY, "ruling_note": EMPTY},
    ),
    Step("funnel_opportunitytransition", _OF_DEALS, {"reason": EMPTY}),
    Step(
        "funnel_opportunity",
        f"{BY_PERSON} OR {BY_LEAD}",
        {"name": GONE, "lost_note": EMPTY, "attributes": NOTHING, "external_id": "NULL"},
    ),
    Step("funnel_stagetransition", BY_LEAD, {"reason": EMPTY}),
    Step("funnel_qualification", BY_LEAD, {"need": EMPTY}),
    Step("funnel_nurture", BY_LEAD, {"reason": EMPTY}),
    Step("funnel_likelihood", BY_LEAD),
    Step("funnel_interest", BY_PERSON),
    Step("funnel_nextinterest", BY_PERSON),
    Step("funnel_nextscore", BY_LEAD),
    Step("funnel_signalday", BY_PERSON),
)


@transaction.atomic
def end(*, person_id: int, lead_ids: Collection[int], actor_id: int | None, now: datetime) -> None:
    """Take the person's open leads out of the funnel and leave only hashes in their tombstones."""
    actor = User.objects.filter(pk=actor_id).first() if actor_id else None
    for handoff in Handoff.objects.filter(lead__in=lead_ids, state=HandoffState.DELIVERED):
        handoffs.expire(handoff=handoff, at=now, now=now)
    for lead in Lead.objects.open().filter(pk__in=lead_ids):
        lifecycle.move(
            lead=lead,
            to="disqualified",
            cause=MoveCause.MANUAL if actor else MoveCause.CORRECTION,
            actor=actor,
            at=now,
            now=now,
            reason=_("Erased"),
        )
    tombstones.forget(person_id=person_id, now=now)
