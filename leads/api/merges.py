"""``/api/v1/merges``: merging two records into one, many certain pairs at once, and undoing it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from leads.models import Company, DuplicateKind, Merge, Person
from leads.selectors import merges
from leads.services import merges as service
from smarketing.core.errors import FieldError, Invalid
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import MOST_ID, ModelOut
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable


class MergeOut(ModelOut[Merge]):
    """One record went into another; ids. ``undone_at`` says that they are two again."""

    class Meta:
        model = Merge
        fields = (
            "id", "kind", "survivor", "merged", "survivor_company", "merged_company", "batch", "actor",
            "merged_at", "undone_at", "undone_by",
        )  # fmt: skip


class MergesOut(serializers.Serializer[Any]):
    """What was done, in order."""

    merges = MergeOut(many=True)


class MergeIn(serializers.Serializer[Any]):
    """``survivor`` goes on, ``merged`` goes into it. ``choices`` says whose value stays, per field."""

    kind = serializers.ChoiceField(choices=DuplicateKind.choices)
    survivor = serializers.IntegerField(min_value=1, max_value=MOST_ID)
    merged = serializers.IntegerField(min_value=1, max_value=MOST_ID)
    choices = serializers.DictField(
        child=serializers.ChoiceField(choices=("survivor", "merged")), required=False
    )


class PairOut(serializers.Serializer[Any]):
    """One pair: its merge, or why it was not merged."""

    duplicate = serializers.IntegerField(source="pair_id")
    merge = MergeOut(allow_null=True)
    code = serializers.CharField()
    detail = serializers.CharField()


class BulkMergeOut(serializers.Serializer[Any]):
    """What became of each pair, in the order of the pairs."""

    results = PairOut(many=True)


class BulkMergeIn(serializers.Serializer[Any]):
    """Ids of pairs of ``/duplicates`` that wait and are certain."""

    duplicates = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MOST_ID), min_length=1, max_length=200
    )


class NothingIn(serializers.Serializer[Any]):
    """No members."""


class MergeResource(Listable, Retrievable, Creatable, Resource):
    """Merges. Everything of the one becomes the other's; an undoing restores both."""

    model = Merge
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.MERGE_RECORDS,
        "undo": C.MERGE_RECORDS,
        "bulk": C.MERGE_RECORDS,
    }
    output = MergeOut
    outputs = {"undo": MergesOut, "bulk": BulkMergeOut}
    inputs = {"create": MergeIn, "undo": NothingIn, "bulk": BulkMergeIn}
    ordering_fields = {"id": "pk", "merged_at": "merged_at"}
    ordering_default = ("-merged_at",)

    def visible(self) -> QuerySet[Merge]:
        return merges.listed(self.actor)

    def make(self, data: dict[str, Any]) -> Merge:
        _check_there(data["kind"], [data["survivor"], data["merged"]], self)
        return service.merge_records(
            kind=data["kind"],
            survivor_id=data["survivor"],
            merged_id=data["merged"],
            choices=data.get("choices", {}),
            actor=self.actor,
            now=self.now,
        )

    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Two again; of merges that were ordered together, all."""
        done = service.undo(merge=self.load(lock=False), actor=self.actor, now=self.now)
        return self.answer({"merges": done})

    @action(detail=False, methods=["post"])
    def bulk(self, request: Request) -> Response:
        """Merge certain pairs, each by itself; the answer says of each what became of it."""
        done = service.merge_each(pair_ids=self.valid()["duplicates"], actor=self.actor, now=self.now)
        return self.answer({"results": done})


def _check_there(kind: str, keys: list[int], resource: MergeResource) -> None:
    """Both records are in sight. Raises ``Invalid``, naming the member."""
    model = Person if kind == DuplicateKind.PERSON else Company
    seen = set(model.objects.visible_to(resource.actor).filter(pk__in=keys).values_list("pk", flat=True))
    errors = [
        FieldError(name, "does_not_exist", "There is no such record, or you may not see it.")
        for name, key in zip(("survivor", "merged"), keys, strict=True)
        if key not in seen
    ]
    if errors:
        raise Invalid("Some of the records are not there.", errors=errors)
