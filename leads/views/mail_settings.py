"""Settings of mail: templates, and the inbox that replies come in by."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from leads import access
from leads.forms.mails import InboxForm, TemplateForm
from leads.selectors import mails as reads
from leads.services import inbound_mails, mail_templates
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, rendering
from smarketing.web.asks import Ask, Secret
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast, redirect

PAGE = "leads:mail_settings"


@page(capability=Capability.VIEW)
def overview(request: Request) -> HttpResponse:
    """Templates, and where replies come in."""
    context = {
        "templates": list(reads.templates(request.user)),
        "inbox": reads.inbox(),
        "may_write": request.user.may(mail_templates.MAY),
        "may_open": request.user.may(Capability.MANAGE_KEYS),
    }
    return rendering.page(request, "leads/mail_settings.html", context)


@page(capability=mail_templates.MAY, methods=["GET", "POST"])
def template_new(request: Request) -> HttpResponse:
    """Write a template."""
    ask = Ask(
        _("New template"),
        reverse("leads:mail_template_new"),
        reverse(PAGE),
        TemplateForm(asks.given(request)),
        _("Add the template"),
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        given.pop("version")
        mail_templates.write(**given, actor=request.user, now=request.now)
        return redirect(request, PAGE, toast=Toast(_("Template added."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=mail_templates.MAY, methods=["GET", "POST"])
def template_edit(request: Request, pk: int) -> HttpResponse:
    """Change a template, or put it out of use."""
    known = access.get_mail_template(request.user, pk)
    initial = {name: getattr(known, name) for name in ("name", "subject", "body", "is_active", "version")}
    ask = Ask(
        _("Edit %(name)s") % {"name": known.name},
        reverse("leads:mail_template_edit", args=[pk]),
        reverse(PAGE),
        TemplateForm(asks.given(request), initial=initial),
        _("Save"),
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        version = given.pop("version")
        mail_templates.write(
            template=known, **given, expected_version=version, actor=request.user, now=request.now
        )
        return redirect(request, PAGE, toast=Toast(_("Saved."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=Capability.MANAGE_KEYS, methods=["GET", "POST"])
def inbox_open(request: Request) -> HttpResponse:
    """Name the address for replies; the secret at which a mail service posts them is shown once."""
    known = reads.inbox()
    ask = Ask(
        _("Take replies"),
        reverse("leads:mail_inbox_open"),
        reverse(PAGE),
        InboxForm(asks.given(request), initial={"address": known.address if known else ""}),
        _("Make the address"),
        about=_("Replies to mails that are written here stand on the timeline of the person."),
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        issued = inbound_mails.open_inbox(address=given["address"], actor=request.user, now=request.now)
        path = reverse("leads:mail_in", args=[issued.token])
        secret = Secret(
            _("Where your mail service posts"),
            _("Address"),
            f"{settings.SITE_URL.rstrip('/')}{path}",
            _("Copy it into your mail service now; it is shown this once. One made before no longer works."),
            reverse(PAGE),
        )
        return asks.show_once(request, secret)

    return asks.answer(request, ask, save)


@page(capability=Capability.MANAGE_KEYS, methods=["POST"])
def inbox_close(request: Request) -> HttpResponse:
    """Take no replies any more."""
    inbound_mails.close_inbox(actor=request.user, now=request.now)
    return redirect(request, PAGE, toast=Toast(_("Replies no longer come in here."), "ok"))
