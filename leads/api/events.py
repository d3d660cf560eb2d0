"""``/api/v1/people/<id>/events``: the recorded behaviour of a person, read only."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers

from leads import access
from leads.models import Event, EventKind
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Listable, Resource


class EventOut(ModelOut[Event]):
    """One behaviour."""

    source = serializers.CharField(source="source.code")
    properties = serializers.DictField(read_only=True)

    class Meta:
        model = Event
        fields = ("id", "kind", "name", "url", "occurred_at", "received_at", "properties", "source")


class EventFilter(FilterSet):
    """Events by kind and time: from ≤ occurred_at < to."""

    kind = filters.MultipleChoiceFilter(choices=EventKind.choices, distinct=False)
    occurred_from = InstantFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_to = InstantFilter(field_name="occurred_at", lookup_expr="lt")

    class Meta:
        model = Event
        fields = ("kind",)


class PersonEventResource(Listable, Resource):
    """Events of one person, the latest first."""

    model = Event
    capabilities = {"list": C.VIEW}
    output = EventOut
    filterset_class = EventFilter
    ordering_fields = {"occurred_at": "occurred_at"}
    ordering_default = ("-occurred_at",)

    def visible(self) -> QuerySet[Event]:
        person = access.get_person(self.actor, int(self.kwargs["person"]))
        return Event.objects.visible_to(self.actor).filter(person=person).select_related("source")
