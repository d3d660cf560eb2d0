"""``/api/v1/clocks``: running and ended promises, each with the strip that explains its deadline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from sla import access
from sla.models import Clock, ClockAction, ClockKind, ClockState
from sla.selectors import clocks
from sla.selectors.clocks import Strip
from sla.services import clocks as services
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import MOST_ID, Instant, ModelOut, NamedOut
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Listable, Resource, Retrievable


class ClockOut(ModelOut[Clock]):
    """A promise about a handoff. Paused it has no ``due_at`` but ``remaining_seconds``."""

    lead = serializers.IntegerField(source="handoff.lead_id")
    person = NamedOut(source="handoff.lead.person", read_only=True)
    owner = NamedOut(read_only=True)
    metric = serializers.CharField(source="clause.metric")

    class Meta:
        model = Clock
        fields: tuple[str, ...] = (
            "id", "handoff", "lead", "person", "owner", "kind", "metric", "cycle", "state", "started_at",
            "target_seconds", "due_at", "paused_at", "remaining_seconds", "resumes_at", "breached_at",
            "ended_at", "elapsed_seconds", "version",
        )  # fmt: skip


class SegmentOut(serializers.Serializer[Any]):
    """A piece of time: whether it counts, and why not."""

    start = Instant()
    end = Instant()
    kind = serializers.ChoiceField(choices=["counting", "off_hours", "holiday", "paused"])


class MarkOut(serializers.Serializer[Any]):
    """What happened or falls due at an instant."""

    at = Instant()
    kind = serializers.CharField()
    label = serializers.CharField()
    detail = serializers.CharField()
    is_void = serializers.BooleanField()


class StripOut(serializers.Serializer[Any]):
    """Start, target, calendar and pauses give the deadline: add up the counting seconds."""

    start = Instant()
    end = Instant()
    calendar = serializers.CharField()
    target_seconds = serializers.SerializerMethodField()
    counted_seconds = serializers.SerializerMethodField()
    segments = SegmentOut(many=True)
    marks = MarkOut(many=True)

    def get_target_seconds(self, strip: Strip) -> float:
        """The time that was promised."""
        return strip.target.total_seconds()

    def get_counted_seconds(self, strip: Strip) -> float:
        """How much of it has counted until now, or until the end."""
        return strip.counted.total_seconds()


class ClockDetailOut(ClockOut):
    """With its strip."""

    strip = serializers.SerializerMethodField()

    class Meta(ClockOut.Meta):
        fields = (*ClockOut.Meta.fields, "strip")

    @extend_schema_field(StripOut)
    def get_strip(self, clock: Clock) -> Any:
        """Up to its end, or up to its deadline while it runs."""
        now: datetime = self.context["view"].now
        return StripOut(clocks.strip(clock, now=now)).data


class ClockFilter(FilterSet):
    """Clocks by state, kind, owner, handoff and time; times are half-open: from ≤ t < to."""

    state = filters.MultipleChoiceFilter(choices=ClockState.choices, distinct=False)
    kind = filters.MultipleChoiceFilter(choices=ClockKind.choices, distinct=False)
    owner = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    handoff = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    lead = filters.NumberFilter(field_name="handoff__lead", min_value=1, max_value=MOST_ID)
    open = filters.BooleanFilter(field_name="ended_at", lookup_expr="isnull")
    started_from = InstantFilter(field_name="started_at", lookup_expr="gte")
    started_to = InstantFilter(field_name="started_at", lookup_expr="lt")
    due_from = InstantFilter(field_name="due_at", lookup_expr="gte")
    due_to = InstantFilter(field_name="due_at", lookup_expr="lt")

    class Meta:
        model = Clock
        fields = ("state", "kind", "owner", "handoff")


class PauseIn(serializers.Serializer[Any]):
    """Why the clock should wait; everybody reads it."""

    reason = serializers.CharField(max_length=300)


class ResumeIn(serializers.Serializer[Any]):
    """Nothing."""


class ClockResource(Listable, Retrievable, Resource):
    """Clocks; everybody sees every one. The owner or a sales manager pauses one, for a reason."""

    model = Clock
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "pause": C.ANSWER_OWN_HANDOFF,
        "resume": C.ANSWER_OWN_HANDOFF,
    }
    output = ClockDetailOut
    outputs = {"list": ClockOut}
    inputs = {"pause": PauseIn, "resume": ResumeIn}
    filterset_class = ClockFilter
    ordering_fields = {"started_at": "started_at", "due_at": "due_at"}
    ordering_default = ("-started_at",)

    def visible(self) -> QuerySet[Clock]:
        found = clocks.visible_to(self.actor)
        if self.action == "list":
            return found
        return self._with_story(found)

    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Hold a running clock, at most for as long as its clause allows per lead."""
        reason = self.valid()["reason"]
        services.pause(clock=self._mine(), at=self.now, actor=self.actor, reason=reason, now=self.now)
        return self._told(pk)

    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Let a paused clock go on with the time that was left."""
        self.valid()
        services.resume(clock=self._mine(), at=self.now, actor=self.actor, now=self.now)
        return self._told(pk)

    def _mine(self) -> Clock:
        return access.clock_to_hold(self.actor, self.load(lock=False).pk)

    def _told(self, pk: str) -> Response:
        return self.answer(self._with_story(clocks.visible_to(self.actor)).get(pk=pk))

    def _with_story(self, found: QuerySet[Clock]) -> QuerySet[Clock]:
        actions = ClockAction.objects.select_related("actor").order_by("pk")
        return found.prefetch_related("events", Prefetch("actions", actions))
