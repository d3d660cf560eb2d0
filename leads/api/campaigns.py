"""``/api/v1/campaigns``: marketing efforts that leads and touchpoints belong to."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from leads.forms.filters import CampaignFilter
from leads.models import Campaign, CampaignKind, CampaignStatus, Channel
from leads.selectors import campaigns
from leads.services import campaigns as service
from leads.services import sources
from smarketing.users.domain.roles import Capability as C
from smarketing.users.models import User
from smarketing.users.selectors import users
from smarketing.web.rest.fields import Code, ModelOut, NamedOut, VisibleKey
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable, Updatable


class CampaignOut(ModelOut[Campaign]):
    """A campaign; money is in ``currency``."""

    channel = serializers.CharField(source="channel.code", allow_null=True, default=None)
    owner = NamedOut(read_only=True, allow_null=True)
    source = serializers.CharField(source="source.code")

    class Meta:
        model = Campaign
        fields = (
            "id", "name", "kind", "status", "channel", "owner", "starts_on", "ends_on", "budget",
            "actual_cost", "currency", "description", "source", "external_id", "created_at", "updated_at",
            "version",
        )  # fmt: skip


class CampaignPatch(serializers.Serializer[Any]):
    """What can be edited."""

    name = serializers.CharField(max_length=255, required=False)
    kind = serializers.ChoiceField(choices=CampaignKind.choices, required=False)
    status = serializers.ChoiceField(choices=CampaignStatus.choices, required=False)
    channel = Code(Channel, required=False, allow_null=True)
    owner = VisibleKey(User, users.visible_to, required=False, allow_null=True)
    starts_on = serializers.DateField(required=False, allow_null=True)
    ends_on = serializers.DateField(required=False, allow_null=True)
    budget = serializers.DecimalField(
        max_digits=18, decimal_places=2, min_value=0, required=False, allow_null=True
    )
    actual_cost = serializers.DecimalField(
        max_digits=18, decimal_places=2, min_value=0, required=False, allow_null=True
    )
    currency = serializers.CharField(max_length=3, required=False, allow_blank=True)
    description = serializers.CharField(max_length=10_000, required=False, allow_blank=True)


class CampaignIn(CampaignPatch):
    """A new campaign; ``external_id`` is unique within ``source``."""

    name = serializers.CharField(max_length=255)
    source = serializers.SlugField(max_length=60, required=False)
    external_id = serializers.CharField(max_length=255, required=False, allow_null=True)


class CampaignResource(Listable, Retrievable, Creatable, Updatable, Resource):
    """Campaigns."""

    model = Campaign
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.EDIT_CAMPAIGNS,
        "partial_update": C.EDIT_CAMPAIGNS,
    }
    output = CampaignOut
    inputs = {"create": CampaignIn, "partial_update": CampaignPatch}
    filterset_class = CampaignFilter
    ordering_fields = {"id": "pk", "name": "name"}
    ordering_default = ("name",)
    searchable = True

    def visible(self) -> QuerySet[Campaign]:
        return Campaign.objects.visible_to(self.actor).select_related("channel", "owner", "source")

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return campaigns.matching(queryset, text)

    def make(self, data: dict[str, Any]) -> Campaign:
        source = sources.of_program(code=data.pop("source", ""), now=self.now)
        return service.create(**data, source=source, actor=self.actor, now=self.now)

    def change(self, obj: Campaign, data: dict[str, Any]) -> Campaign:
        return service.update(campaign=obj, changes=data, actor=self.actor, now=self.now)
