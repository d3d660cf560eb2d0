"""``/api/v1/touchpoints``: contacts of persons with us."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers

from leads.api.timed import TimedListable
from leads.models import Campaign, Channel, Lead, Person, Source, Touchpoint, TouchpointKind
from leads.services import sources
from leads.services import touchpoints as service
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import MOST_ID, Code, Instant, ModelOut, NamedOut, VisibleKey
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Creatable, Resource, Retrievable


class TouchpointOut(ModelOut[Touchpoint]):
    """One contact."""

    channel = serializers.CharField(source="channel.code")
    campaign = NamedOut(read_only=True, allow_null=True)
    source = serializers.CharField(source="source.code")
    parameters = serializers.DictField(read_only=True)

    class Meta:
        model = Touchpoint
        fields = (
            "id", "person", "lead", "occurred_at", "kind", "channel", "campaign", "title", "url", "referrer",
            "parameters", "is_self_reported", "source", "external_id", "created_at",
        )  # fmt: skip


class TouchpointIn(serializers.Serializer[Any]):
    """A contact that happened. The same ``external_id`` of a ``source`` again stores nothing new."""

    person = VisibleKey(Person)
    lead = VisibleKey(Lead, required=False, allow_null=True)
    occurred_at = Instant()
    kind = serializers.ChoiceField(choices=TouchpointKind.choices, required=False)
    channel = Code(Channel, required=False, allow_null=True)
    campaign = VisibleKey(Campaign, required=False, allow_null=True)
    title = serializers.CharField(max_length=300, required=False, allow_blank=True)
    url = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    referrer = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    parameters = serializers.DictField(required=False)
    is_self_reported = serializers.BooleanField(required=False)
    source = serializers.SlugField(max_length=60, required=False)
    external_id = serializers.CharField(max_length=255, required=False, allow_null=True)


class TouchpointFilter(FilterSet):
    """Touchpoints by whom, how and when; times are half-open: from ≤ occurred_at < to."""

    person = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    lead = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    campaign = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    kind = filters.MultipleChoiceFilter(choices=TouchpointKind.choices, distinct=False)
    channel = filters.ModelChoiceFilter(queryset=Channel.objects.all(), to_field_name="code")
    source = filters.ModelChoiceFilter(queryset=Source.objects.all(), to_field_name="code")
    occurred_from = InstantFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_to = InstantFilter(field_name="occurred_at", lookup_expr="lt")

    class Meta:
        model = Touchpoint
        fields = ("person", "lead", "campaign", "kind", "channel", "source")


class TouchpointResource(TimedListable, Retrievable, Creatable, Resource):
    """Touchpoints."""

    model = Touchpoint
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "create": C.EDIT_LEADS}
    output = TouchpointOut
    inputs = {"create": TouchpointIn}
    filterset_class = TouchpointFilter
    ordering_fields = {"id": "pk", "occurred_at": "occurred_at"}
    ordering_default = ("-id",)
    finds_stored = True

    def visible(self) -> QuerySet[Touchpoint]:
        return Touchpoint.objects.visible_to(self.actor).select_related("channel", "campaign", "source")

    def make(self, data: dict[str, Any]) -> Touchpoint:
        source = sources.of_program(code=data.pop("source", ""), now=self.now)
        return service.record(**data, source=source, actor=self.actor, now=self.now)

    def is_new(self, obj: Touchpoint) -> bool:
        return obj.created_at == self.now
