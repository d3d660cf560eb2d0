"""What the leads list is narrowed by: one FilterSet for page, REST resource and export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Expression, Q, QuerySet, TextField
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.fields import RangeField
from django_filters.widgets import DateRangeWidget

from funnel.models import FitBand, LeadAction, LeadState, Stage
from funnel.selectors import lead_list
from leads.models import (
    AttributeDefinition,
    AttributeSubject,
    AttributeType,
    Campaign,
    Channel,
    Source,
)
from smarketing.users.models import User
from smarketing.web.filters import QuickFilterSet

NOBODY = "nobody"
THEN = (
    ("further", _("got further")),
    ("open", _("is neither further nor at an end")),
    ("ended", _("ended without getting further")),
)
INTEREST_BANDS = (("1", "1"), ("2", "2"), ("3", "3"))
# Which records of a lead carry attributes, and where they are found from its state.
_CARRIERS = {
    AttributeSubject.LEAD: "lead__attributes",
    AttributeSubject.PERSON: "lead__person__attributes",
    AttributeSubject.COMPANY: "lead__company__attributes",
}


def _boxes() -> forms.CheckboxSelectMultiple:
    return forms.CheckboxSelectMultiple()


class LeadFilter(QuickFilterSet):
    """Leads by stage, owner, where they came from, bands, time and custom attributes.

    The custom attributes are filters named ``lead_KEY``, ``person_KEY`` and ``company_KEY``; values are
    compared as parameters, never written into a statement.
    """

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=200)
    stage = filters.ModelMultipleChoiceFilter(
        label=_("Stage"),
        queryset=Stage.objects.order_by("position", "code"),
        to_field_name="code",
        widget=_boxes(),
        method="by_stage",
    )
    owner = filters.ModelChoiceFilter(
        label=_("Owner"), queryset=User.objects.get_queryset(), null_label=_("Nobody"), null_value=NOBODY
    )
    channel = filters.ModelChoiceFilter(
        label=_("Channel"),
        field_name="lead__channel",
        queryset=Channel.objects.order_by("position", "code"),
        to_field_name="code",
        null_label=_("Not known"),
        null_value="none",
    )
    origin = filters.CharFilter(label=_("Origin"), field_name="lead__origin", max_length=120)
    campaign = filters.ModelChoiceFilter(
        label=_("Campaign"), field_name="lead__campaign", queryset=Campaign.objects.order_by("name", "pk")
    )
    source = filters.ModelChoiceFilter(
        label=_("Source"),
        field_name="lead__source",
        queryset=Source.objects.order_by("name", "pk"),
        to_field_name="code",
    )
    fit = filters.MultipleChoiceFilter(
        label=_("Fit"), field_name="lead__score__fit_band", choices=FitBand.choices, widget=_boxes()
    )
    interest = filters.MultipleChoiceFilter(
        label=_("Interest"), field_name="lead__score__interest_band", choices=INTEREST_BANDS, widget=_boxes()
    )
    action = filters.MultipleChoiceFilter(
        label=_("The definition says"), field_name="lead__score__action", choices=LeadAction.choices,
        widget=_boxes(),
    )  # fmt: skip
    captured = filters.DateFromToRangeFilter(
        label=_("Captured"),
        field_name="captured_at",
        widget=DateRangeWidget(attrs={"type": "date"}),
    )
    import_run = filters.NumberFilter(
        label=_("Number of the import"), field_name="lead__import_run", min_value=1, max_value=10**15
    )
    late = filters.BooleanFilter(label=_("Longer in its stage than allowed"), method="by_age")
    been = filters.ModelChoiceFilter(
        label=_("Came into the stage"),
        queryset=Stage.objects.order_by("position", "code"),
        to_field_name="code",
        method="by_history",
    )
    been_since = filters.DateFilter(
        label=_("… since"), method="with_history", widget=forms.DateInput(attrs={"type": "date"})
    )
    been_then = filters.ChoiceFilter(label=_("… and then"), choices=THEN, method="with_history")
    open = filters.BooleanFilter(label=_("Lap is open"), field_name="lead__closed_at", lookup_expr="isnull")

    class Meta:
        model = LeadState
        fields: tuple[str, ...] = ()

    def added(self) -> Iterator[tuple[str, filters.Filter]]:
        """A filter for each custom attribute, by the name it has in the address."""
        for definition in AttributeDefinition.objects.filter(subject__in=_CARRIERS):
            subject = AttributeSubject(definition.subject)
            yield f"{subject.value}_{definition.key}", _filter_of(definition, _CARRIERS[subject])

    def by_stage(
        self, queryset: QuerySet[LeadState], name: str, value: Sequence[Stage]
    ) -> QuerySet[LeadState]:
        """One stage is compared by its key, so that ``lead_list_by_stage`` serves stage and order."""
        stages = list(value)
        if not stages:
            return queryset
        return queryset.filter(stage=stages[0]) if len(stages) == 1 else queryset.filter(stage__in=stages)

    def by_age(self, queryset: QuerySet[LeadState], name: str, value: Any) -> QuerySet[LeadState]:
        """Leads that have stood longer than their stage's time limit, or those that have not."""
        late = lead_list.late(queryset, at=getattr(self.request, "now", None))
        return late if value else queryset.exclude(pk__in=late.values("pk"))

    def by_history(self, queryset: QuerySet[LeadState], name: str, value: Stage) -> QuerySet[LeadState]:
        """Leads that came into a stage, since a day, with what became of them."""
        given = self.form.cleaned_data
        since = given.get("been_since")
        return lead_list.came_into(
            queryset,
            value,
            since=timezone.make_aware(datetime.combine(since, time.min)) if since else None,
            then=given.get("been_then") or "",
        )

    def with_history(self, queryset: QuerySet[LeadState], name: str, value: Any) -> QuerySet[LeadState]:
        """Says something about ``been`` only."""
        return queryset

    def by_text(self, queryset: QuerySet[LeadState], name: str, value: str) -> QuerySet[LeadState]:
        """Names, e-mail addresses and companies that hold every word."""
        return lead_list.matching(queryset, value)


class AttributeFilter(filters.Filter):
    """One custom attribute of a lead, its person or its company; a text that holds the words."""

    field_class: Any = forms.CharField

    def __init__(self, definition: AttributeDefinition, column: str, **extra: Any) -> None:
        super().__init__(label=definition.label, required=False, **extra)
        self.key, self.column = definition.key, column

    def filter(self, qs: QuerySet[LeadState], value: Any) -> QuerySet[LeadState]:
        """Narrow ``qs``; an empty value narrows nothing."""
        if value in (None, "", []):
            return qs
        alias = f"_{self.column}_{self.key}".replace("-", "_").replace("__", "_")
        return qs.alias(**{alias: self.expression()}).filter(self.condition(alias, value))

    def expression(self) -> Expression:
        """What is compared: by default the value as text."""
        return Cast(KeyTextTransform(self.key, self.column), TextField())

    def condition(self, alias: str, value: Any) -> Q:
        """What must hold for it."""
        return Q(**{f"{alias}__icontains": value})


class ChoiceAttribute(AttributeFilter):
    """One of several choices."""

    field_class = forms.MultipleChoiceField

    def condition(self, alias: str, value: Any) -> Q:
        """The text is one of the choices."""
        return Q(**{f"{alias}__in": list(value)})


class BooleanAttribute(AttributeFilter):
    """Yes or no."""

    field_class = forms.NullBooleanField

    def condition(self, alias: str, value: Any) -> Q:
        """JSON writes truth in small letters."""
        return Q(**{alias: "true" if value else "false"})


class DateAttribute(AttributeFilter):
    """A day, as it is stored."""

    field_class = forms.DateField

    def condition(self, alias: str, value: Any) -> Q:
        """The same day."""
        return Q(**{alias: value.isoformat()})


class NumberAttribute(AttributeFilter):
    """A number between two bounds, compared as JSON numbers are."""

    field_class = RangeField

    def expression(self) -> Expression:
        """The JSON value itself."""
        return KeyTransform(self.key, self.column)

    def condition(self, alias: str, value: Any) -> Q:
        """Within the bounds that are given."""
        bounds = {"gte": value.start, "lte": value.stop}
        return Q(**{f"{alias}__{name}": _json(b) for name, b in bounds.items() if b is not None})


def _filter_of(definition: AttributeDefinition, column: str) -> AttributeFilter:
    match definition.type:
        case AttributeType.CHOICE:
            choices = [(c, c) for c in definition.choices]
            return ChoiceAttribute(definition, column, choices=choices, widget=_boxes())
        case AttributeType.BOOLEAN:
            return BooleanAttribute(definition, column)
        case AttributeType.NUMBER:
            return NumberAttribute(definition, column)
        case AttributeType.DATE:
            widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            return DateAttribute(definition, column, widget=widget)
        case _:
            return AttributeFilter(definition, column, max_length=200)


def _json(value: Decimal) -> int | float:
    """A number as JSON holds it."""
    return int(value) if value == value.to_integral_value() else float(value)
