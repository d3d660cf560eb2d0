"""The builder: what a form asks, moved and changed in place, with a preview beside it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from leads import access
from leads.domain import form_layouts
from leads.forms import form_builder
from leads.forms.form_builder import Draft
from leads.models import Form
from leads.selectors import consents
from leads.selectors import forms as reads
from leads.services import forms
from leads.views import form_fields, form_targets
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.EDIT_FORMS, methods=["GET", "POST"])
def edit(request: Request, pk: int) -> HttpResponse:
    """The draft. Its buttons move rows (htmx), ``save`` keeps it and ``publish`` shows it to the world."""
    form = access.get_form(request.user, pk, capability=Capability.EDIT_FORMS)
    version = reads.draft(form) or reads.published(form)
    if request.method != "POST":
        draft = form_builder.of_layout(reads.layout_of(version))
        return _show(request, form, draft)
    draft = form_builder.of_post(request.POST)
    if request.POST.get("do") not in ("save", "publish"):
        return _show(request, form, draft, focus=form_builder.focus(draft, request.POST.get("do", "")))
    return _keep(request, form, draft)


@page(capability=Capability.EDIT_FORMS, methods=["POST"])
def preview(request: Request, pk: int) -> HttpResponse:
    """How the draft would look, and what is still wrong with it; nothing is kept."""
    form = access.get_form(request.user, pk, capability=Capability.EDIT_FORMS)
    context = _context(form, form_builder.of_post(request.POST))
    return rendering.fragment(request, "leads/_form_preview.html", context)


def _keep(request: Request, form: Form, draft: Draft) -> HttpResponse:
    seen = request.POST.get("version", "")
    present = reads.draft(form)
    expected = int(seen) if present is not None and seen.isascii() and seen.isdigit() else None
    try:
        kept = forms.save_draft(
            form=form, layout=draft.layout, expected_version=expected, actor=request.user, now=request.now
        )
        text = _("Draft saved. What is published has not changed.")
        if request.POST.get("do") == "publish":
            kept = forms.publish(form=form, actor=request.user, now=request.now)
            text = _("Version %(n)d is published.") % {"n": kept.number}
    except DomainError as error:
        return _show(request, form, draft, refusal=error.detail, status=error.status)
    address = reverse("leads:form_show", args=[form.pk])
    return rendering.redirect(request, address, toast=Toast(text, "ok"))


def _show(
    request: Request, form: Form, draft: Draft, *, refusal: str = "", focus: str = "", status: int = 200
) -> HttpResponse:
    context = _context(form, draft) | {"refusal": refusal, "focus": focus}
    parts = {"form-builder": "leads/_form_builder.html"}
    return rendering.page(request, "leads/form_edit.html", context, fragments=parts, status=status)


def _context(form: Form, draft: Draft) -> dict[str, Any]:
    around = reads.around(form)
    wrong: dict[str, str] = {}
    for fault in form_layouts.faults(draft.layout, around):
        section, _sep, rest = fault.path.partition(".")
        place, _sep, part = rest.partition(".")
        rows = {"fields": draft.fields, "consents": draft.consents}.get(section, [])
        name = f"{rows[int(place)].key}-{part}" if part else section
        wrong.setdefault(name, forms.sentence(fault=fault))
    stored = reads.draft(form)
    return {
        "form": form,
        "draft": draft,
        "layout": draft.layout,
        "rows": form_targets.rows(draft.fields, around, wrong),
        "consent_rows": form_targets.consent_rows(draft.consents, wrong),
        "wrong": wrong,
        "targets": form_targets.choices(),
        "purposes": consents.asked_for(),
        "version": stored.version if stored else "",
        "questions": form_fields.questions(draft.layout, {}, {}, (), around.attributes),
        "boxes": form_fields.consents(draft.layout, {}, {}),
    }
