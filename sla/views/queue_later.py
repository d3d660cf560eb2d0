"""What comes later with a lead of the queue: setting it aside, taking it up again, the next step."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from leads.services import activities
from sla import access
from sla.forms.answers import NextStepForm, SnoozeForm
from sla.services import snoozes
from sla.views import queue
from smarketing.users.domain.roles import Capability
from smarketing.web import asks
from smarketing.web.asks import Ask
from smarketing.web.pages import Request, page


@page(capability=Capability.ANSWER_OWN_HANDOFF, methods=["GET", "POST"])
def snooze(request: Request, pk: int) -> HttpResponse:
    """Ask until when and why, and set the lead aside; its clock goes on."""
    handoff = access.handoff_to_work(request.user, pk)
    ask = Ask(
        title=_("Set %(lead)s aside") % {"lead": handoff.lead.person},
        url=reverse("sla:queue_snooze", args=[pk]),
        back=reverse("sla:queue"),
        form=SnoozeForm(asks.given(request), now=request.now),
        submit=_("Set aside"),
        closes=True,
        about=_("No clock stops: the lead stands below the others and comes back when its deadline passes."),
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        snoozes.snooze(
            handoff=handoff, until=given["until"], reason=given["reason"], actor=request.user, now=request.now
        )
        return queue.changed(
            request, handoff, _("Set aside: %(lead)s"), undo_url=reverse("sla:queue_wake", args=[pk])
        )

    return asks.answer(request, ask, save)


@page(capability=Capability.ANSWER_OWN_HANDOFF, methods=["POST"])
def wake(request: Request, pk: int) -> HttpResponse:
    """Take a lead up again."""
    handoff = access.handoff_to_work(request.user, pk)
    snoozes.wake(handoff=handoff, actor=request.user, now=request.now)
    return queue.changed(request, handoff, _("Back in the queue: %(lead)s"))


@page(capability=Capability.LOG_ACTIVITY, methods=["GET", "POST"])
def next_step(request: Request, pk: int) -> HttpResponse:
    """Ask what comes next and when; one is reminded of it then."""
    handoff = access.handoff_to_work(request.user, pk)
    ask = Ask(
        title=_("Next step with %(lead)s") % {"lead": handoff.lead.person},
        url=reverse("sla:queue_next_step", args=[pk]),
        back=reverse("sla:queue"),
        form=NextStepForm(asks.given(request), now=request.now),
        submit=_("Remind me"),
        closes=True,
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        activities.add_task(
            person=handoff.lead.person,
            lead=handoff.lead,
            subject=given["subject"],
            due_at=given["until"],
            owner=request.user,
            actor=request.user,
            now=request.now,
        )
        return queue.changed(request, handoff, _("Next step planned: %(lead)s"), trigger="record-changed")

    return asks.answer(request, ask, save)
