"""Reading and editing one fact of a record in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from leads import access
from leads.forms import facts
from leads.forms.facts import Fact, Line
from leads.models import AttributeSubject
from leads.selectors import attributes
from leads.services import campaigns, companies, leads, people
from smarketing.core.errors import DomainError, FieldError, Missing, Stale
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page

ATTRIBUTE = "attr-"


class NoSuchFact(Missing):
    """This kind of record has no such fact."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of record: how it is loaded and written, and its facts."""

    load: Callable[..., Any]
    save: Callable[..., Any]
    record: str
    table: Sequence[Fact]
    attributes: AttributeSubject | None
    capability: Capability


SUBJECTS: dict[str, Subject] = {
    "person": Subject(
        access.get_person,
        people.update,
        "person",
        facts.PERSON,
        AttributeSubject.PERSON,
        Capability.EDIT_LEADS,
    ),
    "lead": Subject(
        access.get_lead, leads.update, "lead", facts.LEAD, AttributeSubject.LEAD, Capability.EDIT_LEADS
    ),
    "company": Subject(
        access.get_company,
        companies.update,
        "company",
        facts.COMPANY,
        AttributeSubject.COMPANY,
        Capability.EDIT_LEADS,
    ),
    "campaign": Subject(
        access.get_campaign, campaigns.update, "campaign", facts.CAMPAIGN, None, Capability.EDIT_CAMPAIGNS
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A fact as the page shows it."""

    id: str
    label: Any
    lines: Sequence[Line]
    url: str
    may_edit: bool
    focus: bool = False

    @property
    def edit_url(self) -> str:
        """Where the form is."""
        return f"{self.url}edit/"


def rows(kind: str, record: Any, viewer: User) -> list[Row]:
    """All facts of a record in order, custom attributes last."""
    subject = SUBJECTS[kind]
    custom = attributes.of_subject(subject.attributes) if subject.attributes else []
    known = [*subject.table, *(facts.of_attribute(d) for d in custom)]
    return [_row(kind, record, fact, viewer) for fact in known]


@page(capability=Capability.VIEW)
def show(request: Request, kind: str, pk: int, name: str) -> HttpResponse:
    """The fact as text: what Cancel and Esc bring back."""
    subject, fact = _fact(kind, name)
    record = subject.load(request.user, pk)
    return _shown(request, kind, record, fact)


@page(capability=Capability.VIEW, methods=["GET", "POST"])
def edit(request: Request, kind: str, pk: int, name: str) -> HttpResponse:
    """The form of a fact; saved by POST with the version that was read."""
    subject, fact = _fact(kind, name)
    record = subject.load(request.user, pk, capability=subject.capability)
    if request.method != "POST":
        return _form(request, kind, record, fact, facts.form_of(fact, record))
    form = facts.form_of(fact, record, request.POST)
    if not form.is_valid():
        return _form(request, kind, record, fact, form, status=422)
    try:
        saved = subject.save(
            **{subject.record: record},
            changes=fact.changes(form.cleaned_data),
            expected_version=_version(request),
            actor=request.user,
            now=request.now,
        )
    except Stale as error:
        form.add_error(None, _("%(reason)s It reads now: %(value)s") % {
            "reason": error.detail, "value": _value(fact, subject.load(request.user, pk))})  # fmt: skip
        return _form(request, kind, subject.load(request.user, pk), fact, form, status=412)
    except DomainError as error:
        refusals.add_error(form, _named(error, form))
        return _form(request, kind, record, fact, form, status=error.status)
    return _shown(request, kind, subject.load(request.user, saved.pk), fact, trigger="record-changed")


def _fact(kind: str, name: str) -> tuple[Subject, Fact]:
    subject = SUBJECTS.get(kind)
    if subject is None:
        raise NoSuchFact(_("There is no such record, or you may not see it."))
    if name.startswith(ATTRIBUTE) and subject.attributes is not None:
        definition = attributes.find(subject.attributes, name.removeprefix(ATTRIBUTE))
        if definition is not None:
            return subject, facts.of_attribute(definition)
    for fact in subject.table:
        if fact.name == name:
            return subject, fact
    raise NoSuchFact(_("There is no such fact."))


def _row(kind: str, record: Any, fact: Fact, viewer: User, *, focus: bool = False) -> Row:
    return Row(
        id=f"fact-{kind}-{record.pk}-{fact.name}",
        label=fact.label,
        lines=fact.show(record),
        url=reverse("leads:fact", args=[kind, record.pk, fact.name]),
        may_edit=viewer.may(SUBJECTS[kind].capability),
        focus=focus,
    )


def _shown(request: Request, kind: str, record: Any, fact: Fact, *, trigger: str = "") -> HttpResponse:
    row = _row(kind, record, fact, request.user, focus=True)
    return rendering.fragment(request, "leads/_fact.html", {"fact": row}, trigger=trigger)


def _form(
    request: Request, kind: str, record: Any, fact: Fact, form: forms.Form, *, status: int = 200
) -> HttpResponse:
    context = {
        "fact": _row(kind, record, fact, request.user),
        "form": form,
        "version": record.version,
        "single": len(form.fields) == 1,
    }
    return rendering.fragment(request, "leads/_fact_form.html", context, status=status)


def _version(request: Request) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _value(fact: Fact, record: Any) -> str:
    return ", ".join(str(line.text) for line in fact.show(record)) or _("nothing")


def _named(error: DomainError, form: forms.Form) -> DomainError:
    """The same refusal with its errors at the form's only field, whatever the service calls it."""
    if len(form.fields) != 1:
        return error
    only = next(iter(form.fields))
    told = [FieldError(only, e.code, e.detail) for e in error.errors]
    return type(error)(error.detail, errors=told or [FieldError(only, error.instance_code, error.detail)])
