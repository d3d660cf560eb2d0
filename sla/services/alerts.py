"""Telling people and webhooks that a level of a clock was reached, through the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from sla.domain.clocks import breach_of
from sla.events import ThresholdReached
from sla.models import Clock
from sla.selectors import clock_rows
from sla.selectors.links import lead_path
from smarketing.notifications.services import outbox
from smarketing.notifications.services.outbox import Entry, Notice
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from smarketing.web import formats

TOPICS = {"warning": "clock.warning", "breach": "clock.breached", "expire": "clock.expired"}


@transaction.atomic
def tell(*, reached: Sequence[ThresholdReached], now: datetime) -> None:
    """One outbox row per level, keyed by (clock, level) so that it is told once, whoever runs twice.

    A person hears only of the gravest level of a clock: when several come to light together, a warning
    about a promise that is broken already would only be noise. The owner hears everything, managers
    of sales hear of breaches and expiries.
    """
    if not reached:
        return
    clocks = Clock.objects.select_related("handoff__lead__person", "owner").in_bulk(
        {fact.clock_id for fact in reached}
    )
    gravest = {fact.clock_id: fact for fact in sorted(reached, key=lambda f: f.level)}
    managers = _managers() if any(fact.kind != "warning" for fact in reached) else ()
    entries = []
    for fact in reached:
        clock = clocks[fact.clock_id]
        loud = gravest[fact.clock_id] is fact
        entries.append(
            Entry(
                topic=TOPICS[fact.kind],
                payload={
                    "clock_id": fact.clock_id,
                    "handoff_id": fact.handoff_id,
                    "lead_id": clock.handoff.lead_id,
                    "owner_id": clock.owner_id,
                    "level": fact.level,
                    "kind": fact.kind,
                    "due_at": fact.due_at.isoformat(),
                },
                dedupe_key=f"clock:{fact.clock_id}:{fact.level}",
                notice=_notice(clock, fact, managers) if loud else None,
            )
        )
    outbox.put_many(entries=entries, now=now)


def _notice(clock: Clock, fact: ThresholdReached, managers: tuple[int, ...]) -> Notice:
    lead = clock.handoff.lead
    words = {"lead": str(lead.person), "owner": clock.owner.name}
    told = {clock.owner_id}
    if fact.kind == "warning":
        words["due"] = _due(clock)
        text = _("%(lead)s is waiting for a first attempt, due %(due)s.") % words
    elif fact.kind == "breach":
        text = _("First response to %(lead)s is overdue (owner: %(owner)s).") % words
        told |= {*managers, *([clock.owner.manager_id] if clock.owner.manager_id else [])}
    else:
        text = _("%(lead)s was never answered; the handoff to %(owner)s has expired.") % words
        told |= set(managers)
    return Notice(text=text, user_ids=tuple(sorted(told)), link=lead_path(lead.pk))


def _due(clock: Clock) -> str:
    """The deadline on the owner's wall clock, for it is the owner who reads it."""
    deadline = breach_of(clock_rows.state_of(clock).thresholds).at.astimezone(ZoneInfo(clock.owner.time_zone))
    return f"{formats.day(deadline.date())}, {deadline:%H:%M}"


def _managers() -> tuple[int, ...]:
    return tuple(User.objects.active().filter(role=Role.SALES_MANAGER).values_list("pk", flat=True))
