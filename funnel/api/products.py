"""``/api/v1/products``: what is sold."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers

from funnel.models import Product
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut
from smarketing.web.rest.views import Listable, Resource, Retrievable


class ProductOut(ModelOut[Product]):
    """A product; its price is in ``currency``."""

    source = serializers.CharField(source="source.code")

    class Meta:
        model = Product
        fields = (
            "id", "name", "series", "list_price", "currency", "is_active", "source", "external_id", "version",
        )  # fmt: skip


class ProductFilter(FilterSet):
    """Products by series and whether they are sold today."""

    series = filters.CharFilter(max_length=120)
    is_active = filters.BooleanFilter()

    class Meta:
        model = Product
        fields = ("series", "is_active")


class ProductResource(Listable, Retrievable, Resource):
    """Products."""

    model = Product
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW}
    output = ProductOut
    filterset_class = ProductFilter
    ordering_fields = {"id": "pk", "name": "name"}
    ordering_default = ("name",)

    def visible(self) -> QuerySet[Product]:
        return Product.objects.select_related("source")
