"""``/api/v1/companies``: companies, which group persons."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from leads.api.references import RefIn, moved, refs_of
from leads.forms.filters import CompanyFilter
from leads.models import Company
from leads.selectors import companies, merges
from leads.services import companies as service
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut, VisibleKey
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable, Updatable


class CompanyOut(ModelOut[Company]):
    """A company."""

    attributes = serializers.DictField(read_only=True)

    class Meta:
        model = Company
        fields = (
            "id", "name", "domain", "industry", "employees", "annual_revenue", "currency", "country", "city",
            "phone", "parent", "attributes", "created_at", "updated_at", "version",
        )  # fmt: skip


class CompanyPatch(serializers.Serializer[Any]):
    """What can be edited; ``attributes`` are merged, ``null`` takes one away."""

    name = serializers.CharField(max_length=255, required=False)
    domain = serializers.CharField(max_length=253, required=False, allow_blank=True)
    industry = serializers.CharField(max_length=120, required=False, allow_blank=True)
    employees = serializers.IntegerField(
        min_value=0, max_value=2_147_483_647, required=False, allow_null=True
    )
    annual_revenue = serializers.DecimalField(
        max_digits=18, decimal_places=2, required=False, allow_null=True
    )
    currency = serializers.CharField(max_length=3, required=False, allow_blank=True)
    country = serializers.CharField(max_length=80, required=False, allow_blank=True)
    city = serializers.CharField(max_length=120, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    parent = VisibleKey(Company, required=False, allow_null=True)
    attributes = serializers.DictField(required=False)


class CompanyIn(CompanyPatch):
    """A new company."""

    name = serializers.CharField(max_length=255)
    refs = RefIn(many=True, required=False)


class CompanyResource(Listable, Retrievable, Creatable, Updatable, Resource):
    """Companies."""

    model = Company
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.EDIT_LEADS,
        "partial_update": C.EDIT_LEADS,
    }
    output = CompanyOut
    inputs = {"create": CompanyIn, "partial_update": CompanyPatch}
    filterset_class = CompanyFilter
    ordering_fields = {"id": "pk", "name": "name"}
    ordering_default = ("name",)
    searchable = True

    def visible(self) -> QuerySet[Company]:
        return Company.objects.visible_to(self.actor)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One object; one that was merged away answers 301 with where it is now."""
        survivor = merges.company_standing_for(int(kwargs["pk"]))
        return super().retrieve(request, *args, **kwargs) if survivor is None else moved(request, survivor.pk)

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return companies.matching(queryset, text)

    def make(self, data: dict[str, Any]) -> Company:
        refs = refs_of(data.pop("refs", ()), now=self.now)
        return service.create(**data, refs=refs, actor=self.actor, now=self.now)

    def change(self, obj: Company, data: dict[str, Any]) -> Company:
        return service.update(company=obj, changes=data, actor=self.actor, now=self.now)
