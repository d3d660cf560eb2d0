"""A user's open promises as an iCalendar document (RFC 5545): one event per deadline."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from sla.models import CalendarFeed, Clock
from sla.selectors import prose
from sla.selectors.links import lead_path
from smarketing.users.models import User

MOST = 500
LENGTH = timedelta(minutes=15)


def of(user: User) -> CalendarFeed | None:
    """The user's address that works now."""
    return CalendarFeed.objects.filter(user=user, revoked_at=None).first()


def document(user: User, *, site: str, host: str, now: datetime) -> bytes:
    """The next 500 deadlines of the user's open clocks; each event keeps its id while it moves.

    A paused clock has no deadline and is left out.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Smarketing//Promises//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", _("Promises of %(name)s") % {"name": user.name})
    found = (
        Clock.objects.open()
        .filter(owner=user, due_at__isnull=False)
        .select_related("handoff__lead__person", "clause")
        .order_by("due_at", "pk")[:MOST]
    )
    for clock in found:
        calendar.add_component(_event(clock, site, host, now))
    return bytes(calendar.to_ical())


def _event(clock: Clock, site: str, host: str, now: datetime) -> Event:
    event = Event()
    lead = clock.handoff.lead
    words = {"promise": prose.name(clock.clause.metric), "lead": lead.person}
    event.add("uid", f"clock-{clock.pk}@{host}")
    event.add("dtstamp", now)
    event.add("dtstart", clock.due_at)
    event.add("dtend", (clock.due_at or now) + LENGTH)
    event.add("sequence", clock.version)
    event.add("summary", _("%(promise)s due: %(lead)s") % words)
    event.add("description", prose.sentence(clock.clause))
    event.add("url", f"{site}{lead_path(lead.pk)}")
    event.add("transp", "TRANSPARENT")
    return event
