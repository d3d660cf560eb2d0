"""Looking up companies."""

from __future__ import annotations

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from leads.models import Company, Lead, Person
from smarketing.users.models import User

MOST_WORDS = 8


def matching(queryset: QuerySet[Company], text: str) -> QuerySet[Company]:
    """Those whose name holds every word of ``text``; by trigram index."""
    for word in text.split()[:MOST_WORDS]:
        queryset = queryset.filter(name__icontains=word)
    return queryset


def found(user: User, text: str, *, limit: int) -> list[Company]:
    """The first companies that ``user`` may see and ``text`` matches."""
    return list(matching(Company.objects.visible_to(user), text).order_by("name", "pk")[:limit])


def listed(user: User) -> QuerySet[Company]:
    """Companies with the numbers of their people and open leads.

    The numbers are subqueries of each shown row: a page counts for fifty companies, not for all.
    """
    people = Person.objects.filter(company=OuterRef("pk"), merged_into=None)
    open_leads = Lead.objects.open().filter(company=OuterRef("pk"))
    return Company.objects.visible_to(user).annotate(
        people_count=_count(people, "company"), open_lead_count=_count(open_leads, "company")
    )


def _count(rows: QuerySet, by: str) -> Coalesce:  # type: ignore[type-arg]
    counted = rows.order_by().values(by).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
