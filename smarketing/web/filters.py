"""What a list is narrowed by, as chips that can be removed one by one.

One django-filter ``FilterSet`` serves the page, the REST interface and the export; the address holds
all of it, so a copied address shows the same rows.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar

from django import forms
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django_filters.fields import DateRangeField
from django_filters.filters import Filter
from django_filters.filterset import FilterSet

from smarketing.web import formats, query

FEW_CHOICES = 12
_NO_FILTERS = frozenset({"sort", "cursor", "rows", "panel"})


class QuickFilterSet(FilterSet):
    """A FilterSet whose filters are made when they are asked for: most pages of a list ask for none.

    ``added`` are filters that depend on what is stored.
    """

    base_filters: ClassVar[dict[str, Filter]]  # set by FilterSet's metaclass

    def __init__(
        self,
        data: Any,
        queryset: QuerySet[Any],
        *,
        request: Any = None,
        prefix: str | None = None,
    ) -> None:
        # In place of FilterSet's own, which copies every filter for every request.
        self.is_bound = data is not None
        self.data = data or QueryDict()
        self.queryset = queryset
        self.request = request
        self.form_prefix = prefix

    @cached_property
    def filters(self) -> dict[str, Filter]:
        """Every filter by its name."""
        made: dict[str, Any] = {**copy.deepcopy(self.base_filters), **dict(self.added())}
        for one in made.values():
            one.model, one.parent = self.queryset.model, self
        return made

    def added(self) -> Iterable[tuple[str, Filter]]:
        """Filters beside the declared ones."""
        return ()

    @property
    def is_plain(self) -> bool:
        """Whether the address narrows nothing."""
        return not any(
            value for name in self.data if name not in _NO_FILTERS for value in self.data.getlist(name)
        )


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition in words, and the address of the list without it."""

    label: str
    value: str
    remove_url: str


@dataclass(frozen=True)
class FilterBar:
    """The search box, the filter fields and the conditions in force.

    The fields are made when somebody opens their panel; until then ``kept`` are the parameters that hold
    the conditions in force, so that a search keeps them.
    """

    filterset: FilterSet
    params: QueryDict
    search: str
    has_fields: bool
    kept: Sequence[tuple[str, str]] = ()
    chips: Sequence[Chip] = ()
    clear_url: str = ""
    errors: Sequence[str] = ()

    @property
    def text(self) -> str:
        """What is searched for."""
        return self.params.get(self.search, "") if self.search else ""

    @property
    def sort(self) -> str:
        """The order that was chosen."""
        return self.params.get("sort", "")

    @property
    def is_narrowed(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.chips or self.text)

    @property
    def fields(self) -> list[forms.BoundField]:
        """The filter fields, dressed for their panel; their choices are read now."""
        form: forms.Form = self.filterset.form
        names = [name for name in form.fields if name != self.search]
        for name in names:
            _dress(form.fields[name])
        return [form[name] for name in names]


def bar(filterset: FilterSet, params: QueryDict, *, search: str = "q") -> FilterBar:
    """Describe ``filterset`` as bound to the address' ``params``; ``search`` names its text search."""
    declared = filterset.base_filters if isinstance(filterset, QuickFilterSet) else filterset.filters
    found = FilterBar(filterset, params, search if search in declared else "", bool(set(declared) - {search}))
    if isinstance(filterset, QuickFilterSet) and filterset.is_plain:
        return found
    form: forms.Form = filterset.form
    names = [name for name in form.fields if name != search]
    held = [parameter for name in names for parameter in _parameters(form.fields[name], name)]
    return replace(
        found,
        kept=[(parameter, value) for parameter in held for value in params.getlist(parameter) if value],
        chips=[c for name in names for c in _chips(form, name, params)],
        clear_url=_clear(form, params),
        errors=[f"{form[name].label}: {' '.join(map(str, told))}" for name, told in form.errors.items()],
    )


def rows(filterset: FilterSet) -> QuerySet[Any, Any]:
    """The filtered rows; none at all while a filter can't be read (the form says why)."""
    found: QuerySet[Any, Any]
    if isinstance(filterset, QuickFilterSet) and filterset.is_plain:
        found = filterset.queryset
    else:
        found = filterset.qs if filterset.is_valid() else filterset.queryset.none()
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
