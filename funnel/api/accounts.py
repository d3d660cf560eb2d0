"""``/api/v1/accounts``: where companies stand, by the company's id, and how they came there."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.models import AccountState
from funnel.selectors import accounts
from funnel.selectors.accounts import Told
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import Instant, ModelOut
from smarketing.web.rest.views import Listable, Resource, Retrievable


class AccountOut(ModelOut[AccountState]):
    """Where a company stands since ``entered_at``, and the furthest it ever came."""

    id = serializers.IntegerField(source="pk", read_only=True)
    name = serializers.CharField(source="company.name", read_only=True)
    stage = serializers.CharField(source="stage.code", read_only=True)
    furthest = serializers.CharField(source="high_water.code", read_only=True)
    entered_at = Instant(read_only=True)

    class Meta:
        model = AccountState
        fields = ("id", "name", "stage", "furthest", "entered_at")


class AccountStepOut(serializers.Serializer[Any]):
    """One step; ``lead`` or ``opportunity`` is what took the company there."""

    at = Instant(read_only=True)
    from_stage = serializers.CharField(source="from_stage.code", default=None, allow_null=True)
    to_stage = serializers.CharField(source="to_stage.code")
    lead = serializers.SerializerMethodField()
    opportunity = serializers.SerializerMethodField()

    def get_lead(self, step: Told) -> int | None:
        """The lead whose move it was."""
        return step.lead.pk if step.lead else None

    def get_opportunity(self, step: Told) -> int | None:
        """The deal whose beginning or end it was."""
        return step.deal.pk if step.deal else None


class AccountJourneyOut(serializers.Serializer[Any]):
    """All steps, the latest first."""

    results = AccountStepOut(many=True)


class AccountApiFilter(FilterSet):
    """By the code of the stage."""

    stage = filters.CharFilter(field_name="stage__code", max_length=40)

    class Meta:
        model = AccountState
        fields = ("stage",)


class AccountResource(Listable, Retrievable, Resource):
    """Companies by where they stand."""

    model = AccountState
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "journey": C.VIEW}
    output = AccountOut
    outputs = {"journey": AccountJourneyOut}
    filterset_class = AccountApiFilter
    ordering_fields = {"entered_at": "entered_at"}
    ordering_default = ("-entered_at",)

    def visible(self) -> QuerySet[AccountState]:
        return accounts.listed(self.actor)

    @action(detail=True, methods=["get"])
    def journey(self, request: Request, pk: str) -> Response:
        """How the company came where it stands, derived from its leads and deals as they are now."""
        state = self.load(lock=False)
        return Response(AccountJourneyOut({"results": accounts.journey(state.company)}).data)
