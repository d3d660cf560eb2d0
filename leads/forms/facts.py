"""What can be read and edited in place on the page of a record: one fact at a time.

A fact is one line of the properties: a label, how the value reads, and the fields of its form. The
four tables below are also the allow-list of what these forms may write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from django import forms
from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from leads.models import (
    AttributeDefinition,
    AttributeType,
    Campaign,
    Channel,
    Company,
    Lead,
    Person,
)
from leads.services.companies import CompanyInput
from smarketing.users.models import User
from smarketing.web import formats

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

Text: TypeAlias = "str | StrPromise"
_URL_SCHEMES = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a value, with where it leads (only web, mail and phone addresses and own pages)."""

    text: Text
    url: str = ""


Show = Callable[[Any], Sequence[Line]]
Fields = Callable[[Any], Mapping[str, forms.Field]]
Changes = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the properties.

    ``fields(record)`` are the form's fields with their present values as ``initial``;
    ``changes(cleaned)`` is what the service takes.
    """

    name: str
    label: Text
    show: Show
    fields: Fields
    changes: Changes = dict


def form_of(fact: Fact, record: Any, data: Mapping[str, Any] | None = None) -> forms.Form:
    """The form of one fact; the first field is where typing starts."""
    form = forms.Form(data)
    form.fields.update(fact.fields(record))
    first = next(iter(form.fields.values()))
    first.widget.attrs["autofocus"] = True
    return form


def _text(value: object) -> list[Line]:
    return [Line(str(value))] if value not in (None, "") else []


def _web(value: str) -> list[Line]:
    """An address as a link only when it can do no harm."""
    return [Line(value, value if value.lower().startswith(_URL_SCHEMES) else "")] if value else []


def column(model: type[Model], name: str, *, label: Text = "", show: Show | None = None) -> Fact:
    """A fact that is one column, with the form field that the column has."""
    field: Any = model._meta.get_field(name)

    def fields(record: Any) -> Mapping[str, forms.Field]:
        made = field.formfield(required=not field.blank)
        made.initial = getattr(record, name)
        if isinstance(made, forms.DateField):
            made.widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        return {name: made}

    return Fact(
        name,
        label or field.verbose_name[:1].upper() + field.verbose_name[1:],
        show or (lambda record: _text(_display(record, name))),
        fields,
    )


def _display(record: Any, name: str) -> object:
    display = getattr(record, f"get_{name}_display", None)
    value = display() if display else getattr(record, name)
    if isinstance(value, int | float):
        return formats.number(value)
    return formats.day(value) if hasattr(value, "isoformat") else value


def _chosen(name: str, label: Text, model: type[Any], order: str) -> Fact:
    """A fact that points to one row of a short table."""

    def fields(record: Any) -> Mapping[str, forms.Field]:
        return {
            name: forms.ModelChoiceField(
                model.objects.order_by(order),
                label=label,
                required=False,
                initial=getattr(record, f"{name}_id"),
                empty_label="–",
            )
        }

    return Fact(name, label, lambda record: _text(getattr(record, name)), fields)


def _name_fields(person: Person) -> Mapping[str, forms.Field]:
    return {
        "first_name": forms.CharField(
            label=_("First name"), max_length=120, required=False, initial=person.first_name
        ),
        "last_name": forms.CharField(
            label=_("Last name"), max_length=120, required=False, initial=person.last_name
        ),
    }


def _lines_field(label: Text, values: Sequence[str]) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=2000,
        help_text=_("One on each line; the first is the main one."),
        widget=forms.Textarea(attrs={"rows": max(2, len(values) + 1)}),
        initial="\n".join(values),
    )


def _main_first(person: Person) -> list[str]:
    return [e.email for e in sorted(person.emails.all(), key=lambda e: (not e.is_primary, e.pk))]


def _written(person: Person) -> list[str]:
    return [p.written for p in sorted(person.phones.all(), key=lambda p: p.pk)]


def _split(name: str) -> Changes:
    return lambda cleaned: {name: cleaned[name].splitlines()}


def _phone_lines(person: Person) -> list[Line]:
    phones = sorted(person.phones.all(), key=lambda p: p.pk)
    return [Line(p.written, f"tel:{p.e164}" if p.e164 else "") for p in phones]


def _company_lines(record: Any) -> list[Line]:
    company = record.company
    return [Line(company.name, reverse("leads:company", args=[company.pk]))] if company else []


def _company_fields(record: Any) -> Mapping[str, forms.Field]:
    widget = forms.TextInput(attrs={"list": "company-options", "autocomplete": "off", "data-suggest": ""})
    return {
        "company": forms.CharField(
            label=_("Company"),
            max_length=255,
            required=False,
            widget=widget,
            initial=record.company.name if record.company else "",
            help_text=_("A name that is not known yet makes a new company."),
        )
    }


def _company_changes(cleaned: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"company": CompanyInput(cleaned["company"]) if cleaned["company"] else None}


_COMPANY = Fact("company", _("Company"), _company_lines, _company_fields, _company_changes)

PERSON = (
    Fact("name", _("Name"), lambda p: _text(p.name), _name_fields),
    column(Person, "title"),
    _COMPANY,
    Fact(
        "emails",
        _("E-mail"),
        lambda p: [Line(e, f"mailto:{e}") for e in _main_first(p)],
        lambda p: {"emails": _lines_field(_("E-mail"), _main_first(p))},
        _split("emails"),
    ),
    Fact(
        "phones",
        _("Phone"),
        _phone_lines,
        lambda p: {"phones": _lines_field(_("Phone"), _written(p))},
        _split("phones"),
    ),
    column(Person, "city"),
    column(Person, "country"),
    column(Person, "language"),
    column(Person, "website", show=lambda p: _web(p.website)),
)
LEAD = (
    column(Lead, "origin"),
    _chosen("channel", _("Channel"), Channel, "position"),
    _chosen("campaign", _("Campaign"), Campaign, "name"),
    column(Lead, "landing_page", show=lambda lead: _web(lead.landing_page)),
    column(Lead, "description"),
)
COMPANY = (
    column(Company, "name"),
    column(Company, "domain", show=lambda c: [Line(c.domain, f"https://{c.domain}")] if c.domain else []),
    column(Company, "industry"),
    column(Company, "employees"),
    Fact(
        "annual_revenue",
        _("Annual revenue"),
        lambda c: [Line(formats.money(c.annual_revenue, c.currency))] if c.annual_revenue is not None else [],
        lambda c: {
            **column(Company, "annual_revenue").fields(c),
            **column(Company, "currency").fields(c),
        },
    ),
    column(Company, "phone"),
    column(Company, "city"),
    column(Company, "country"),
)
CAMPAIGN = (
    column(Campaign, "name"),
    column(Campaign, "kind"),
    column(Campaign, "status"),
    _chosen("channel", _("Channel"), Channel, "position"),
    _chosen("owner", _("Owner"), User, "name"),
    column(Campaign, "starts_on"),
    column(Campaign, "ends_on"),
    Fact(
        "budget",
        _("Budget"),
        lambda c: [Line(formats.money(c.budget, c.currency))] if c.budget is not None else [],
        lambda c: {**column(Campaign, "budget").fields(c), **column(Campaign, "currency").fields(c)},
    ),
    Fact(
        "actual_cost",
        _("Cost so far"),
        lambda c: [Line(formats.money(c.actual_cost, c.currency))] if c.actual_cost is not None else [],
        lambda c: {**column(Campaign, "actual_cost").fields(c), **column(Campaign, "currency").fields(c)},
    ),
    column(Campaign, "description"),
)


def of_attribute(definition: AttributeDefinition) -> Fact:
    """A custom attribute as a fact, named ``attr-<key>``."""
    key = definition.key

    def show(record: Any) -> list[Line]:
        value = record.attributes.get(key)
        if isinstance(value, bool):
            return [Line(_("Yes") if value else _("No"))]
        return _text(formats.number(value) if isinstance(value, int | float) else value)

    def fields(record: Any) -> Mapping[str, forms.Field]:
        made = _attribute_field(definition)
        made.label, made.required, made.initial = definition.label, False, record.attributes.get(key)
        return {"value": made}

    return Fact(
        f"attr-{key}", definition.label, show, fields, lambda cleaned: {"attributes": {key: cleaned["value"]}}
    )


def _attribute_field(definition: AttributeDefinition) -> forms.Field:
    match definition.type:
        case AttributeType.NUMBER:
            return forms.DecimalField(widget=forms.NumberInput(attrs={"step": "any"}))
        case AttributeType.BOOLEAN:
            return forms.NullBooleanField()
        case AttributeType.DATE:
            return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        case AttributeType.CHOICE:
            return forms.ChoiceField(choices=[("", "–"), *((c, c) for c in definition.choices)])
        case _:
            return forms.CharField(max_length=4000)
