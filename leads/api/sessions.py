"""``/api/v1/people/<id>/sessions``: the visits of a person, read only."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters.filterset import FilterSet
from rest_framework import serializers

from leads import access
from leads.models import Session
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Listable, Resource


class SessionOut(ModelOut[Session]):
    """One visit; ``channel`` is how it began, ``parameters`` what its first address carried."""

    channel = serializers.CharField(source="channel.code")
    source = serializers.CharField(source="source.code")
    parameters = serializers.DictField(read_only=True)

    class Meta:
        model = Session
        fields = (
            "id", "started_at", "last_at", "pages", "events", "engagement_seconds", "entry_url", "exit_url",
            "referrer", "parameters", "channel", "source",
        )  # fmt: skip


class SessionFilter(FilterSet):
    """Visits by time: from ≤ started_at < to."""

    started_from = InstantFilter(field_name="started_at", lookup_expr="gte")
    started_to = InstantFilter(field_name="started_at", lookup_expr="lt")

    class Meta:
        model = Session
        fields = ()


class PersonSessionResource(Listable, Resource):
    """Visits of one person, the latest first."""

    model = Session
    capabilities = {"list": C.VIEW}
    output = SessionOut
    filterset_class = SessionFilter
    ordering_fields = {"started_at": "started_at"}
    ordering_default = ("-started_at",)

    def visible(self) -> QuerySet[Session]:
        person = access.get_person(self.actor, int(self.kwargs["person"]))
        return (
            Session.objects.visible_to(self.actor).filter(person=person).select_related("channel", "source")
        )
