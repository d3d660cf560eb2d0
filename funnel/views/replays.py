"""What a version of the definition would have done to past leads, before anybody signs it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel import access
from funnel.forms.replays import ReplayForm
from funnel.models import Replay, ReplayState
from funnel.selectors import replays as told
from funnel.services import replays
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.users.selectors import organisation
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.VIEW, methods=["GET", "POST"])
def replay_list(request: Request) -> HttpResponse:
    """Ask for a replay; the latest ones."""
    zone = organisation.zone()
    may_see_drafts = request.user.may(Capability.EDIT_DEFINITION)
    if request.method == "POST":
        form = ReplayForm(request.POST, may_see_drafts=may_see_drafts)
        if form.is_valid():
            start, end = form.period(zone=zone)
            try:
                replay = replays.ask(
                    versions=list(form.cleaned_data["versions"]),
                    start=start,
                    end=end,
                    actor=request.user,
                    now=request.now,
                )
            except DomainError as error:
                refusals.add_error(form, error)
            else:
                return rendering.redirect(request, reverse("funnel:replay", args=[replay.pk]))
    else:
        initial = ReplayForm.suggested(now=request.now, zone=zone)
        form = ReplayForm(initial=initial, may_see_drafts=may_see_drafts)
    context = {"form": form, "replays": told.newest(request.user)}
    status = 422 if form.errors else 200
    return rendering.page(request, "funnel/replays.html", context, status=status)


@page(capability=Capability.VIEW)
def replay_page(request: Request, pk: int) -> HttpResponse:
    """One replay: its progress, then the versions side by side."""
    replay = access.replay(request.user, pk)
    context = {"replay": replay, **_shown(replay)}
    return rendering.page(
        request, "funnel/replay.html", context, fragments={"replay-body": "funnel/_replay_body.html"}
    )


@page(capability=Capability.EDIT_DEFINITION, methods=["POST"])
def replay_again(request: Request, pk: int) -> HttpResponse:
    """Compute the same versions and period anew, with what is known now."""
    replay = access.replay(request.user, pk, capability=Capability.EDIT_DEFINITION)
    again = replays.ask_again(replay=replay, actor=request.user, now=request.now)
    toast = Toast(_("The replay begins in a moment."), "ok")
    return rendering.redirect(request, reverse("funnel:replay", args=[again.pk]), toast=toast)


def _shown(replay: Replay) -> dict[str, Any]:
    if replay.state != ReplayState.DONE:
        return {"is_running": replay.state in (ReplayState.WAITING, ReplayState.RUNNING)}
    return {"is_running": False, "columns": told.columns(replay)}
