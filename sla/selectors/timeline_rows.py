"""What promises put on a person's timeline: broken ones, and clocks that were held.

The start of a clock is the delivery and its end an activity; both are on the timeline already.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from leads.models import Person
from leads.selectors import timeline
from leads.selectors.timeline import Category, Entry, Position, Provider
from sla.models import ClockAction, ClockEvent, ClockKind


def breaches(person: Person, *, before: Position | None, limit: int) -> list[Entry]:
    """Deadlines that passed; one that proved kept after all says so."""
    rows = timeline.newest(
        lambda who: ClockEvent.objects.filter(
            timeline.whose(who, "clock__handoff__lead__person"), kind__in=["breach", "expire", "reassign"]
        ).select_related("clock__owner", "clock__handoff"),
        person,
        provider="breach",
        before=before,
        limit=limit,
        at="due_at",
    )
    return [
        Entry(
            at=row.due_at,
            provider="breach",
            pk=row.pk,
            title=_title(row),
            icon="timer-off",
            tone="plain" if row.voided_at else "bad",
            detail=_("Void: %(reason)s") % {"reason": row.void_reason} if row.voided_at else "",
            who=row.clock.owner.name,
            lead_id=row.clock.handoff.lead_id,
        )
        for row in rows
    ]


def _title(event: ClockEvent) -> str:
    if event.kind == "expire":
        return _("Never answered: handoff expired")
    if event.kind == "reassign":
        return _("Still overdue: to be given to another rep")
    return {
        ClockKind.RESPOND: _("First response overdue"),
        ClockKind.DEPTH: _("Follow-up overdue"),
        ClockKind.OUTCOME: _("Outcome overdue"),
        ClockKind.FEEDBACK: _("Explanation of the return overdue"),
    }[ClockKind(event.clock.kind)]


def pauses(person: Person, *, before: Position | None, limit: int) -> list[Entry]:
    """Clocks that somebody held or let go on."""
    rows = timeline.newest(
        lambda who: ClockAction.objects.filter(
            timeline.whose(who, "clock__handoff__lead__person"), verb__in=["pause", "resume"]
        ).select_related("actor", "clock__handoff"),
        person,
        provider="clock_action",
        before=before,
        limit=limit,
        at="at",
    )
    return [
        Entry(
            at=row.at,
            provider="clock_action",
            pk=row.pk,
            title=_("Clock paused") if row.verb == "pause" else _("Clock runs again"),
            icon="pause" if row.verb == "pause" else "play",
            detail=row.reason,
            who=row.actor.name if row.actor else "",
            lead_id=row.clock.handoff.lead_id,
        )
        for row in rows
    ]


PROVIDERS = (
    Provider("breach", Category.PROMISE, breaches),
    Provider("clock_action", Category.PROMISE, pauses),
)
