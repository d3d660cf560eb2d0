"""``/api/v1/duplicates``: pairs of records that may be one."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from leads.forms.duplicates import DuplicateResourceFilter
from leads.models import Duplicate, Person
from leads.selectors import duplicates
from leads.services import duplicates as service
from leads.services import finder
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut
from smarketing.web.rest.views import Listable, Resource, Retrievable


class EvidenceOut(serializers.Serializer[Any]):
    """What one field says: ``level`` is same, close, near or different; weights sum to the score."""

    field = serializers.CharField()
    level = serializers.CharField()
    weight = serializers.FloatField()


class LookalikeOut(serializers.Serializer[Any]):
    """A person who looks like the one that is told; nothing was merged."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    score = serializers.FloatField()
    band = serializers.CharField()
    evidence = EvidenceOut(many=True)


def lookalikes_of(person: Person) -> list[dict[str, Any]]:
    """The likeliest, at most five, as :class:`LookalikeOut` tells them; bounded look-ups by index."""
    return [
        {
            "id": match.person.pk,
            "name": match.person.name,
            "score": match.verdict.score,
            "band": str(match.verdict.band),
            "evidence": finder.told(verdict=match.verdict),
        }
        for match in duplicates.like(duplicates.profile(person), but=[person.pk])
    ]


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
