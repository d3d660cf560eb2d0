"""Writing a mail from a person's page, and taking it back within ten seconds."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from leads import access
from leads.forms.mails import MailForm
from leads.models import ContactChannel, Person
from leads.selectors import consents
from leads.selectors import mails as reads
from leads.services import mails
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import panels, query, rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.LOG_ACTIVITY, methods=["GET", "POST"])
def compose(request: Request, pk: int) -> HttpResponse:
    """The form of a mail, filled by a template if one is chosen; sending it."""
    person = access.get_person(request.user, pk, capability=Capability.LOG_ACTIVITY)
    if request.method != "POST":
        return _show(request, person, *_begin(request, person))
    form = MailForm(request.POST, person=person)
    if not form.is_valid():
        return _show(request, person, form, [], status=422)
    reply = reads.last_reply(person)
    try:
        mail = mails.write(
            person=person,
            **form.cleaned_data,
            answers=reply.external_id or "" if reply else "",
            actor=request.user,
            now=request.now,
        )
    except DomainError as error:
        refusals.add_error(form, error)
        return _show(request, person, form, [], status=error.status)
    undo = reverse("leads:mail_take_back", args=[mail.pk])
    toast = Toast(_("The mail leaves in ten seconds."), "ok", undo)
    if not request.htmx:
        return rendering.redirect(request, reverse("leads:person", args=[pk]), toast=toast)
    context = {"person": person, "may_log": True}
    return rendering.fragment(request, "leads/_composer.html", context, toast=toast)


@page(capability=Capability.LOG_ACTIVITY, methods=["POST"])
def take_back(request: Request, pk: int) -> HttpResponse:
    """Stop a mail that has not left."""
    mail = access.get_mail(request.user, pk, capability=Capability.LOG_ACTIVITY)
    mails.take_back(mail=mail, actor=request.user, now=request.now)
    return rendering.toast_only(request, Toast(_("The mail was not sent."), "ok"))


def _begin(request: Request, person: Person) -> tuple[MailForm, list[str]]:
    """An empty form, or one that a template or the person's last reply has filled."""
    pk = query.key(request.GET.get("template", ""))
    template = reads.usable_templates().filter(pk=pk).first() if pk is not None else None
    if template is not None:
        subject, body, blank = reads.filled(template, person, request.user)
        return MailForm(person=person, initial={"subject": subject, "body": body}), blank
    reply = reads.last_reply(person)
    subject = reply.subject if reply else ""
    if subject and not subject.lower().startswith("re:"):
        subject = f"Re: {subject}"
    return MailForm(person=person, initial={"subject": subject}), []


def _show(
    request: Request, person: Person, form: MailForm, blank: list[str], *, status: int = 200
) -> HttpResponse:
    verdict = consents.may_contact(person, channel=ContactChannel.EMAIL)
    context: dict[str, Any] = {
        "person": person,
        "may_log": True,
        "mail_form": form,
        "templates": list(reads.usable_templates()[:100]),
        "chosen": request.GET.get("template", ""),
        "blank": blank,
        "refusal": "" if verdict.allowed else verdict.reason,
        "holds": panels.build("person.contact", person, viewer=request.user, now=request.now),
    }
    if request.htmx:
        return rendering.fragment(request, "leads/_composer.html", context, status=status)
    return rendering.page(request, "leads/mail_new.html", context, status=status)
