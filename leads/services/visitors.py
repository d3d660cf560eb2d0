"""Joining a visitor to a person on the word of something else than tracking: a form, a signed link."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from leads.domain.ownership import BEGINNING
from leads.events import EventsJoined, HistoriesChanged
from leads.models import Person, Source, Visitor, VisitorJoin
from leads.services import employments, histories, sessions, traits
from leads.services.histories import Changes
from smarketing.core import events, locks, loops

LOOP = "visitors"


@transaction.atomic
def join(*, source: Source, anonymous_id: str, person: Person, at: datetime, now: datetime) -> None:
    """The visitor is this person from ``at`` on, and what nobody owned before is theirs, too.

    Takes effect at once, unless tracking is just working on this visitor: then the loop "visitors" does it
    a moment later. So a form never waits for tracking, whatever it has locked. An id that was not seen yet
    counts from its first event on. The same join again changes nothing. A blank id says nothing.
    """
    if not anonymous_id:
        return
    VisitorJoin.objects.bulk_create(
        [VisitorJoin(source=source, anonymous_id=anonymous_id, person=person, at=min(at, now))],
        ignore_conflicts=True,
    )
    visitor = (
        Visitor.objects.filter(source=source, anonymous_id=anonymous_id)
        .select_for_update(skip_locked=True, no_key=True)
        .values_list("pk", flat=True)
        .first()
    )
    if visitor is None:
        loops.nudge(LOOP)
        return
    _apply([visitor], now=now)
    pending = VisitorJoin.objects.filter(source=source, anonymous_id=anonymous_id, applied_at=None)
    pending.update(applied_at=now)


@transaction.atomic
def run_once(*, now: datetime, limit: int) -> int:
    """Apply joins whose visitor was busy; a visitor nobody has seen yet is settled by their first event."""
    # A batch of tracking at work may be making a visitor that we can't see yet: wait for its end.
    locks.advisory(locks.Namespace.IDENTITY, 0)
    pending = VisitorJoin.objects.filter(applied_at=None).order_by("pk")
    rows = list(pending.select_for_update(skip_locked=True)[:limit])
    found = histories.visitors_of(browsers={(row.source_id, row.anonymous_id) for row in rows})
    free = Visitor.objects.filter(pk__in=found).order_by("source_id", "anonymous_id")
    held = list(free.select_for_update(no_key=True).values_list("pk", flat=True))
    _apply(held, now=now)
    VisitorJoin.objects.filter(pk__in=[row.pk for row in rows]).update(applied_at=now)
    return len(rows)


def _apply(visitors: Collection[int], *, now: datetime) -> None:
    """Bring events, sessions and touchpoints of these visitors, whom the caller has locked, in line."""
    if not visitors:
        return
    changes = Changes()
    ownerships = histories.ownerships(since=dict.fromkeys(visitors, BEGINNING))
    histories.give(ownerships=ownerships, changes=changes)
    histories.settle_visitors(ownerships=ownerships)
    sessions.refresh(changes=changes, now=now)
    traits.tell(event_ids=changes.tell, now=now)
    traits.retell(person_ids=changes.people, now=now)
    employments.hear(event_ids=changes.tell, changed=changes.people, now=now)
    if changes.joined:
        events.publish(EventsJoined(tuple(changes.joined), now))
    if changes.people:
        events.publish(HistoriesChanged(tuple(sorted(changes.people)), now))
