"""``/api/v1/duplicates``: pairs of records that may be one."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from leads.forms.duplicates import DuplicateResourceFilter
from leads.models import Duplicate
from leads.selectors import duplicates
from leads.services import duplicates as service
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut
from smarketing.web.rest.likeness import EvidenceOut
from smarketing.web.rest.views import Listable, Resource, Retrievable


class DuplicateOut(ModelOut[Duplicate]):
    """A pair: two persons (``left``, ``right``) or two companies; ids, the smaller one left."""

    evidence = EvidenceOut(many=True, read_only=True)

    class Meta:
        model = Duplicate
        fields = (
            "id", "kind", "left", "right", "left_company", "right_company", "score", "band", "evidence",
            "state", "found_at", "decided_at", "decided_by",
        )  # fmt: skip


class NothingIn(serializers.Serializer[Any]):
    """No members."""


class DuplicateResource(Listable, Retrievable, Resource):
    """Pairs found. ``dismiss`` says that they are not the same, for ever; ``reopen`` takes that back."""

    model = Duplicate
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "dismiss": C.MERGE_RECORDS,
        "reopen": C.MERGE_RECORDS,
    }
    output = DuplicateOut
    inputs = {"dismiss": NothingIn, "reopen": NothingIn}
    filterset_class = DuplicateResourceFilter
    ordering_fields = {"id": "pk", "score": "score"}
    ordering_default = ("-score",)

    def visible(self) -> QuerySet[Duplicate]:
        return duplicates.listed(self.actor)

    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: str) -> Response:
        """They are not the same; the finder does not offer them again."""
        return self.answer(service.dismiss(pair=self.load(), actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Offer them again."""
        return self.answer(service.ask_again(pair=self.load(), actor=self.actor, now=self.now))
