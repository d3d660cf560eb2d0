"""``/api/v1/interests`` and ``/company-interests``: who is hottest, who came back, and which companies."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers

from funnel.models import CompanyInterest, Interest
from funnel.selectors import hot
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import Instant, ModelOut
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Listable, Resource, Retrievable


class InterestOut(ModelOut[Interest]):
    """A person's interest now, in points, and where their latest lap stands."""

    id = serializers.IntegerField(source="pk", read_only=True)
    interest = serializers.FloatField(source="points", read_only=True)
    lead = serializers.SerializerMethodField()
    stage = serializers.SerializerMethodField()

    class Meta:
        model = Interest
        fields = ("id", "interest", "reheated_at", "cools_at", "lead", "stage")

    def get_lead(self, obj: Any) -> int | None:
        """The latest lap."""
        return obj.person.laps[0].pk if obj.person.laps else None

    def get_stage(self, obj: Any) -> str | None:
        """The stage of that lap."""
        return obj.person.laps[0].state.stage.code if obj.person.laps else None


class InterestFilter(FilterSet):
    """By when they came back after cooling; from ≤ reheated_at < to."""

    reheated_from = InstantFilter(field_name="reheated_at", lookup_expr="gte")
    reheated_to = InstantFilter(field_name="reheated_at", lookup_expr="lt")
    company = filters.NumberFilter(field_name="person__company", min_value=1, max_value=2**62)

    class Meta:
        model = Interest
        fields: tuple[str, ...] = ()


class InterestResource(Listable, Retrievable, Resource):
    """The interest of persons, by the person's id; ordered by an index, at any instant."""

    model = Interest
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW}
    output = InterestOut
    filterset_class = InterestFilter
    ordering_fields = {"interest": "key", "reheated_at": "reheated_at"}
    ordering_default = ("-interest",)

    def visible(self) -> QuerySet[Interest]:
        return hot.told(self.actor, at=self.now)


class CompanyInterestOut(ModelOut[CompanyInterest]):
    """A company's interest now: that of its people together, with the best fit of its open leads."""

    id = serializers.IntegerField(source="pk", read_only=True)
    interest = serializers.FloatField(source="points", read_only=True)
    best_fit = serializers.FloatField(read_only=True, allow_null=True)
    refreshed_at = Instant(read_only=True)

    class Meta:
        model = CompanyInterest
        fields = ("id", "interest", "people", "best_fit", "refreshed_at")


class CompanyInterestResource(Listable, Retrievable, Resource):
    """The interest of companies, by the company's id, hottest first."""

    model = CompanyInterest
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW}
    output = CompanyInterestOut
    ordering_fields = {"interest": "key"}
    ordering_default = ("-interest",)

    def visible(self) -> QuerySet[CompanyInterest]:
        return hot.companies(self.actor, at=self.now)
