"""My queue: the rep's first page. Leads handed to me, by deadline, each with one-key actions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse, HttpResponseNotModified, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from funnel.models import Handoff
from funnel.selectors import definition_texts
from funnel.services import handoffs
from leads.models import Activity, ActivityKind
from leads.selectors import tasks
from leads.services import activities
from sla import access
from sla.forms.answers import ATTEMPTS, AnswerForm, AttemptForm, ReturnForm
from sla.selectors import queue
from sla.selectors import queue_cards as card_rows
from sla.selectors.queue import Queue
from smarketing.core.errors import DomainError, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

STEPS = 10


class NoSuchAttempt(Invalid):
    """The attempt that was logged is none we know."""


@page(capability=Capability.VIEW)
def queue_page(request: Request) -> HttpResponse:
    """The whole page."""
    context = {
        **_context(request),
        "qualified": definition_texts.tooltip(),
        "steps": steps_of(request),
        "may_log": request.user.may(Capability.LOG_ACTIVITY),
    }
    return rendering.page(request, "sla/queue.html", context)


@page(capability=Capability.VIEW)
def queue_cards(request: Request) -> HttpResponse:
    """The cards alone, for the live refresh; 304 while nothing has changed."""
    found = _look(request)
    etag = f'"{found.fingerprint}"'
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = rendering.fragment(request, "sla/_queue_cards.html", _shown(request, found))
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


@page(capability=Capability.VIEW)
def next_steps(request: Request) -> HttpResponse:
    """The next steps that are due today, for the refresh after one was done."""
    context = {"steps": steps_of(request), "may_log": request.user.may(Capability.LOG_ACTIVITY)}
    return rendering.fragment(request, "sla/_queue_steps.html", context)


@page(capability=Capability.ANSWER_OWN_HANDOFF, methods=["POST"])
def accept(request: Request, pk: int) -> HttpResponse:
    """Accept a lead with one key."""
    handoff = access.handoff_to_answer(request.user, pk)
    form = AnswerForm(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else None
    handoffs.accept(handoff=handoff, actor=request.user, now=request.now, expected_version=version)
    return changed(request, handoff, _("Accepted: %(lead)s"), undo_url=_undo_url(handoff))


@page(capability=Capability.ANSWER_OWN_HANDOFF, methods=["GET", "POST"])
def return_(request: Request, pk: int) -> HttpResponse:
    """The dialog that asks why, and the return itself."""
    handoff = access.handoff_to_answer(request.user, pk)
    if request.method == "GET":
        form = ReturnForm(initial={"version": handoff.version})
        return _return_dialog(request, handoff, form)
    form = ReturnForm(request.POST)
    if form.is_valid():
        try:
            handoffs.return_(
                handoff=handoff,
                reason=form.cleaned_data["reason"],
                note=form.cleaned_data["note"],
                actor=request.user,
                now=request.now,
                expected_version=form.cleaned_data["version"],
            )
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return changed(
                request, handoff, _("Returned to marketing: %(lead)s"), undo_url=_undo_url(handoff)
            )
    return _return_dialog(request, handoff, form, status=422)


@page(capability=Capability.ANSWER_OWN_HANDOFF, methods=["POST"])
def undo(request: Request, pk: int) -> HttpResponse:
    """Take the answer back within ten seconds."""
    handoff = access.handoff(request.user, pk)
    handoffs.undo(handoff=handoff, actor=request.user, now=request.now)
    return changed(request, handoff, _("Taken back: %(lead)s"))


@page(capability=Capability.LOG_ACTIVITY, methods=["POST"])
def log(request: Request, pk: int) -> HttpResponse:
    """Log a call, mail or meeting that has just been made; it stops the response clock."""
    handoff = access.handoff_to_work(request.user, pk)
    form = AttemptForm(request.POST)
    if not form.is_valid():
        raise NoSuchAttempt(_("Choose what you have done: a call, an e-mail or a meeting."))
    kind, outcome = ATTEMPTS[form.cleaned_data["attempt"]]
    activities.log(
        person=handoff.lead.person,
        lead=handoff.lead,
        kind=kind,
        outcome=outcome,
        occurred_at=request.now,
        actor=request.user,
        now=request.now,
    )
    label = ActivityKind(kind).label
    return changed(request, handoff, f"{label} · %(lead)s")


def steps_of(request: Request) -> list[Activity]:
    """The viewer's tasks that are due by the end of their day."""
    midnight = timezone.localtime(request.now).replace(hour=0, minute=0, second=0, microsecond=0)
    return list(tasks.due_before(request.user, until=midnight + timedelta(days=1))[:STEPS])


def _undo_url(handoff: Handoff) -> str:
    return reverse("sla:queue_undo", args=[handoff.pk])


def _context(request: Request) -> dict[str, Any]:
    return _shown(request, _look(request))


def _look(request: Request) -> Queue:
    """The page that is looked at: an action answers with the page it was taken on."""
    if request.method == "GET":
        after = request.GET.get("after", "")
    else:
        here = urlsplit(request.htmx.current_url or "") if request.htmx else None
        after = QueryDict(here.query).get("after", "") if here else ""
    return queue.look(request.user, now=request.now, after=str(after))


def _shown(request: Request, found: Queue) -> dict[str, Any]:
    ids = [*found.handoff_ids, *found.asleep_ids]
    worth = queue.worth_for_order(request.now)
    cards = card_rows.cards(ids, snoozes=found.snoozes, now=request.now, worth=worth)
    return {
        "queue": found,
        "cards": [card for card in cards if card.snooze is None],
        "asleep": [card for card in cards if card.snooze is not None],
    }


def changed(
    request: Request, handoff: Handoff, sentence: str, *, undo_url: str = "", trigger: str = ""
) -> HttpResponse:
    """The queue as it is now, with a toast; without htmx back to the page."""
    toast = Toast(sentence % {"lead": handoff.lead.person}, "ok", undo_url)
    if not request.htmx:
        return rendering.redirect(request, "sla:queue", toast=toast)
    return rendering.fragment(
        request, "sla/_queue_changed.html", _context(request), toast=toast, trigger=trigger
    )


def _return_dialog(
    request: Request, handoff: Handoff, form: ReturnForm, *, status: int = 200
) -> HttpResponse:
    context = {"handoff": handoff, "form": form}
    if not request.htmx:
        return rendering.page(request, "sla/return.html", context, status=status)
    return rendering.fragment(request, "sla/_return_dialog.html", context, status=status)
