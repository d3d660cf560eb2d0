"""How much is known about a person, and what is still missing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leads.models import Lead, Person

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Completeness:
    """``known`` of ``asked`` facts; ``missing`` names the others as (fact, label)."""

    known: int
    asked: int
    missing: tuple[tuple[str, Text], ...]


def of(
    person: Person, *, emails: Collection[object], phones: Collection[object], lead: Lead | None = None
) -> Completeness:
    """What sales asks for first. The lists are given, because the page has read them already."""
    facts: list[tuple[str, Text, bool]] = [
        ("name", _("Name"), bool(person.name)),
        ("emails", _("E-mail"), bool(emails)),
        ("phones", _("Phone"), bool(phones)),
        ("company", _("Company"), person.company_id is not None),
        ("title", _("Job title"), bool(person.title)),
        ("country", _("Country"), bool(person.country)),
    ]
    if lead is not None:
        facts.append(("origin", _("Origin"), bool(lead.origin)))
    missing = tuple((name, label) for name, label, is_known in facts if not is_known)
    return Completeness(len(facts) - len(missing), len(facts), missing)
