"""Facts of the leads app for webhooks: ids and values, no notice to people."""

from __future__ import annotations

from django.db import transaction

from leads.events import ActivityLogged, LeadsCaptured
from smarketing.notifications.services import outbox
from smarketing.notifications.services.outbox import Entry


@transaction.atomic
def captured(*, fact: LeadsCaptured) -> None:
    """One row per new lead. A file's leads are history and told to nobody."""
    if fact.is_import:
        return
    owners = dict(fact.owners)
    outbox.put_many(
        entries=[
            Entry(
                "lead.captured",
                {"lead_id": pk, "owner_id": owners.get(pk), "actor_id": fact.actor_id},
                f"lead:{pk}:captured",
            )
            for pk in fact.lead_ids
        ],
        now=fact.now,
    )


@transaction.atomic
def attempted(*, fact: ActivityLogged) -> None:
    """A call, mail or meeting by which a colleague approached a person."""
    if not fact.is_attempt:
        return
    outbox.put(
        topic="attempt.logged",
        payload={
            "activity_id": fact.activity_id,
            "lead_id": fact.lead_id,
            "person_id": fact.person_id,
            "kind": fact.kind,
            "actor_id": fact.actor_id,
            "occurred_at": fact.occurred_at.isoformat(),
        },
        dedupe_key=f"attempt:{fact.activity_id}",
        now=fact.now,
    )
