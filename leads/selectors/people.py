"""Looking up persons."""

from __future__ import annotations

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Greatest

from leads.models import Activity, Event, Lead, Person, PersonEmail, Touchpoint
from smarketing.users.models import User


def matching(queryset: QuerySet[Person], text: str) -> QuerySet[Person]:
    """Those whose name, e-mail address or company holds every word of ``text``; by trigram index."""
    for word in text.lower().split()[:8]:
        queryset = queryset.filter(search_text__contains=word)
    return queryset


def found(user: User, text: str, *, limit: int) -> list[Person]:
    """The first persons that ``user`` may see and ``text`` matches, with their laps, for the palette."""
    people = matching(Person.objects.visible_to(user), text).select_related("company")
    laps = Prefetch("leads", queryset=Lead.objects.order_by("-lap"), to_attr="laps")
    return list(people.prefetch_related(laps).order_by("-updated_at")[:limit])


def of_company(user: User, company_id: int) -> QuerySet[Person]:
    """Everybody of a company with their e-mail addresses, present lap and ``last_at``, their last sign."""
    laps = Prefetch("leads", queryset=Lead.objects.order_by("-lap"), to_attr="laps")
    emails = Prefetch("emails", queryset=PersonEmail.objects.order_by("-is_primary", "pk"))
    people = Person.objects.visible_to(user).filter(company=company_id)
    return people.prefetch_related(emails, "phones", laps).annotate(last_at=_last_at())


def _last_at() -> Greatest:
    """The latest event, touchpoint or activity of each shown person, by the index of each."""
    latest = [
        Subquery(
            model._default_manager.filter(person=OuterRef("pk"))
            .order_by("-occurred_at")
            .values("occurred_at")[:1]
        )
        for model in (Event, Touchpoint, Activity)
    ]
    return Greatest(*latest)


def first_address(person: Person) -> str:
    """The main e-mail address, or an empty text."""
    found = person.emails.order_by("-is_primary", "pk").first()
    return found.email if found else ""
