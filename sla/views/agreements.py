"""Our promise: what both sides agreed, who signed, how it is kept, and the next version in the making."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from sla import access
from sla.domain.metrics import METRICS
from sla.forms.agreements import CommentForm, EffectiveForm
from sla.forms.clauses import AddClauseForm, ClauseFormSet, initial, refuse
from sla.models import AgreementState, AgreementVersion
from sla.selectors import agreement_changes, commitment_rows, commitments, glossary, prose
from sla.selectors import agreements as read
from sla.services import agreements
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering, signing
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.VIEW)
def agreement(request: Request) -> HttpResponse:
    """What is in force and how each promise stands in its period; what is proposed; all versions."""
    text = read.in_force()
    told = commitments.lines(now=request.now) if text is not None else []
    rows = commitment_rows.rows(told, now=request.now)
    context = {
        "text": text,
        "next": _visible(read.in_progress(), request),
        "versions": [v for v in read.versions() if _may_see(v, request)],
        "kept": {line.clause.pk: row for line, row in zip(told, rows, strict=True)},
        "glossary": glossary.in_force(),
        **_may(request, text),
    }
    return rendering.page(request, "sla/agreement.html", context)


@page(capability=Capability.VIEW)
def version(request: Request, number: int) -> HttpResponse:
    """One version as it was or is to be signed, what it changes, and what was said about it."""
    return show_version(request, access.agreement_version(request.user, number))


def show_version(
    request: Request,
    found: AgreementVersion,
    *,
    form: CommentForm | None = None,
    day: EffectiveForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of a version; ``form`` and ``day`` are given back when they could not be taken."""
    text = read.text_of(found)
    former = agreement_changes.former_of(found)
    context = {
        "text": text,
        "former": former,
        "changes": agreement_changes.changes(found, former) if former else [],
        "annex_changes": agreement_changes.annex_changes(found, former) if former else [],
        "comments": agreement_changes.named_comments(found),
        "comment_form": form or CommentForm(clauses=clause_choices(found)),
        "effective_form": day or EffectiveForm(initial={"effective_on": found.effective_on}),
        "is_open": found.state in read.OPEN_STATES,
        **_may(request, text),
    }
    return rendering.page(request, "sla/agreement_version.html", context, status=status)


def clause_choices(found: AgreementVersion) -> list[tuple[int, str]]:
    """The clauses of a version for a select."""
    return [
        (clause.position, f"{clause.position}. {prose.name(clause.metric)}") for clause in found.clauses.all()
    ]


@page(capability=Capability.EDIT_AGREEMENT, methods=["POST"])
def draft(request: Request) -> HttpResponse:
    """Start the next version from what is in force."""
    made = agreements.draft(actor=request.user, now=request.now)
    return rendering.redirect(request, reverse("sla:agreement_edit", args=[made.number]))


@page(capability=Capability.EDIT_AGREEMENT, methods=["GET", "POST"])
def edit(request: Request, number: int) -> HttpResponse:
    """Change the clauses of a draft or proposal; that clears its signatures."""
    found = access.agreement_version(request.user, number)
    if found.state not in read.OPEN_STATES:
        raise agreements.NotEditable(_("What is in force is not edited. Draft a new version."))
    if request.method == "GET":
        formset = ClauseFormSet(initial=initial(read.specs_of(found)), prefix="clauses")
        return _form(request, found, formset)
    formset = ClauseFormSet(request.POST, prefix="clauses")
    if formset.is_valid() and "add" not in request.POST:
        kept = [form.document() for form in formset.forms if form not in formset.deleted_forms]
        seen = request.POST.get("version", "")
        try:
            agreements.update(
                version=found,
                clauses=kept,
                actor=request.user,
                now=request.now,
                expected_version=int(seen) if seen.isdecimal() and len(seen) < 10 else None,
            )
        except DomainError as error:
            refuse(formset, error)
        else:
            to = reverse("sla:agreement_version", args=[number])
            return rendering.redirect(request, to, toast=Toast(_("Saved."), "ok"))
    if "add" in request.POST:
        return _form(request, found, _one_more(request))
    return _form(request, found, formset, status=422)


@page(capability=Capability.EDIT_AGREEMENT, methods=["POST"])
def propose(request: Request, number: int) -> HttpResponse:
    """Ask both sides to sign."""
    found = access.agreement_version(request.user, number)
    agreements.propose(version=found, actor=request.user, now=request.now)
    toast = Toast(_("Proposed. Each side can sign now."), "ok")
    return rendering.redirect(request, reverse("sla:agreement_version", args=[number]), toast=toast)


@page(capability=Capability.EDIT_AGREEMENT, methods=["POST"])
def discard(request: Request, number: int) -> HttpResponse:
    """Throw a draft or proposal away."""
    found = access.agreement_version(request.user, number)
    agreements.discard(version=found, actor=request.user, now=request.now)
    return rendering.redirect(request, "sla:agreement", toast=Toast(_("Discarded."), "ok"))


@page(capability=Capability.VIEW, methods=["GET", "POST"])
@reauthentication_required(enabled=signing.without_password)  # type: ignore[untyped-decorator]
def sign(request: Request, number: int) -> HttpResponse:
    """Read the text again, say again who you are, sign."""
    found = access.agreement_version(request.user, number)
    if agreements.side_of(signer=request.user) is None:
        raise agreements.NotASigner(_("Only the managers of marketing and sales sign."))
    form = signing.form_for(request, found.digest)
    if request.method == "POST" and form.is_valid() and signing.is_who_they_say(request, form):
        try:
            agreements.sign(
                version=found, digest=form.cleaned_data["digest"], signer=request.user, now=request.now
            )
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            toast = Toast(_("Signed."), "ok")
            return rendering.redirect(request, "sla:agreement", toast=toast)
    status = 422 if form.errors else 200
    context = {"text": read.text_of(found), "form": form}
    return rendering.page(request, "sla/agreement_sign.html", context, status=status)


def _one_more(request: Request) -> Any:
    """The forms as they were sent, with one more clause of the metric that was chosen."""
    data = request.POST.copy()
    count = min(int(data.get("clauses-TOTAL_FORMS") or 0), 39)
    metric = (
        METRICS.get(data.get("add_metric", "")) or METRICS[data.get("clauses-0-metric", "first_response")]
    )
    data[f"clauses-{count}-metric"] = metric.key
    for name in ("unit", "calendar"):
        data.setdefault(f"clauses-{count}-{name}", data.get(f"clauses-0-{name}", ""))
    for term in metric.terms:
        if term.default is not None:
            data[f"clauses-{count}-{term.key}"] = str(term.default)
    data["clauses-TOTAL_FORMS"] = str(count + 1)
    return ClauseFormSet(data, prefix="clauses")


def _form(request: Request, found: AgreementVersion, formset: Any, *, status: int = 200) -> HttpResponse:
    context = {"version": found, "formset": formset, "add_form": AddClauseForm()}
    return rendering.page(request, "sla/agreement_edit.html", context, status=status)


def _may(request: Request, text: read.VersionText | None) -> dict[str, Any]:
    side = agreements.side_of(signer=request.user)
    signable = text is not None and text.version.state in (AgreementState.PROPOSED, AgreementState.IN_FORCE)
    return {
        "may_edit": request.user.may(Capability.EDIT_AGREEMENT),
        "may_comment": request.user.may(Capability.LOG_ACTIVITY),
        "may_sign": bool(signable and text and side and text.side(side).signature is None),
    }


def _visible(text: read.VersionText | None, request: Request) -> read.VersionText | None:
    return text if text is not None and _may_see(text.version, request) else None


def _may_see(found: AgreementVersion, request: Request) -> bool:
    return found.state != AgreementState.DRAFT or request.user.may(Capability.EDIT_AGREEMENT)
