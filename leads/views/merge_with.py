"""Merging a person with anybody: finding the other, both side by side, the merge."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from leads import access
from leads.models import Person
from leads.selectors import duplicates, people
from leads.selectors import merges as reads
from leads.services import merges, merging
from leads.views.merges import choices_of, chosen_survivor
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web import rendering
from smarketing.web.pages import Request, page
from smarketing.web.panels import Panel
from smarketing.web.rendering import Toast

MERGE = Capability.MERGE_RECORDS
MOST_SHOWN = 20
_LONGEST = 200


@page(capability=MERGE)
def choose(request: Request, pk: int) -> HttpResponse:
    """Look for the record that is the same person; without words, who looks like them."""
    person = access.get_person(request.user, pk, capability=MERGE)
    text = request.GET.get("q", "").strip()[:_LONGEST].replace("\x00", "")
    if text:
        found = people.found(request.user, text, limit=MOST_SHOWN + 1)
    else:
        found = [match.person for match in duplicates.like(duplicates.profile(person), but=[pk])]
    others = [duplicates.side(other) for other in found if other.pk != pk][:MOST_SHOWN]
    context = {"person": person, "side": duplicates.side(person), "q": text, "others": others}
    fragments = {"others": "leads/_merge_others.html"}
    return rendering.page(request, "leads/merge_with.html", context, fragments=fragments)


@page(capability=MERGE, methods=["GET", "POST"])
def both(request: Request, pk: int, other: int) -> HttpResponse:
    """The two beside each other; choose whose values stay, and merge."""
    one = access.get_person(request.user, pk, capability=MERGE)
    two = access.get_person(request.user, other, capability=MERGE)
    if pk == other:
        raise merging.CantMerge(_("A record can't be merged with itself, or with one that is not there."))
    pair = duplicates.pair_of(one, two)
    if pair.pk is not None and pair.state == "open":
        return rendering.redirect(request, reverse("leads:duplicate", args=[pair.pk]))
    refusal = ""
    if request.method == "POST":
        survivor = chosen_survivor(request.POST)
        try:
            merges.check_choice(survivor_id=survivor, among=(one.pk, two.pk))
            done = merges.merge_records(
                kind=pair.kind,
                survivor_id=survivor,
                merged_id=two.pk if survivor == one.pk else one.pk,
                choices=choices_of(request.POST, own_side="left" if survivor == pair.left_id else "right"),
                actor=request.user,
                now=request.now,
            )
        except DomainError as error:
            refusal = error.detail
        else:
            toast = Toast(
                _("Merged. Everything is in one record."), "ok", reverse("leads:merge_undo", args=[done.pk])
            )
            return rendering.redirect(request, reverse("leads:person", args=[survivor]), toast=toast)
    context = {
        "row": duplicates.dress(pair),
        "both": reads.compare(pair),
        "person": one,
        "side": duplicates.side(one),
        "refusal": refusal,
        "action": request.path,
    }
    return rendering.page(request, "leads/merge_both.html", context, status=409 if refusal else 200)


def action(person: Person, *, viewer: User, now: datetime) -> Panel | None:
    """The button on the page of a person."""
    return Panel("leads/_merge_action.html", {"person": person}) if viewer.may(MERGE) else None
