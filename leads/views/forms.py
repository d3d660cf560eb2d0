"""Forms: the list with what each brings, and the page of one."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads import access
from leads.forms import form_settings
from leads.forms.filters import FormFilter
from leads.forms.form_settings import FormSettings, NewFormSettings
from leads.models import Form
from leads.selectors import forms as reads
from leads.services import forms
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import lists, rendering
from smarketing.web.forms import refusals
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.tables import Column, TableSpec

FORMS = TableSpec(
    id="forms",
    caption=gettext_lazy("Forms"),
    default_sort="name",
    columns=(
        Column("name", gettext_lazy("Form"), sort="name"),
        Column("campaign", gettext_lazy("Campaign")),
        Column("version", gettext_lazy("Published")),
        Column("views", gettext_lazy("Views"), numeric=True),
        Column("answers", gettext_lazy("Answers"), numeric=True),
        Column("rate", gettext_lazy("Became leads"), numeric=True),
        Column("waiting", gettext_lazy("In quarantine"), numeric=True),
    ),
)


@page(capability=Capability.VIEW)
def form_list(request: Request) -> HttpResponse:
    """All forms with views, answers and how many of who saw them became leads."""
    may_edit = request.user.may(Capability.EDIT_FORMS)
    empty = Empty(
        "clipboard-list",
        _("A form on your website, a page of ours or another system's forms become leads here."),
        _("Make a form") if may_edit else "",
        reverse("leads:form_new") if may_edit else "",
    )
    return lists.render(
        request,
        "leads/forms.html",
        spec=FORMS,
        filterset=FormFilter(request.GET, queryset=reads.listed(request.user)),
        row="leads/_form_row.html",
        empty=empty,
        context={"may_edit": may_edit},
    )


@page(capability=Capability.VIEW)
def form_show(request: Request, pk: int) -> HttpResponse:
    """One form: its figures, how to put it on a website, its versions."""
    form = access.get_form(request.user, pk)
    published = reads.published(form)
    context = {
        "form": form,
        "counts": reads.counts(form),
        "published": published,
        "draft": reads.draft(form),
        "versions": reads.versions(form),
        "may_edit": request.user.may(Capability.EDIT_FORMS),
        **_snippets(form),
    }
    return rendering.page(request, "leads/form.html", context)


@page(capability=Capability.EDIT_FORMS, methods=["GET", "POST"])
def form_new(request: Request) -> HttpResponse:
    """Name it; fields follow in the builder."""
    given = NewFormSettings(request.POST if request.method == "POST" else None, viewer=request.user)
    if given.is_valid():
        try:
            form = forms.create(**given.values(), actor=request.user, now=request.now)
        except DomainError as error:
            refusals.add_error(given, error)
        else:
            toast = Toast(_("Made. Choose what it asks, then publish it."), "ok")
            return rendering.redirect(request, reverse("leads:form_edit", args=[form.pk]), toast=toast)
    context = {"form": given, "heading": _("New form"), "submit": _("Go on to its fields")}
    return rendering.page(request, "leads/form_settings.html", context, status=422 if given.errors else 200)


@page(capability=Capability.EDIT_FORMS, methods=["GET", "POST"])
def form_settings_page(request: Request, pk: int) -> HttpResponse:
    """Where it may stand, whom it tells, what its leads belong to."""
    form = access.get_form(request.user, pk, capability=Capability.EDIT_FORMS)
    posted = request.POST if request.method == "POST" else None
    given = FormSettings(posted, viewer=request.user, initial=form_settings.initial(form))
    if given.is_valid():
        try:
            forms.update(
                form=form,
                changes=given.values(),
                expected_version=given.cleaned_data["version"],
                actor=request.user,
                now=request.now,
            )
        except DomainError as error:
            refusals.add_error(given, error)
        else:
            address = reverse("leads:form_show", args=[form.pk])
            return rendering.redirect(request, address, toast=Toast(_("Saved."), "ok"))
    context = {"form": given, "heading": form.name, "submit": _("Save"), "back": form}
    return rendering.page(request, "leads/form_settings.html", context, status=422 if given.errors else 200)


def _snippets(form: Form) -> dict[str, str]:
    """What a website needs, ready to copy."""
    base = settings.SITE_URL
    address = f"{base}{reverse('leads:form', args=[form.key])}"
    return {
        "address": address,
        "script": f'<script src="{base}/f/embed.js" data-form="{form.key}" async></script>',
        "iframe": f'<iframe src="{address}?embed=1" title="{form.name}" width="100%" height="560"></iframe>',
        "web_to_lead": f"{base}/servlet/servlet.WebToLead?encoding=UTF-8",
        "hubspot": f"{base}/submissions/v3/integration/submit/1/{form.guid}",
    }
