"""What the command palette finds here: people with their leads, companies, and what can be added."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from leads.models import Person
from leads.selectors import companies, people
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web.palette import LIMIT, Hit

# A trigram index needs three letters.
SHORTEST = 3


def actions(user: User, text: str) -> list[Hit]:
    """What may be added."""
    known = [
        (_("New lead"), "leads:lead_new", Capability.EDIT_LEADS),
        (_("New company"), "leads:company_new", Capability.EDIT_LEADS),
        (_("New campaign"), "leads:campaign_new", Capability.EDIT_CAMPAIGNS),
    ]
    wanted = text.casefold()
    return [
        Hit(label=label, url=reverse(name), icon="plus")
        for label, name, capability in known
        if user.may(capability) and wanted in label.casefold()
    ]


def persons(user: User, text: str) -> list[Hit]:
    """People by name, e-mail address or company; one with an open lap leads to it."""
    if len(text) < SHORTEST:
        return []
    return [_person(p) for p in people.found(user, text, limit=LIMIT)]


def organisations(user: User, text: str) -> list[Hit]:
    """Companies by name."""
    if len(text) < SHORTEST:
        return []
    return [
        Hit(label=c.name, url=reverse("leads:company", args=[c.pk]), icon="building-2", detail=c.domain)
        for c in companies.found(user, text, limit=LIMIT)
    ]


def _person(person: Person) -> Hit:
    laps = person.laps  # type: ignore[attr-defined]  # read by the selector
    present = next((lap for lap in laps if lap.closed_at is None), None)
    address = (
        reverse("leads:lead", args=[present.pk]) if present else reverse("leads:person", args=[person.pk])
    )
    company = person.company.name if person.company else ""
    detail = company if present else " · ".join(t for t in (company, _("no open lead")) if t)
    return Hit(label=person.name or person.search_text, url=address, icon="user", detail=detail)
