"""``/api/v1/people/<id>/origin`` and ``/footprint``: how they came, how warm they are."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from funnel import access
from funnel.domain.temperature import Heat, Trend
from funnel.selectors import footprint, origin
from leads.models import Person
from leads.selectors import leads as laps
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.views import Resource


class TouchOut(serializers.Serializer[Any]):
    """A contact in short."""

    id = serializers.IntegerField(source="pk")
    occurred_at = serializers.DateTimeField()
    kind = serializers.CharField()
    title = serializers.CharField()
    channel = serializers.CharField(source="channel.code")
    campaign = serializers.IntegerField(source="campaign_id", allow_null=True)
    url = serializers.CharField()


class TopicOut(serializers.Serializer[Any]):
    """A page, form or action: how often, and the points it counted for before decay."""

    label = serializers.CharField()
    url = serializers.CharField()
    count = serializers.IntegerField()
    points = serializers.FloatField()


class OriginOut(serializers.Serializer[Any]):
    """How the present lap came to be; without one, how the person did."""

    lead = serializers.IntegerField(source="lead.pk", default=None)
    first = TouchOut(allow_null=True)
    converting = TouchOut(allow_null=True)
    said = TouchOut(allow_null=True)
    touches = serializers.IntegerField()
    content = TouchOut(many=True)
    pages = TopicOut(many=True)


class FootprintOut(serializers.Serializer[Any]):
    """Temperature against a week ago, visits of all browsers, favourite topics."""

    heat = serializers.ChoiceField(choices=[h.value for h in Heat], source="temperature.heat")
    trend = serializers.ChoiceField(choices=[t.value for t in Trend], source="temperature.trend")
    interest = serializers.FloatField(source="temperature.now")
    interest_a_week_ago = serializers.FloatField(source="temperature.before")
    cools_at = serializers.DateTimeField(allow_null=True)
    last_seen_at = serializers.DateTimeField(allow_null=True)
    first_visit_at = serializers.DateTimeField(allow_null=True)
    visits = serializers.IntegerField()
    browsers = serializers.IntegerField()
    topics = TopicOut(many=True)


class SingleViewResource(Resource):
    """What a rep reads about a person before calling."""

    model = Person
    capabilities = {"origin": C.VIEW, "footprint": C.VIEW}
    output = OriginOut
    outputs = {"origin": OriginOut, "footprint": FootprintOut}
    pagination_class = None

    @extend_schema(operation_id="people_origin")
    def origin(self, request: Request, pk: str) -> Response:
        """First touch, converting touch, campaign, pages that mattered."""
        person = access.person(self.actor, int(pk))
        return self.answer(origin.of_person(person, laps.open_of(person.pk)))

    @extend_schema(operation_id="people_footprint")
    def footprint(self, request: Request, pk: str) -> Response:
        """How warm the person is, and what they care about."""
        person = access.person(self.actor, int(pk))
        return self.answer(footprint.of_person(person, now=self.now))
