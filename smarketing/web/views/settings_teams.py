"""Teams of the two sides: who is in them and who leads them."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from smarketing.users.domain.roles import Capability
from smarketing.users.models import Team, User
from smarketing.users.selectors import users as reads
from smarketing.users.services import teams
from smarketing.web import asks, rendering
from smarketing.web.asks import Ask
from smarketing.web.forms.people import MemberForm, TeamForm
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

LIST = "web:teams"


@page(capability=Capability.VIEW)
def team_list(request: Request) -> HttpResponse:
    """Each team with its members."""
    context = {
        "teams": reads.teams_listed(request.user),
        "may_manage": request.user.may(Capability.MANAGE_USERS),
    }
    return rendering.page(request, "settings/teams.html", context)


@page(capability=Capability.MANAGE_USERS, methods=["GET", "POST"])
def team_new(request: Request) -> HttpResponse:
    """Make a team."""
    form = TeamForm(asks.given(request))
    ask = Ask(_("New team"), reverse("web:team_new"), reverse(LIST), form, _("Add the team"))

    def save(given: dict[str, Any]) -> HttpResponse:
        teams.create(**given, actor=request.user, now=request.now)
        return rendering.redirect(request, LIST, toast=Toast(_("Team added."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=Capability.MANAGE_USERS, methods=["GET", "POST"])
def member_add(request: Request, pk: int) -> HttpResponse:
    """Put a colleague into a team."""
    team = _team(request, pk)
    form = MemberForm(asks.given(request), actor=request.user, team=team)
    title = _("Add to %(team)s") % {"team": team.name}
    ask = Ask(title, reverse("web:member_add", args=[pk]), reverse(LIST), form, _("Add to the team"))

    def save(given: dict[str, Any]) -> HttpResponse:
        teams.add_member(team=team, **given, actor=request.user, now=request.now)
        text = _("%(name)s joined %(team)s.") % {"name": given["user"].name, "team": team.name}
        return rendering.redirect(request, LIST, toast=Toast(text, "ok"))

    return asks.answer(request, ask, save)


@page(capability=Capability.MANAGE_USERS, methods=["POST"])
def member_lead(request: Request, pk: int, user_pk: int) -> HttpResponse:
    """Make a member lead of the team (``lead=1``), or no longer."""
    team, user = _team(request, pk), _member(request, pk, user_pk)
    is_lead = request.POST.get("lead") == "1"
    teams.add_member(team=team, user=user, is_lead=is_lead, actor=request.user, now=request.now)
    words = _("%(name)s leads %(team)s.") if is_lead else _("%(name)s no longer leads %(team)s.")
    toast = Toast(words % {"name": user.name, "team": team.name}, "ok")
    return rendering.redirect(request, LIST, toast=toast)


@page(capability=Capability.MANAGE_USERS, methods=["POST"])
def member_remove(request: Request, pk: int, user_pk: int) -> HttpResponse:
    """Take a member out of the team, with Undo."""
    team, user = _team(request, pk), _member(request, pk, user_pk)
    teams.remove_member(team=team, user=user, actor=request.user, now=request.now)
    toast = Toast(
        _("%(name)s left %(team)s.") % {"name": user.name, "team": team.name},
        "ok",
        reverse("web:member_back", args=[pk, user_pk]),
    )
    return rendering.redirect(request, LIST, toast=toast)


@page(capability=Capability.MANAGE_USERS, methods=["POST"])
def member_back(request: Request, pk: int, user_pk: int) -> HttpResponse:
    """Put somebody back who was taken out."""
    team = _team(request, pk)
    user = get_object_or_404(reads.visible_to(request.user), pk=user_pk)
    teams.add_member(team=team, user=user, actor=request.user, now=request.now)
    text = _("%(name)s joined %(team)s.") % {"name": user.name, "team": team.name}
    return rendering.redirect(request, LIST, toast=Toast(text, "ok"))


def _team(request: Request, pk: int) -> Team:
    return get_object_or_404(reads.teams_visible_to(request.user), pk=pk)


def _member(request: Request, pk: int, user_pk: int) -> User:
    return get_object_or_404(reads.visible_to(request.user), pk=user_pk, memberships__team_id=pk)
