"""Looking up leads: the laps of a person, a company's and a campaign's leads."""

from __future__ import annotations

from django.db.models import QuerySet

from leads.models import Lead
from smarketing.core.prepared import Query, given
from smarketing.users.models import User

_OPEN = Query(
    "lead_open_of_person", lambda: Lead.objects.open().filter(person=given("person")).order_by("pk")
)


def of_person(user: User, person_id: int) -> list[Lead]:
    """All laps, the present one first."""
    laps = Lead.objects.visible_to(user).filter(person=person_id)
    return list(laps.select_related("source", "channel", "campaign").order_by("-lap"))


def of_campaign(user: User, campaign_id: int) -> QuerySet[Lead]:
    """Leads that a campaign brought, with their person."""
    return (
        Lead.objects.visible_to(user)
        .filter(campaign=campaign_id)
        .select_related("person__company", "channel", "company")
    )


def open_of(person_id: int) -> Lead | None:
    """The person's present lap, or ``None`` between laps."""
    return _OPEN.first(person=person_id)
