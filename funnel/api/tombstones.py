"""``/api/v1/tombstones``: who is never delivered again."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.forms.tombstones import TombstoneFilter
from funnel.models import (
    Product,
    Tombstone,
    TombstoneKey,
    TombstoneReason,
    TombstoneReopen,
    TombstoneScope,
)
from funnel.selectors import tombstones
from funnel.services import tombstones as service
from leads.models import Company, Person
from smarketing.users.domain.roles import Capability as C
from smarketing.users.models import User
from smarketing.web.rest.fields import Instant, ModelOut, VisibleKey
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable


class TombstoneKeyOut(ModelOut[TombstoneKey]):
    """One thing by which somebody is recognised; ``email_hash`` is keyed and can't be turned back."""

    class Meta:
        model = TombstoneKey
        fields = ("kind", "value")


class TombstoneOut(ModelOut[Tombstone]):
    """A standing refusal; ``blocked`` counts the leads it kept from being delivered again."""

    keys = TombstoneKeyOut(many=True, read_only=True)
    blocked = serializers.IntegerField(source="blocked_count", read_only=True)

    class Meta:
        model = Tombstone
        fields = (
            "id", "scope", "reason", "note", "label", "reopen", "lead", "company", "product", "author",
            "expires_at", "lifted_at", "lifted_by", "lift_reason", "keys", "blocked", "created_at",
            "updated_at", "version",
        )  # fmt: skip


def _products(user: User) -> QuerySet[Product]:
    return Product.objects.all() if user.may(C.VIEW) else Product.objects.none()


class TombstoneIn(serializers.Serializer[Any]):
    """Whom to refuse: a person by id, addresses or numbers, or a company by id or domain."""

    scope = serializers.ChoiceField(choices=TombstoneScope.choices)
    reason = serializers.ChoiceField(choices=TombstoneReason.choices, default=TombstoneReason.OTHER)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)
    person = VisibleKey(Person, required=False, allow_null=True)
    company = VisibleKey(Company, required=False, allow_null=True)
    product = VisibleKey(Product, visible=_products, required=False, allow_null=True)
    emails = serializers.ListField(child=serializers.CharField(max_length=320), required=False, max_length=20)
    phones = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=20)
    domain = serializers.CharField(max_length=253, required=False, allow_blank=True)
    reopen = serializers.ChoiceField(choices=TombstoneReopen.choices, default=TombstoneReopen.NEVER)
    expires_at = Instant(required=False, allow_null=True)


class LiftIn(serializers.Serializer[Any]):
    """Why they may be delivered again."""

    reason = serializers.CharField(max_length=500)


class TombstoneResourceFilter(TombstoneFilter):
    """The filters of the page, and the time of writing; from ≤ created_at < to."""

    created_from = InstantFilter(field_name="created_at", lookup_expr="gte")
    created_to = InstantFilter(field_name="created_at", lookup_expr="lt")


class TombstoneResource(Listable, Retrievable, Creatable, Resource):
    """Tombstones. They are never edited or deleted: one is lifted, with its reason."""

    model = Tombstone
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "create": C.EDIT_LEADS, "lift": C.LIFT_TOMBSTONES}
    output = TombstoneOut
    inputs = {"create": TombstoneIn, "lift": LiftIn}
    filterset_class = TombstoneResourceFilter
    ordering_fields = {"id": "pk", "created_at": "created_at"}
    ordering_default = ("-created_at",)

    def visible(self) -> QuerySet[Tombstone]:
        return tombstones.listed(self.actor)

    def make(self, data: dict[str, Any]) -> Tombstone:
        made = service.add(**data, actor=self.actor, now=self.now)
        return self.visible().get(pk=made.pk)

    @action(detail=True, methods=["post"])
    def lift(self, request: Request, pk: str) -> Response:
        """Let them in again."""
        tombstone, data = self.load(), self.valid()
        service.lift(tombstone=tombstone, **data, actor=self.actor, now=self.now)
        return self.answer(self.visible().get(pk=tombstone.pk))
