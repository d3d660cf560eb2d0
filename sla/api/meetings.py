"""``/api/v1/meetings``: meetings of the two teams, by which the promised cadence is measured."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from sla.models import TeamMeeting
from sla.selectors import meetings as reads
from sla.services import meetings
from smarketing.core.errors import FieldError
from smarketing.users.domain.roles import Capability as C
from smarketing.users.selectors import users
from smarketing.web.rest.fields import Instant, ModelOut, NamedOut
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable


class MeetingOut(ModelOut[TeamMeeting]):
    """One meeting; a voided one counts no more."""

    attendees = NamedOut(many=True)
    recorded_by = NamedOut(allow_null=True)

    class Meta:
        model = TeamMeeting
        fields = (
            "id",
            "held_at",
            "attendees",
            "note",
            "recorded_by",
            "recorded_at",
            "voided_at",
            "void_reason",
        )


class MeetingIn(serializers.Serializer[Any]):
    """A meeting that was held; ``attendees`` are ids of users, at least one of each side."""

    held_at = Instant()
    attendees = serializers.ListField(child=serializers.IntegerField(min_value=1), max_length=200)
    note = serializers.CharField(max_length=meetings.LONGEST, required=False, allow_blank=True, default="")


class VoidIn(serializers.Serializer[Any]):
    """Why it does not count."""

    reason = serializers.CharField(max_length=300)


class MeetingFilter(FilterSet):
    """Filters of the list."""

    held_from = InstantFilter(field_name="held_at", lookup_expr="gte")
    held_to = InstantFilter(field_name="held_at", lookup_expr="lt")

    class Meta:
        model = TeamMeeting
        fields = ()


class MeetingResource(Listable, Retrievable, Creatable, Resource):
    """Meetings of the two teams."""

    model = TeamMeeting
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "create": C.LOG_ACTIVITY, "void": C.LOG_ACTIVITY}
    output = MeetingOut
    inputs = {"create": MeetingIn, "void": VoidIn}
    filterset_class = MeetingFilter
    ordering_fields = {"held_at": "held_at"}
    ordering_default = ("-held_at",)

    def visible(self) -> QuerySet[TeamMeeting]:
        return reads.visible_to(self.actor)

    def make(self, data: dict[str, Any]) -> TeamMeeting:
        ids = set(data.pop("attendees"))
        found = list(users.visible_to(self.actor).filter(pk__in=ids, is_active=True))
        if len(found) != len(ids):
            detail = "There is no such colleague."
            raise meetings.MeetingInvalid(detail, errors=[FieldError("attendees", "unknown", detail)])
        return meetings.log(**data, attendees=found, actor=self.actor, now=self.now)

    @action(detail=True, methods=["post"])
    def void(self, request: Request, pk: str) -> Response:
        """Take an entry back; it stays in the list and counts no more."""
        meeting = self.load(lock=False)
        return self.answer(meetings.void(meeting=meeting, **self.valid(), actor=self.actor, now=self.now))
