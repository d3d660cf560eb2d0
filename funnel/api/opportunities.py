"""``/api/v1/opportunities``: deals, opened, edited, moved on the board."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.forms.deals import DealFilter
from funnel.models import (
    LeadState,
    LostReason,
    Opportunity,
    OpportunityStage,
    OpportunityStageKind,
    Product,
)
from funnel.selectors import deals
from funnel.services import opportunities as service
from leads.models import Company, Lead, Person, Source
from smarketing.users.domain.roles import Capability as C
from smarketing.users.models import User
from smarketing.users.selectors import organisation, users
from smarketing.web.rest.fields import MOST_ID, Instant, ModelOut, NamedOut, VisibleKey
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable, Updatable


class OpportunityOut(ModelOut[Opportunity]):
    """A deal; ``outcome`` says whether its stage is open, won or lost."""

    stage = serializers.CharField(source="stage.code")
    outcome = serializers.ChoiceField(source="stage.kind", choices=OpportunityStageKind.choices)
    owner = NamedOut(read_only=True, allow_null=True)
    person = NamedOut(read_only=True, allow_null=True)
    company = NamedOut(read_only=True, allow_null=True)
    product = NamedOut(read_only=True, allow_null=True)
    source = serializers.CharField(source="source.code")
    attributes = serializers.DictField(read_only=True)

    class Meta:
        model = Opportunity
        fields = (
            "id", "name", "stage", "outcome", "stage_entered_at", "amount", "currency", "owner", "lead",
            "person", "company", "product", "opened_at", "expected_close_on", "closed_at", "lost_reason",
            "lost_note", "competitor", "attributes", "source", "external_id", "created_at", "updated_at",
            "version",
        )  # fmt: skip


class OpportunityPatch(serializers.Serializer[Any]):
    """What can be edited; stage and outcome change by ``move``."""

    name = serializers.CharField(max_length=300, required=False)
    amount = serializers.DecimalField(
        max_digits=18, decimal_places=2, min_value=0, required=False, allow_null=True
    )
    currency = serializers.CharField(max_length=3, required=False)
    owner = VisibleKey(User, users.visible_to, required=False)
    product = VisibleKey(Product, lambda actor: Product.objects.all(), required=False, allow_null=True)
    person = VisibleKey(Person, required=False, allow_null=True)
    company = VisibleKey(Company, required=False, allow_null=True)
    expected_close_on = serializers.DateField(required=False, allow_null=True)
    attributes = serializers.DictField(required=False)


class OpportunityIn(serializers.Serializer[Any]):
    """A new deal in the first column. Person, company and owner come from the lead where not given."""

    name = serializers.CharField(max_length=300)
    lead = VisibleKey(Lead, required=False, allow_null=True)
    person = VisibleKey(Person, required=False, allow_null=True)
    company = VisibleKey(Company, required=False, allow_null=True)
    product = VisibleKey(Product, lambda actor: Product.objects.all(), required=False, allow_null=True)
    amount = serializers.DecimalField(
        max_digits=18, decimal_places=2, min_value=0, required=False, allow_null=True
    )
    currency = serializers.CharField(max_length=3, required=False, help_text="Else the organisation's.")
    owner = VisibleKey(User, users.visible_to, required=False)
    opened_at = Instant(required=False, help_text="Else now.")
    expected_close_on = serializers.DateField(required=False, allow_null=True)


class MoveDealIn(serializers.Serializer[Any]):
    """The column to move to; a loss says why."""

    to = serializers.SlugField(max_length=40)
    at = Instant(required=False, help_text="Else now.")
    lost_reason = serializers.ChoiceField(choices=LostReason.choices, required=False, allow_blank=True)
    lost_note = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    competitor = serializers.CharField(max_length=200, required=False, allow_blank=True)


class OpportunityFilter(DealFilter):
    """The filters of the page, and exact ones for programs; times are half-open: from ≤ t < to."""

    # The document can't guess the type from the path.
    stage = extend_schema_field(OpenApiTypes.STR)(  # type: ignore[type-var]
        filters.ModelMultipleChoiceFilter(
            field_name="stage__code",
            queryset=OpportunityStage.objects.order_by("position"),
            to_field_name="code",
            distinct=False,
        )
    )
    outcome = filters.MultipleChoiceFilter(
        field_name="stage__kind", choices=OpportunityStageKind.choices, distinct=False
    )
    lead = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    person = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    company = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    source = filters.ModelChoiceFilter(queryset=Source.objects.order_by("code"), to_field_name="code")
    external_id = filters.CharFilter(max_length=255)
    opened_from = InstantFilter(field_name="opened_at", lookup_expr="gte")
    opened_to = InstantFilter(field_name="opened_at", lookup_expr="lt")
    closed_from = InstantFilter(field_name="closed_at", lookup_expr="gte")
    closed_to = InstantFilter(field_name="closed_at", lookup_expr="lt")


class OpportunityResource(Listable, Retrievable, Creatable, Updatable, Resource):
    """Opportunities."""

    model = Opportunity
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.EDIT_OPPORTUNITIES,
        "partial_update": C.EDIT_OPPORTUNITIES,
        "move": C.EDIT_OPPORTUNITIES,
        "undo": C.EDIT_OPPORTUNITIES,
    }
    output = OpportunityOut
    inputs = {"create": OpportunityIn, "partial_update": OpportunityPatch, "move": MoveDealIn}
    filterset_class = OpportunityFilter
    ordering_fields = {
        "id": "pk",
        "opened_at": "opened_at",
        "closed_at": "closed_at",
        "stage_entered_at": "stage_entered_at",
        "amount": "amount",
    }
    ordering_default = ("-id",)
    searchable = True

    def visible(self) -> QuerySet[Opportunity]:
        return deals.listed(self.actor).select_related("source")

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return deals.matching(queryset, text)

    def make(self, data: dict[str, Any]) -> Opportunity:
        lead = data.get("lead")
        data.setdefault("owner", _owner_of(lead) or self.actor)
        data.setdefault("currency", organisation.current().currency)
        data.setdefault("opened_at", self.now)
        return service.open(**data, actor=self.actor, now=self.now)

    def change(self, obj: Opportunity, data: dict[str, Any]) -> Opportunity:
        return service.update(opportunity=obj, changes=data, actor=self.actor, now=self.now)

    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Move it to another column; won and lost close it."""
        deal = self.load()
        return self.answer(service.move(opportunity=deal, **self.valid(), actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Take one's last move back, within ten seconds."""
        return self.answer(service.undo_move(opportunity=self.load(), actor=self.actor, now=self.now))


def _owner_of(lead: Lead | None) -> User | None:
    """Whose lead it is."""
    state = LeadState.objects.select_related("owner").filter(lead=lead).first() if lead else None
    return state.owner if state else None
