"""The pages of a lead and of a person: properties, one timeline, panels of other apps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, HttpResponsePermanentRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from leads import access
from leads.models import Lead, Person
from leads.selectors import completeness, leads, merges, tasks
from leads.selectors.completeness import Completeness
from leads.views import facts, timeline
from smarketing.users.domain.roles import Capability
from smarketing.web import panels, rendering
from smarketing.web.pages import Request, page


@page(capability=Capability.VIEW)
def lead_page(request: Request, pk: int) -> HttpResponse:
    """One lap of a person. Panels of ``lead.header``, ``.actions``, ``.main``, ``.side`` get the lead."""
    lead = access.get_lead(request.user, pk)
    context = {
        **_of_person(request, lead.person, lead, has_lead_facts=True),
        "lead": lead,
        "lead_facts": facts.rows("lead", lead, request.user),
        **_regions(request, "lead", lead),
    }
    return rendering.page(request, "leads/lead.html", context, fragments=_FRAGMENTS)


@page(capability=Capability.VIEW)
def person_page(request: Request, pk: int) -> HttpResponse:
    """A person with all their laps. Panels of ``person.header`` … get the person."""
    if (gone_into := merges.standing_for(pk)) is not None:
        return HttpResponsePermanentRedirect(reverse("leads:person", args=[gone_into.pk]))
    person = access.get_person(request.user, pk)
    lead = leads.open_of(person.pk)
    context = {**_of_person(request, person, lead), "open_lead": lead, **_regions(request, "person", person)}
    return rendering.page(request, "leads/person.html", context, fragments=_FRAGMENTS)


_FRAGMENTS = {
    "record-header": "leads/_regions_header.html",
    "record-actions": "leads/_regions_actions.html",
    "record-main": "leads/_regions_main.html",
    "record-side": "leads/_side.html",
    "record-story": "leads/_story.html",
    "record-timeline": "leads/_timeline.html",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """A fact that is missing, and where it is filled in: in place, or on the page that has its form."""

    label: Any
    edit_url: str = ""
    target: str = ""
    url: str = ""


def _gaps(
    request: Request, known: Completeness, person: Person, lead: Lead | None, *, has_lead_facts: bool
) -> list[Gap]:
    if not request.user.may(Capability.EDIT_LEADS):
        return [Gap(label) for _name, label in known.missing]
    gaps = []
    for name, label in known.missing:
        kind, pk = ("lead", lead.pk) if name == "origin" and lead else ("person", person.pk)
        if kind == "lead" and not has_lead_facts:
            gaps.append(Gap(label, url=reverse("leads:lead", args=[pk])))
        else:
            edit_url = reverse("leads:fact_edit", args=[kind, pk, name])
            gaps.append(Gap(label, edit_url, f"fact-{kind}-{pk}-{name}"))
    return gaps


def _of_person(
    request: Request, person: Person, lead: Lead | None, *, has_lead_facts: bool = False
) -> Mapping[str, Any]:
    known = completeness.of(person, emails=person.emails.all(), phones=person.phones.all(), lead=lead)
    return {
        "person": person,
        "heading": person.name or _first_address(person) or _("Unnamed person"),
        "sub": " · ".join(t for t in (person.title, person.company.name if person.company else "") if t),
        "person_facts": facts.rows("person", person, request.user),
        "known": known,
        "missing": _gaps(request, known, person, lead, has_lead_facts=has_lead_facts),
        "laps": leads.of_person(request.user, person.pk),
        "tasks": tasks.of_person(request.user, person.pk),
        "may_log": request.user.may(Capability.LOG_ACTIVITY),
        **timeline.context(person, only=request.GET.get("only", ""), of=request.GET.get("of", "")),
    }


def _first_address(person: Person) -> str:
    addresses = list(person.emails.all())
    return addresses[0].email if addresses else ""


def _regions(request: Request, kind: str, subject: Any) -> Mapping[str, Any]:
    return {
        f"panels_{region}": panels.build(f"{kind}.{region}", subject, viewer=request.user, now=request.now)
        for region in ("header", "actions", "main", "side", "story")
    }
