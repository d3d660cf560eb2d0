"""Two records side by side, merging them, and taking that back."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from leads import access
from leads.domain import merging as rules
from leads.models import Company, Duplicate, DuplicateKind, Merge, Person
from leads.selectors import duplicates
from leads.selectors import merges as reads
from leads.services import merges
from leads.views.duplicates import LIST, onward
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web import rendering
from smarketing.web.pages import Request, page
from smarketing.web.panels import Panel
from smarketing.web.rendering import Toast


@page(capability=Capability.MERGE_RECORDS, methods=["GET", "POST"])
def pair_page(request: Request, pk: int) -> HttpResponse:
    """Choose whose values stay, and merge."""
    pair = access.get_duplicate(request.user, pk, capability=Capability.MERGE_RECORDS)
    refusal = ""
    if request.method == "POST":
        try:
            done = _merge(request, pair)
        except DomainError as error:
            refusal = error.detail
        else:
            undo = reverse("leads:merge_undo", args=[done.pk])
            return onward(request, pair, Toast(_("Merged. Everything is in one record."), "ok", undo))
    following = duplicates.next_open(request.user, after=pair)
    context = {
        "row": duplicates.dress(pair),
        "both": reads.compare(pair),
        "refusal": refusal,
        "following": following,
        "is_open": pair.state == "open",
    }
    return rendering.page(request, "leads/duplicate.html", context, status=409 if refusal else 200)


@page(capability=Capability.MERGE_RECORDS, methods=["POST"])
def merge_selected(request: Request) -> HttpResponse:
    """Merge the chosen certain pairs, each by itself, and say of each what became of it."""
    chosen = [int(pk) for pk in request.POST.getlist("id") if pk.isdecimal() and len(pk) < 19]
    try:
        done = merges.merge_each(pair_ids=chosen, actor=request.user, now=request.now)
    except DomainError as error:
        return rendering.redirect(request, LIST, toast=Toast(error.detail, "bad"))
    if not done:
        return rendering.redirect(request, LIST, toast=Toast(_("Choose some pairs first."), "bad"))
    named = reads.with_names([each.merge.pk for each in done if each.merge is not None])
    context = {
        "merged": [named[each.merge.pk] for each in done if each.merge is not None],
        "refused": _refused(request.user, [each for each in done if each.merge is None]),
        "crumbs": [(_("Duplicates"), reverse(LIST))],
    }
    return rendering.page(request, "leads/merged.html", context)


def _refused(user: User, outcomes: list[merges.Outcome]) -> list[tuple[str, merges.Outcome]]:
    """The names of each pair that was not merged, and why."""
    pairs = duplicates.listed(user).filter(pk__in=[each.pair_id for each in outcomes])
    names = {row.pair.pk: f"{row.left.name}, {row.right.name}" for row in duplicates.dressed(pairs)}
    return [(names.get(each.pair_id, ""), each) for each in outcomes]


@page(capability=Capability.MERGE_RECORDS, methods=["POST"])
def undo(request: Request, pk: int) -> HttpResponse:
    """Two records again, each with what was theirs."""
    merge = access.get_merge(request.user, pk, capability=Capability.MERGE_RECORDS)
    merges.undo(merge=merge, actor=request.user, now=request.now)
    toast = Toast(_("Taken apart. What came since stays with the record that went on."), "ok")
    return rendering.redirect(request, _page_of(merge), toast=toast)


def of_person(person: Person, *, viewer: User, now: datetime) -> Panel | None:
    """What was merged into the person."""
    return _panel(list(reads.of_person(viewer, person.pk)), viewer)


def of_company(company: Company, *, viewer: User, now: datetime) -> Panel | None:
    """What was merged into the company."""
    return _panel(list(reads.of_company(viewer, company.pk)), viewer)


def _panel(found: list[Merge], viewer: User) -> Panel | None:
    if not found:
        return None
    context = {"merges": found, "may_undo": viewer.may(Capability.MERGE_RECORDS)}
    return Panel("leads/_merges.html", context, title=_("Merged into this record"), id="merges")


def _merge(request: Request, pair: Duplicate) -> Merge:
    left, _right = reads.keys_of(pair)
    survivor = chosen_survivor(request.POST)
    return merges.merge_pair(
        pair=pair,
        survivor_id=survivor,
        choices=choices_of(request.POST, own_side="left" if survivor == left else "right"),
        actor=request.user,
        now=request.now,
    )


def chosen_survivor(post: QueryDict) -> int:
    """The key of the record that goes on; 0 for what is none."""
    given = post.get("survivor", "")
    return int(given) if given.isdecimal() and len(given) < 19 else 0


def choices_of(post: QueryDict, *, own_side: str) -> dict[str, str]:
    """ "left" and "right" of the form as the survivor's and the other's."""
    chosen = {name.removeprefix("field_"): post[name] for name in post if name.startswith("field_")}
    return {
        name: rules.SURVIVOR if side == own_side else rules.MERGED
        for name, side in chosen.items()
        if side in ("left", "right")
    }


def _page_of(merge: Merge) -> str:
    name = "leads:person" if merge.kind == DuplicateKind.PERSON else "leads:company"
    return reverse(name, args=[merge.survivor_key])
