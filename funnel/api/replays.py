"""``/api/v1/replays``: ask what versions of the definition would have done, and read the result."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers

from funnel.models import DefinitionVersion, Replay, ReplayState
from funnel.selectors import definitions
from funnel.selectors import replays as told
from funnel.services import replays
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import Instant, ModelOut, NamedOut
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable


class ReplayedVersionOut(serializers.Serializer[Any]):
    """A version as it was when the replay was asked for."""

    number = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.CharField()
    digest = serializers.CharField()


class ReplayOut(ModelOut[Replay]):
    """A replay and how far it is; ``results`` stand in the order of ``versions`` once it is done."""

    versions = ReplayedVersionOut(many=True, read_only=True)
    results = serializers.ListField(child=serializers.DictField(), read_only=True)
    requested_by = NamedOut(read_only=True, allow_null=True)

    class Meta:
        model = Replay
        fields = (
            "id", "starts_at", "ends_at", "versions", "state", "leads_total", "leads_done", "results",
            "problem", "requested_by", "requested_at", "ended_at",
        )  # fmt: skip


class ReplayIn(serializers.Serializer[Any]):
    """One to four versions by their numbers, and the period [start, end)."""

    versions = serializers.ListField(child=serializers.IntegerField(min_value=1), min_length=1, max_length=4)
    start = Instant()
    end = Instant()

    def validate_versions(self, numbers: list[int]) -> list[DefinitionVersion]:
        """Each number is one of a version."""
        found = definitions.numbered(numbers)
        unknown = [n for n in numbers if n not in found]
        if unknown:
            raise serializers.ValidationError(f"There is no version {unknown[0]}.")
        return [found[n] for n in dict.fromkeys(numbers)]


class ReplayFilter(FilterSet):
    """Replays by how far they came."""

    state = filters.MultipleChoiceFilter(choices=ReplayState.choices, distinct=False)

    class Meta:
        model = Replay
        fields = ("state",)


class ReplayResource(Listable, Retrievable, Creatable, Resource):
    """Replays, newest first."""

    model = Replay
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "create": C.EDIT_DEFINITION}
    output = ReplayOut
    inputs = {"create": ReplayIn}
    filterset_class = ReplayFilter
    ordering_fields = {"requested": "pk"}
    ordering_default = ("-requested",)

    def visible(self) -> QuerySet[Replay]:
        """Replays the actor may read."""
        return told.visible_to(self.actor)

    def make(self, data: dict[str, Any]) -> Replay:
        """Ask for a replay; it is carried out in the background."""
        return replays.ask(**data, actor=self.actor, now=self.now)
