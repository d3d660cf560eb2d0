"""The meetings of the two teams: what the promised cadence counts."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import FilterSet

from sla import access
from sla.forms.meetings import MeetingForm, VoidForm
from sla.selectors import meetings as reads
from sla.services import meetings
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, lists
from smarketing.web.asks import Ask
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast, redirect
from smarketing.web.tables import Column, TableSpec

MEETINGS = TableSpec(
    id="meetings",
    caption=gettext_lazy("Meetings of the two teams"),
    default_sort="-held",
    columns=(
        Column("held", gettext_lazy("Held"), sort="held_at"),
        Column("attendees", gettext_lazy("Who was there")),
        Column("note", gettext_lazy("What was decided")),
        Column("by", gettext_lazy("Entered by")),
        Column("tools", gettext_lazy("Change"), label_hidden=True),
    ),
)
LIST = "sla:meetings"


class _All(FilterSet):
    """No filter: there are few."""


@page(capability=Capability.VIEW)
def meeting_list(request: Request) -> HttpResponse:
    """All meetings, also those taken back, the latest first."""
    return lists.render(
        request,
        "sla/meetings.html",
        spec=MEETINGS,
        filterset=_All(request.GET, queryset=reads.visible_to(request.user)),
        row="sla/_meeting_row.html",
        empty=Empty(
            "users", _("Enter the meetings of marketing and sales here: their cadence is a promise.")
        ),
        context={"may_log": request.user.may(Capability.LOG_ACTIVITY)},
    )


@page(capability=Capability.LOG_ACTIVITY, methods=["GET", "POST"])
def meeting_new(request: Request) -> HttpResponse:
    """Enter a meeting that was held."""
    form = MeetingForm(
        asks.given(request), initial={"held_at": timezone.localtime(request.now), "attendees": [request.user]}
    )
    ask = Ask(_("Enter a meeting"), reverse("sla:meeting_new"), reverse(LIST), form, _("Enter the meeting"))

    def save(given: dict[str, Any]) -> HttpResponse:
        attendees = list(given.pop("attendees"))
        meetings.log(**given, attendees=attendees, actor=request.user, now=request.now)
        return redirect(request, LIST, toast=Toast(_("Entered."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=Capability.LOG_ACTIVITY, methods=["GET", "POST"])
def meeting_void(request: Request, pk: int) -> HttpResponse:
    """Take an entry back, and say why."""
    meeting = access.meeting(request.user, pk)
    ask = Ask(
        _("Take this meeting back?"),
        reverse("sla:meeting_void", args=[pk]),
        reverse(LIST),
        VoidForm(asks.given(request)),
        _("Take it back"),
        about=_("It counts no more and stays in the list with your reason."),
        danger=True,
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        meetings.void(meeting=meeting, reason=given["reason"], actor=request.user, now=request.now)
        return redirect(request, LIST, toast=Toast(_("Taken back."), "ok"))

    return asks.answer(request, ask, save)
