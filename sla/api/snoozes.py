"""``/api/v1/snoozes``: leads that their owners have set aside. No clock stops for it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.models import Handoff
from sla.domain.snoozes import LONGEST_REASON
from sla.models import Snooze
from sla.services import snoozes as service
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import MOST_ID, Instant, ModelOut, NamedOut, VisibleKey
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable


class SnoozeOut(ModelOut[Snooze]):
    """A lead set aside until ``until``; over then, or at ``ended_at`` if that is set."""

    owner = NamedOut(read_only=True)
    lead = serializers.IntegerField(source="handoff.lead_id")

    class Meta:
        model = Snooze
        fields = ("id", "handoff", "lead", "owner", "until", "reason", "created_at", "ended_at")


class SetAsideIn(serializers.Serializer[Any]):
    """Which handoff waits, until when (at most 30 days ahead), and why."""

    handoff = VisibleKey(Handoff)
    until = Instant()
    reason = serializers.CharField(max_length=LONGEST_REASON)


class WakeIn(serializers.Serializer[Any]):
    """Nothing."""


class SnoozeFilter(FilterSet):
    """Snoozes by handoff and owner; ``ended=false`` and ``until_from`` give those in force."""

    handoff = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    owner = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    ended = filters.BooleanFilter(field_name="ended_at", lookup_expr="isnull", exclude=True)
    until_from = InstantFilter(field_name="until", lookup_expr="gte")
    until_to = InstantFilter(field_name="until", lookup_expr="lt")

    class Meta:
        model = Snooze
        fields = ("handoff", "owner")


class SnoozeResource(Listable, Retrievable, Creatable, Resource):
    """Leads set aside. The owner or a sales manager sets one aside and takes it up again."""

    model = Snooze
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.ANSWER_OWN_HANDOFF,
        "wake": C.ANSWER_OWN_HANDOFF,
    }
    output = SnoozeOut
    inputs = {"create": SetAsideIn, "wake": WakeIn}
    filterset_class = SnoozeFilter
    ordering_fields = {"id": "pk"}
    ordering_default = ("-id",)

    def visible(self) -> QuerySet[Snooze]:
        return Snooze.objects.visible_to(self.actor).select_related("owner", "handoff")

    def make(self, data: dict[str, Any]) -> Snooze:
        return service.snooze(**data, actor=self.actor, now=self.now)

    @action(detail=True, methods=["post"])
    def wake(self, request: Request, pk: str) -> Response:
        """Take the lead up again before the end."""
        self.valid()
        snooze = self.load(lock=False)
        service.wake(handoff=snooze.handoff, actor=self.actor, now=self.now)
        snooze.refresh_from_db()
        return self.answer(snooze)
