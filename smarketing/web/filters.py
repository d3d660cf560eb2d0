"""What a list is narrowed by, as chips that can be removed one by one.

One django-filter ``FilterSet`` serves the page, the REST interface and the export; the address holds
all of it, so a copied address shows the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django_filters.filterset import FilterSet

from smarketing.web import formats, query

_RANGE_SUFFIXES = ("_min", "_max", "_after", "_before", "_0", "_1")


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition in words, and the address of the list without it."""

    label: str
    value: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class FilterBar:
    """The search box, the filter fields and the conditions in force."""

    form: forms.Form
    search: forms.BoundField | None
    fields: list[forms.BoundField]
    chips: list[Chip]
    clear_url: str
    sort: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.chips or (self.search and self.search.value()))


def bar(filterset: FilterSet, params: QueryDict, *, search: str = "q") -> FilterBar:
    """Describe ``filterset`` as bound to the address' ``params``; ``search`` names its text search."""
    form: forms.Form = filterset.form
    names = list(form.fields)
    return FilterBar(
        form=form,
        search=form[search] if search in form.fields else None,
        fields=[form[name] for name in names if name != search],
        chips=[c for name in names if name != search for c in _chips(form, name, params)],
        clear_url=_clear(params, names),
        sort=params.get("sort", ""),
    )


def rows(filterset: FilterSet) -> QuerySet[Any, Any]:
    """The filtered rows; none at all while a filter can't be read (the form says why)."""
    found: QuerySet[Any, Any] = (
        filterset.qs
        if filterset.is_valid()  # type: ignore[no-untyped-call]
        else filterset.queryset.none()
    )
    return found


def _chips(form: forms.Form, name: str, params: QueryDict) -> Iterator[Chip]:
    if not form.is_bound or name in form.errors:
        return
    cleaned = form.cleaned_data.get(name)
    field = form.fields[name]
    label = str(field.label or name)
    for parameter in _parameters(name, params):
        given = [v for v in params.getlist(parameter) if v]
        if isinstance(cleaned, list | tuple | QuerySet) and not isinstance(cleaned, str):
            for text, raw in zip(_texts(field, cleaned), given, strict=False):
                yield Chip(label, text, query.without(params, parameter, raw))
        elif given:
            yield Chip(_bound_label(label, parameter, name), _text(field, cleaned, given[0], parameter),
                       query.without(params, parameter))  # fmt: skip


def _parameters(name: str, params: QueryDict) -> Iterable[str]:
    return [p for p in (name, *(name + s for s in _RANGE_SUFFIXES)) if any(params.getlist(p))]


def _bound_label(label: str, parameter: str, name: str) -> str:
    suffix = parameter.removeprefix(name)
    if suffix in ("_min", "_after", "_0"):
        return _("%(field)s from") % {"field": label}
    if suffix in ("_max", "_before", "_1"):
        return _("%(field)s up to") % {"field": label}
    return label


def _texts(field: forms.Field, values: Iterable[Any]) -> list[str]:
    return [_text(field, v, str(v), "") for v in values]


def _text(field: forms.Field, value: Any, raw: str, parameter: str) -> str:
    match value:
        case slice():
            bound = value.start if parameter.endswith(("_min", "_after", "_0")) else value.stop
            return _text(field, bound, raw, "")
        case True:
            return _("yes")
        case False:
            return _("no")
        case datetime() | date():
            return formats.day(value)
        case Model():
            return str(value)
    choices = dict(_flat(getattr(field, "choices", ())))
    return str(choices.get(str(value), raw))


def _flat(choices: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from _flat(label)
        else:
            yield str(value), label


def _clear(params: QueryDict, names: Iterable[str]) -> str:
    gone = [p for name in names for p in (name, *(name + s for s in _RANGE_SUFFIXES))]
    return query.changed(params, cursor=None, **dict.fromkeys(gone))
