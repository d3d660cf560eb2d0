"""``/api/v1/definitions``: the versions of what a qualified lead is, read only."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.models import DefinitionSignature, DefinitionState, DefinitionVersion
from funnel.selectors import definition_prose, definitions
from smarketing.core.errors import Missing
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut, NamedOut
from smarketing.web.rest.views import Listable, Resource, Retrievable


class DefinitionSignatureOut(ModelOut[DefinitionSignature]):
    """One side's signature over ``digest``."""

    signer = NamedOut(read_only=True)

    class Meta:
        model = DefinitionSignature
        fields = ("side", "signer", "digest", "signed_at")


class DefinitionOut(ModelOut[DefinitionVersion]):
    """A version; both sides sign its ``digest``."""

    author = NamedOut(read_only=True, allow_null=True)
    signatures = DefinitionSignatureOut(many=True, read_only=True)

    class Meta:
        model = DefinitionVersion
        fields: tuple[str, ...] = (
            "number", "name", "state", "digest", "author", "in_force_from", "retired_at", "signatures",
            "created_at", "updated_at", "version",
        )  # fmt: skip


class DefinitionSentencesOut(serializers.Serializer[Any]):
    """The document in words, part by part."""

    fit = serializers.ListField(child=serializers.CharField())
    interest = serializers.ListField(child=serializers.CharField())
    bands = serializers.ListField(child=serializers.CharField())
    cells = serializers.ListField(child=serializers.CharField())
    minimum_information = serializers.ListField(child=serializers.CharField())
    exclusions = serializers.ListField(child=serializers.CharField())


class DefinitionDetailOut(DefinitionOut):
    """With its document (``body``) and the same in sentences."""

    body = serializers.DictField(read_only=True)
    sentences = serializers.SerializerMethodField()

    class Meta(DefinitionOut.Meta):
        fields = (*DefinitionOut.Meta.fields, "body", "sentences")

    @extend_schema_field(DefinitionSentencesOut)
    def get_sentences(self, version: DefinitionVersion) -> Any:
        """Made from the document, so that both say the same."""
        return DefinitionSentencesOut(definition_prose.sentences(definitions.rules_of(version))).data


class DefinitionFilter(FilterSet):
    """Versions by how far they came."""

    state = filters.MultipleChoiceFilter(choices=DefinitionState.choices, distinct=False)

    class Meta:
        model = DefinitionVersion
        fields = ("state",)


class DefinitionResource(Listable, Retrievable, Resource):
    """Versions of the definition, by number."""

    model = DefinitionVersion
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "current": C.VIEW}
    output = DefinitionDetailOut
    outputs = {"list": DefinitionOut}
    filterset_class = DefinitionFilter
    lookup_field = "number"
    ordering_fields = {"number": "number"}
    ordering_default = ("-number",)

    def visible(self) -> QuerySet[DefinitionVersion]:
        return DefinitionVersion.objects.select_related("author").prefetch_related("signatures__signer")

    @action(detail=False, methods=["get"])
    def current(self, request: Request) -> Response:
        """The version in force."""
        found = self.visible().filter(state=DefinitionState.IN_FORCE).first()
        if found is None:
            raise Missing("No definition is in force.")
        return self.answer(found)
