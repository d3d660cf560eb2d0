"""What lists are narrowed by: one FilterSet each for page, API and export."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.filterset import FilterSet

from leads.domain.synonyms import KINDS
from leads.models import (
    AttributeDefinition,
    AttributeSubject,
    Campaign,
    CampaignKind,
    CampaignStatus,
    Channel,
    Company,
    Form,
    FormRoad,
    FormSubmission,
    ImportBefore,
    ImportRun,
    ImportState,
    SubmissionState,
)
from leads.selectors import campaigns, companies, import_changes


class CompanyFilter(FilterSet):
    """Companies by name, industry, country and size."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=200)
    industry = filters.CharFilter(label=_("Industry"), lookup_expr="iexact", max_length=120)
    country = filters.CharFilter(label=_("Country"), lookup_expr="iexact", max_length=80)
    employees = filters.RangeFilter(label=_("Employees"))

    class Meta:
        model = Company
        fields = ("q", "industry", "country", "employees")

    def by_text(self, queryset: QuerySet[Company], name: str, value: str) -> QuerySet[Company]:
        """Names that hold every word."""
        return companies.matching(queryset, value)


class CampaignFilter(FilterSet):
    """Campaigns by name, kind, status, channel and time."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=200)
    kind = filters.MultipleChoiceFilter(label=_("Kind"), choices=CampaignKind.choices)
    status = filters.MultipleChoiceFilter(label=_("Status"), choices=CampaignStatus.choices)
    channel = filters.ModelChoiceFilter(label=_("Channel"), queryset=Channel.objects.order_by("position"))
    starts_on = filters.DateFromToRangeFilter(label=_("Starts"))

    class Meta:
        model = Campaign
        fields = ("q", "kind", "status", "channel", "starts_on")

    def by_text(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        """Names that hold every word."""
        return campaigns.matching(queryset, value)


class AttributeFilter(FilterSet):
    """Custom attributes by words and kind of record."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=120)
    subject = filters.MultipleChoiceFilter(label=_("Belongs to"), choices=AttributeSubject.choices)

    class Meta:
        model = AttributeDefinition
        fields = ("q", "subject")

    def by_text(
        self, queryset: QuerySet[AttributeDefinition], name: str, value: str
    ) -> QuerySet[AttributeDefinition]:
        """Labels or keys that hold the text."""
        return queryset.filter(Q(label__icontains=value) | Q(key__icontains=value))


class ImportFilter(FilterSet):
    """Runs of the import by state, kind and file."""

    q = filters.CharFilter(label=_("Search"), field_name="file_name", lookup_expr="icontains", max_length=200)
    state = filters.MultipleChoiceFilter(label=_("State"), choices=ImportState.choices, distinct=False)
    kind = filters.ChoiceFilter(
        label=_("What it holds"), choices=[(name, kind.label) for name, kind in KINDS.items()]
    )

    class Meta:
        model = ImportRun
        fields = ("q", "state", "kind")


class FormFilter(FilterSet):
    """Forms by name, campaign and whether they take answers."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=120)
    campaign = filters.ModelChoiceFilter(label=_("Campaign"), queryset=Campaign.objects.order_by("name"))
    is_active = filters.BooleanFilter(label=_("Takes answers"))

    class Meta:
        model = Form
        fields = ("q", "campaign", "is_active")

    def by_text(self, queryset: QuerySet[Form], name: str, value: str) -> QuerySet[Form]:
        """Names that hold the text."""
        return queryset.filter(name__icontains=value)


class SubmissionFilter(FilterSet):
    """Answers by form, state, road and time."""

    form = filters.ModelChoiceFilter(label=_("Form"), queryset=Form.objects.order_by("name"))
    state = filters.MultipleChoiceFilter(label=_("State"), choices=SubmissionState.choices)
    road = filters.MultipleChoiceFilter(label=_("Road"), choices=FormRoad.choices)
    received_at = filters.DateFromToRangeFilter(label=_("Received"))

    class Meta:
        model = FormSubmission
        fields = ("form", "state", "road", "received_at")


class ChangeFilter(FilterSet):
    """What an import has changed, by what it is; only kinds of which it changed something are offered."""

    table = filters.ChoiceFilter(label=_("What"), choices=(), empty_label=None)

    class Meta:
        model = ImportBefore
        fields = ("table",)

    def __init__(self, *args: object, tables: Sequence[str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        choices = [(name, import_changes.TABLES[name]) for name in tables]
        self.filters["table"].field.choices = choices
        self.filters["table"].extra["choices"] = choices
