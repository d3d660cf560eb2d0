"""The panel that says what both teams send a person."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from leads.models import Lead, Person
from leads.selectors import outreach
from smarketing.users.models import User
from smarketing.web.panels import Panel


def panel(record: Lead | Person, *, viewer: User, now: datetime) -> Panel | None:
    """Marketing's and sales' latest messages side by side, and who contacts."""
    person = record.person if isinstance(record, Lead) else record
    told = outreach.of_person(person, now=now)
    return Panel("leads/_outreach.html", {"told": told}, title=_("What is sent to them"), id="outreach")
