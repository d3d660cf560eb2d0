"""What pages say about somebody who is kept warm: that contact goes through marketing, and until when."""

from __future__ import annotations

from datetime import datetime

from funnel.models import NurtureState
from funnel.selectors import nurtures
from leads.models import Lead, Person
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web.panels import Panel


def of_lead(lead: Lead, *, viewer: User, now: datetime) -> Panel | None:
    """The lead's episode while it lasts, and where it went on after it."""
    found = nurtures.of_lead(viewer, lead.pk)
    if found is None or (found.state == NurtureState.ENDED and found.next_lead is None):
        return None
    context = {"told": nurtures.told(found, at=now), "may_change": viewer.may(Capability.DELIVER)}
    return Panel("funnel/_nurture.html", context)


def of_person(person: Person, *, viewer: User, now: datetime) -> Panel | None:
    """The same for the present lap of a person."""
    found = nurtures.held(viewer, person.pk)
    return of_lead(found.lead, viewer=viewer, now=now) if found else None


def before_contact(person: Person, *, viewer: User, now: datetime) -> Panel | None:
    """What is said where somebody is about to be contacted."""
    found = nurtures.held(viewer, person.pk)
    return Panel("funnel/_contact_hold.html", {"nurture": found}) if found else None
