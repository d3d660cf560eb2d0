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
from django_filters.fields import DateRangeField
from django_filters.filterset import FilterSet

from smarketing.web import formats, query

FEW_CHOICES = 12


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
    for field in form.fields.values():
        _dress(field)
    return FilterBar(
        form=form,
        search=form[search] if search in form.fields else None,
        fields=[form[name] for name in names if name != search],
        chips=[c for name in names if name != search for c in _chips(form, name, params)],
        clear_url=_clear(form, params),
        sort=params.get("sort", ""),
    )


def rows(filterset: FilterSet) -> QuerySet[Any, Any]:
    """The filtered rows; none at all while a filter can't be read (the form says why)."""
    found: QuerySet[Any, Any] = filterset.qs if filterset.is_valid() else filterset.queryset.none()
    return found


def _dress(field: forms.Field) -> None:
    """Show few choices as boxes, and the ends of a range with names and a calendar."""
    widget = field.widget
    if isinstance(widget, forms.MultiWidget):
        for part, words in zip(widget.widgets, (_("from"), _("up to")), strict=False):
            part.attrs["aria-label"] = f"{field.label} {words}"
            if isinstance(field, DateRangeField) and isinstance(part, forms.TextInput):
                part.input_type = "date"
    elif isinstance(widget, forms.SelectMultiple):
        choices = list(widget.choices)  # read once, also by the widget that shows them
        if len(choices) <= FEW_CHOICES:
            field.widget = forms.CheckboxSelectMultiple(choices=choices)
        else:
            widget.choices = choices
    elif isinstance(widget, forms.DateInput):
        widget.input_type = "date"


def _chips(form: forms.Form, name: str, params: QueryDict) -> Iterator[Chip]:
    if not form.is_bound or name in form.errors:
        return
    cleaned = form.cleaned_data.get(name)
    field = form.fields[name]
    label = str(field.label or name)
    bounds = _parameters(field, name)
    for position, parameter in enumerate(bounds):
        given = [v for v in params.getlist(parameter) if v]
        if not given:
            continue
        if len(bounds) == 2:
            text = _text(field, _bound(cleaned, position), given[0])
            yield Chip(_bound_label(label, position), text, query.without(params, parameter))
        elif isinstance(cleaned, list | tuple | QuerySet):
            for text, raw in zip(_texts(field, cleaned), given, strict=False):
                yield Chip(label, text, query.without(params, parameter, raw))
        else:
            yield Chip(label, _text(field, cleaned, given[0]), query.without(params, parameter))


def _parameters(field: forms.Field, name: str) -> list[str]:
    """The names under which the address holds this field; a range has two."""
    suffixes = getattr(field.widget, "suffixes", None)
    return [f"{name}_{suffix}" if suffix else name for suffix in suffixes] if suffixes else [name]


def _bound(cleaned: Any, position: int) -> Any:
    return (cleaned.start, cleaned.stop)[position] if isinstance(cleaned, slice) else cleaned


def _bound_label(label: str, position: int) -> str:
    words = _("%(field)s up to") if position else _("%(field)s from")
    return words % {"field": label}


def _texts(field: forms.Field, values: Iterable[Any]) -> list[str]:
    return [_text(field, v, str(v)) for v in values]


def _text(field: forms.Field, value: Any, raw: str) -> str:
    match value:
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


def _clear(form: forms.Form, params: QueryDict) -> str:
    gone = [p for name, field in form.fields.items() for p in _parameters(field, name)]
    return query.changed(params, cursor=None, **dict.fromkeys(gone))
