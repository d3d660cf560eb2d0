"""Panels of the single customer view: how they came, how warm they are."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from funnel.domain.temperature import Heat, Trend
from funnel.selectors import company_people
from funnel.selectors import footprint as footprints
from funnel.selectors import origin as origins
from leads.models import Company, Lead, Person
from leads.selectors import leads as laps
from smarketing.users.models import User
from smarketing.web.panels import Panel

_TONES = {Heat.HOT: "bad", Heat.WARM: "warn", Heat.COOLING: "info", Heat.COLD: "plain"}


def origin(record: Lead | Person, *, viewer: User, now: datetime) -> Panel | None:
    """The origin story of the lap, or of the person's present one."""
    person, lead = (record.person, record) if isinstance(record, Lead) else (record, laps.open_of(record.pk))
    told = origins.of_person(person, lead)
    if told.is_empty:
        return None
    return Panel("funnel/_origin.html", {"told": told}, title=_("Origin story"), id="origin")


def footprint(record: Lead | Person, *, viewer: User, now: datetime) -> Panel | None:
    """Temperature, visits and favourite topics."""
    person = record.person if isinstance(record, Lead) else record
    told = footprints.of_person(person, now=now)
    words = {
        Heat.HOT: _("Hot"),
        Heat.WARM: _("Warm"),
        Heat.COOLING: _("Cooling"),
        Heat.COLD: _("Cold"),
    }
    trends = {
        Trend.WARMER: _("warmer than a week ago"),
        Trend.SAME: _("as a week ago"),
        Trend.COOLER: _("cooler than a week ago"),
    }
    heat = told.temperature.heat
    context = {
        "told": told,
        "word": words[heat],
        "tone": _TONES[heat],
        "trend": trends[told.temperature.trend],
        "will_cool": told.cools_at is not None and told.cools_at > now,
    }
    return Panel("funnel/_footprint.html", context, title=_("Digital footprint"), id="footprint")


def owners(company: Company, *, viewer: User, now: datetime) -> Panel | None:
    """Who is responsible for what of a company."""
    found = company_people.owners_of(company, viewer=viewer)
    if not found:
        return None
    return Panel("funnel/_owners.html", {"owners": found}, title=_("Who owns what"), id="company-owners")
