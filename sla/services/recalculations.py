"""A new calendar version decides for the clocks that run: each is counted anew, on record (I-13).

Clocks that have ended are not touched. What had fired stays as it fired; a level whose time has passed by
the new hours falls on the moment of the recalculation, never before it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from sla.models import CalendarVersion, Clock
from sla.selectors import recalculated
from sla.services import books, clocks
from sla.services.books import Deed

VERB = "recalculate"


def outdated() -> list[int]:
    """Calendar versions that another has replaced."""
    latest = CalendarVersion.objects.filter(calendar=OuterRef("calendar")).order_by("-number")
    return list(
        CalendarVersion.objects.annotate(latest=Subquery(latest.values("number")[:1]))
        .exclude(number=F("latest"))
        .values_list("pk", flat=True)
    )


def run_once(*, now: datetime, limit: int = 500) -> int:
    """Recalculate at most ``limit`` open clocks of replaced calendar versions, each in its transaction."""
    waiting = Clock.objects.open().filter(calendar_version__in=outdated()).order_by("calendar_version", "pk")
    ids = list(waiting.values_list("pk", flat=True)[:limit])
    for clock_id in ids:
        recalculate(clock_id=clock_id, now=now)
    return len(ids)


@transaction.atomic
def recalculate(*, clock_id: int, now: datetime, reason: str = "") -> bool:
    """Let the latest version of its calendar decide for one clock; say whether it was open.

    ``reason`` is what stands in the ledger where it is not the version (new data of time zones).
    """
    (locked,) = books.lock(clock_ids=[clock_id])
    clocks.close_books(clocks=[locked], at=now, now=now)
    (locked,) = books.lock(clock_ids=[clock_id])
    if locked.ended_at is not None:
        return False
    version = (
        CalendarVersion.objects.filter(calendar=locked.calendar_version.calendar_id)
        .select_related("calendar", "author")
        .order_by("-number")[:1]
        .get()
    )
    outcome = recalculated.outcome(locked, version, now=now)
    why = reason or f"{version.calendar.name}, version {version.number}"
    deed = Deed(VERB, now, now, None if reason else version.author, why)
    books.enter(clock=locked, outcome=outcome, deed=deed, calendar_version=version)
    return True
