"""Absences: one's own for everybody who owns leads, those of all for managers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel import access
from funnel.forms.routing import AbsenceFilter, AbsenceForm
from funnel.models import Absence
from funnel.selectors import absences as reads
from funnel.services import absences
from smarketing.core.errors import Conflict
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, lists, rendering
from smarketing.web.asks import Ask
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.tables import Column, TableSpec

LIST = "funnel:absences"
UNDO_WINDOW = timedelta(seconds=10)
REMOVED = "removed_absence"
ABSENCES = TableSpec(
    id="absences",
    caption=gettext_lazy("Absences"),
    default_sort="-from",
    columns=(
        Column("who", gettext_lazy("Who")),
        Column("from", gettext_lazy("From"), sort="starts_at"),
        Column("until", gettext_lazy("Until")),
        Column("state", gettext_lazy("State")),
        Column("note", gettext_lazy("Note")),
        Column("tools", gettext_lazy("Change")),
    ),
)


class UndoOver(Conflict):
    """What was removed can't be brought back any more."""

    code = "undo_not_possible"


@page(capability=Capability.VIEW)
def absence_list(request: Request) -> HttpResponse:
    """Who is away when: one's own, or everybody's for managers."""
    everybody = request.user.may(Capability.CHANGE_OWNER)
    words = (
        _("While somebody is away they get no leads. Add an absence, and leads go to the others.")
        if _may_add(request)
        else _("Nobody who owns leads is away as far as you may read.")
    )
    return lists.render(
        request,
        "funnel/absences.html",
        spec=ABSENCES,
        filterset=AbsenceFilter(request.GET, queryset=reads.visible_to(request.user), now=request.now),
        row="funnel/_absence_row.html",
        empty=Empty("plane", words),
        context={"may_add": _may_add(request), "everybody": everybody, "now": request.now},
    )


@page(capability=Capability.VIEW, methods=["GET", "POST"])
def absence_new(request: Request) -> HttpResponse:
    """Say that one is away; a manager says it of anybody."""
    everybody = request.user.may(Capability.CHANGE_OWNER)
    form = AbsenceForm(asks.given(request), viewer=request.user, may_choose=everybody, now=request.now)
    about = _("Times are on your wall clock (%(zone)s). New leads go to others meanwhile.")
    ask = Ask(
        _("Add an absence"),
        reverse("funnel:absence_new"),
        reverse(LIST),
        form,
        _("Add"),
        about % {"zone": request.user.time_zone},
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        user = given.pop("user", request.user)
        absences.add(user=user, **given, actor=request.user, now=request.now)
        return rendering.redirect(request, LIST, toast=Toast(_("Absence added."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=Capability.VIEW, methods=["GET", "POST"])
def absence_edit(request: Request, pk: int) -> HttpResponse:
    """Change when somebody is away."""
    absence = access.absence(request.user, pk)
    form = AbsenceForm(
        asks.given(request),
        viewer=request.user,
        may_choose=False,
        now=request.now,
        initial=AbsenceForm.initial_of(absence),
    )
    address = reverse("funnel:absence_edit", args=[pk])
    ask = Ask(_("Change the absence"), address, reverse(LIST), form, _("Save"), absence.user.name)

    def save(given: dict[str, Any]) -> HttpResponse:
        absences.change(absence=absence, **given, actor=request.user, now=request.now)
        return rendering.redirect(request, LIST, toast=Toast(_("Saved."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=Capability.VIEW, methods=["POST"])
def absence_end(request: Request, pk: int) -> HttpResponse:
    """They are back now."""
    absence = access.absence(request.user, pk)
    if reads.state_of(absence, now=request.now) != reads.RUNNING:
        raise UndoOver(_("This absence does not run at the moment."))
    absences.change(
        absence=absence,
        starts_at=absence.starts_at,
        ends_at=request.now,
        note=absence.note,
        actor=request.user,
        now=request.now,
    )
    return rendering.redirect(request, LIST, toast=Toast(_("Welcome back: leads come again."), "ok"))


@page(capability=Capability.VIEW, methods=["POST"])
def absence_remove(request: Request, pk: int) -> HttpResponse:
    """It was none, with Undo: what is removed stays in the session of who removed it for ten seconds."""
    absence = access.absence(request.user, pk)
    absences.remove(absence=absence, actor=request.user, now=request.now)
    request.session[REMOVED] = {"pk": pk, "at": request.now.isoformat(), **_as_json(absence)}
    undo = reverse("funnel:absence_restore", args=[pk])
    return rendering.redirect(request, LIST, toast=Toast(_("Absence removed."), "ok", undo))


@page(capability=Capability.VIEW, methods=["POST"])
def absence_restore(request: Request, pk: int) -> HttpResponse:
    """Bring back what was just removed; the service asks again who may."""
    told = request.session.pop(REMOVED, None)
    if told is None or told["pk"] != pk or request.now - datetime.fromisoformat(told["at"]) > UNDO_WINDOW:
        raise UndoOver(_("It can't be brought back any more. Add it anew."))
    absences.add(
        user=access.owner(request.user, told["user"]),
        starts_at=datetime.fromisoformat(told["starts_at"]),
        ends_at=datetime.fromisoformat(told["ends_at"]) if told["ends_at"] else None,
        note=told["note"],
        actor=request.user,
        now=request.now,
    )
    return rendering.redirect(request, LIST, toast=Toast(_("The absence is back."), "ok"))


def _may_add(request: Request) -> bool:
    """Whoever owns leads may be away; managers say it of others."""
    return request.user.may(Capability.ANSWER_OWN_HANDOFF) or request.user.may(Capability.CHANGE_OWNER)


def _as_json(absence: Absence) -> dict[str, Any]:
    return {
        "user": absence.user_id,
        "starts_at": absence.starts_at.isoformat(),
        "ends_at": absence.ends_at.isoformat() if absence.ends_at else "",
        "note": absence.note,
    }
