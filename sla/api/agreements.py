"""``/api/v1/agreements``: the versions of what both sides promised, read only."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from sla.models import AgreementSignature, AgreementState, AgreementVersion, Clause
from sla.selectors import agreements, prose
from smarketing.core.errors import Missing
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut, NamedOut
from smarketing.web.rest.views import Listable, Resource, Retrievable


class AgreementSignatureOut(ModelOut[AgreementSignature]):
    """One side's signature over ``digest``."""

    signer = NamedOut(read_only=True)

    class Meta:
        model = AgreementSignature
        fields = ("side", "signer", "digest", "signed_at")


class ClauseOut(ModelOut[Clause]):
    """One promise as data and in words; ``target`` is in the unit of its metric (minutes)."""

    calendar = NamedOut(read_only=True, allow_null=True)
    accountable = NamedOut(read_only=True, allow_null=True)
    backup = NamedOut(read_only=True, allow_null=True)
    population = serializers.DictField(read_only=True)
    sentence = serializers.SerializerMethodField()
    details = serializers.SerializerMethodField()

    class Meta:
        model = Clause
        fields = (
            "id", "position", "side", "metric", "comparator", "target", "period", "calendar", "population",
            "grace_seconds", "accountable", "backup", "sentence", "details",
        )  # fmt: skip

    def get_sentence(self, clause: Clause) -> str:
        """The promise in one sentence, made from the data."""
        return prose.sentence(clause)

    def get_details(self, clause: Clause) -> list[str]:
        """What else was agreed about it."""
        return prose.details(clause)


class AgreementOut(ModelOut[AgreementVersion]):
    """A version with its clauses; in force once both sides have signed its ``digest``."""

    name = serializers.CharField(source="agreement.name")
    author = NamedOut(read_only=True, allow_null=True)
    clauses = ClauseOut(many=True, read_only=True)
    signatures = AgreementSignatureOut(many=True, read_only=True)

    class Meta:
        model = AgreementVersion
        fields = (
            "number", "name", "state", "digest", "author", "in_force_from", "retired_at", "clauses",
            "signatures", "created_at", "updated_at", "version",
        )  # fmt: skip


class AgreementFilter(FilterSet):
    """Versions by how far they came."""

    state = filters.MultipleChoiceFilter(choices=AgreementState.choices, distinct=False)

    class Meta:
        model = AgreementVersion
        fields = ("state",)


class AgreementResource(Listable, Retrievable, Resource):
    """Versions of the agreement, by number; drafts only for those who may edit them."""

    model = AgreementVersion
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "current": C.VIEW}
    output = AgreementOut
    filterset_class = AgreementFilter
    lookup_field = "number"
    ordering_fields = {"number": "number"}
    ordering_default = ("-number",)

    def visible(self) -> QuerySet[Any]:
        found = agreements.versions()
        if self.actor.may(C.EDIT_AGREEMENT):
            return found
        return found.exclude(state=AgreementState.DRAFT)

    @action(detail=False, methods=["get"])
    def current(self, request: Request) -> Response:
        """The version in force."""
        found = self.visible().filter(state=AgreementState.IN_FORCE).first()
        if found is None:
            raise Missing("Nothing has been agreed yet.")
        return self.answer(found)
