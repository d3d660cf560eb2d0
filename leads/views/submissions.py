"""Answers to forms: raw as they came, what became of each, and the decision about doubtful ones."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads import access
from leads.forms.filters import SubmissionFilter
from leads.models import FormSubmission, SubmissionState
from leads.selectors import submissions as reads
from leads.services import submissions
from smarketing.users.domain.roles import Capability
from smarketing.web import lists, rendering
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.tables import Column, TableSpec

SUBMISSIONS = TableSpec(
    id="answers",
    caption=gettext_lazy("Answers"),
    default_sort="-received",
    columns=(
        Column("who", gettext_lazy("Who")),
        Column("form", gettext_lazy("Form")),
        Column("state", gettext_lazy("What became of it")),
        Column("road", gettext_lazy("Road")),
        Column("received", gettext_lazy("Received"), sort="received_at"),
        Column("tools", gettext_lazy("Decide"), label_hidden=True),
    ),
)
REASONS = {
    "trap": gettext_lazy("Filled in what only programs see"),
    "too_fast": gettext_lazy("Faster than a person types"),
    "repeated": gettext_lazy("The same words again and again"),
    "links": gettext_lazy("Many links"),
    "invalid": gettext_lazy("Something in it can't be used"),
}


@page(capability=Capability.VIEW)
def answer_list(request: Request) -> HttpResponse:
    """All answers; the quarantine is the filter ``state=quarantined``."""
    return lists.render(
        request,
        "leads/submissions.html",
        spec=SUBMISSIONS,
        filterset=SubmissionFilter(request.GET, queryset=reads.listed(request.user)),
        row="leads/_submission_row.html",
        empty=Empty(
            "inbox", _("Nobody has answered a form yet."), _("See the forms"), reverse("leads:forms")
        ),
        context={"may_decide": request.user.may(Capability.EDIT_FORMS), "reasons": REASONS},
        dress=lambda rows: [_dressed(row) for row in rows],
    )


@page(capability=Capability.VIEW)
def answer(request: Request, pk: int) -> HttpResponse:
    """One answer, raw, with what became of it."""
    submission = access.get_submission(request.user, pk)
    context = {
        "row": _dressed(submission),
        "fields": [(name, ", ".join(texts)) for name, texts in submission.raw.get("fields", {}).items()],
        "may_decide": request.user.may(Capability.EDIT_FORMS),
    }
    return rendering.page(request, "leads/submission.html", context)


@page(capability=Capability.EDIT_FORMS, methods=["POST"])
def release(request: Request, pk: int) -> HttpResponse:
    """It is genuine: make it a lead."""
    found = access.get_submission(request.user, pk, capability=Capability.EDIT_FORMS)
    done = submissions.release(submission=found, actor=request.user, now=request.now)
    if done.state == SubmissionState.FAILED:
        toast = Toast(_("It can't be used: %(why)s") % {"why": done.reason}, "bad")
    else:
        toast = Toast(_("Released: it is a lead now."), "ok")
    return _back(request, toast)


@page(capability=Capability.EDIT_FORMS, methods=["POST"])
def discard(request: Request, pk: int) -> HttpResponse:
    """It is spam."""
    found = access.get_submission(request.user, pk, capability=Capability.EDIT_FORMS)
    submissions.discard(submission=found, actor=request.user, now=request.now)
    undo = reverse("leads:answer_restore", args=[found.pk])
    return _back(request, Toast(_("Discarded."), "ok", undo_url=undo))


@page(capability=Capability.EDIT_FORMS, methods=["POST"])
def restore(request: Request, pk: int) -> HttpResponse:
    """Take the discarding back."""
    found = access.get_submission(request.user, pk, capability=Capability.EDIT_FORMS)
    submissions.restore(submission=found, actor=request.user, now=request.now)
    return _back(request, Toast(_("Back in quarantine."), "ok"))


def _back(request: Request, toast: Toast) -> HttpResponse:
    here = request.htmx.current_url_abs_path if request.htmx else None
    return rendering.redirect(request, here or f"{reverse('leads:answers')}?state=quarantined", toast=toast)


def _dressed(row: FormSubmission) -> FormSubmission:
    """With a name to show and the reason in words."""
    fields = row.raw.get("fields", {})
    texts = [texts[0] for texts in fields.values() if texts and texts[0]]
    address = next((text for text in texts if "@" in text), texts[0] if texts else "")
    name = row.person.name if row.person else ""
    row.who = name or address[:120] or _("Nothing was filled in")  # type: ignore[attr-defined]
    row.why = REASONS.get(row.reason, row.reason)  # type: ignore[attr-defined]
    row.open = row.state in (SubmissionState.QUARANTINED, SubmissionState.FAILED)  # type: ignore[attr-defined]
    return row
