"""``/api/v1/webhooks``: receivers of our events, and what was sent to them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from smarketing.notifications.models import Delivery, Endpoint, EndpointFormat
from smarketing.notifications.selectors import endpoints
from smarketing.notifications.services import deliveries as delivery_service
from smarketing.notifications.services import endpoints as endpoint_service
from smarketing.notifications.services import recoveries
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import Instant
from smarketing.web.rest.views import Deletable, Listable, Resource, Retrievable, Updatable


class WebhookOut(serializers.ModelSerializer[Endpoint]):
    """A receiver without its secret."""

    class Meta:
        model = Endpoint
        fields = (
            "id",
            "name",
            "url",
            "topics",
            "format",
            "enabled",
            "disabled_reason",
            "failing_since",
            "created_at",
            "updated_at",
            "version",
        )


class WebhookPatch(serializers.Serializer[Any]):
    """What can be edited."""

    name = serializers.CharField(max_length=120, required=False)
    url = serializers.CharField(max_length=2048, required=False)
    topics = serializers.ListField(child=serializers.CharField(max_length=100), required=False, max_length=50)
    format = serializers.ChoiceField(choices=EndpointFormat.choices, required=False)
    enabled = serializers.BooleanField(required=False)


class WebhookIn(serializers.Serializer[Any]):
    """A new receiver; ``topics`` such as ``handoff.delivered``, ``handoff.*`` or ``*``."""

    name = serializers.CharField(max_length=120)
    url = serializers.CharField(max_length=2048)
    topics = serializers.ListField(child=serializers.CharField(max_length=100), max_length=50)
    format = serializers.ChoiceField(choices=EndpointFormat.choices, required=False)


class SinceIn(serializers.Serializer[Any]):
    """Since when a receiver is to get what it missed: at most thirty days ago."""

    since = Instant()


class RecoveredOut(serializers.Serializer[Any]):
    """How many failed messages go out ``again`` and how many were never sent (``new``).

    ``next_since`` is the ``since`` of the next call when there was more than one call takes.
    """

    again = serializers.IntegerField()
    new = serializers.IntegerField()
    next_since = serializers.DateTimeField(allow_null=True)


class IssuedSecretOut(serializers.Serializer[Any]):
    """A receiver with its signing secret (Standard Webhooks), shown this once."""

    endpoint = WebhookOut()
    secret = serializers.CharField()


class DeliveryOut(serializers.ModelSerializer[Delivery]):
    """One message on its way to one receiver."""

    topic = serializers.CharField(source="outbox.topic", read_only=True)

    class Meta:
        model = Delivery
        fields = (
            "id",
            "endpoint",
            "topic",
            "msg_id",
            "state",
            "attempts",
            "not_before",
            "last_status",
            "last_error",
            "finished_at",
        )


class WebhookResource(Listable, Retrievable, Updatable, Deletable, Resource):
    """Receivers of webhooks."""

    model = Endpoint
    capabilities = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update", "destroy", "turn_secret", "recover"), C.MANAGE_KEYS
    )
    output = WebhookOut
    inputs = {"create": WebhookIn, "partial_update": WebhookPatch, "recover": SinceIn}
    outputs = {"create": IssuedSecretOut, "turn_secret": IssuedSecretOut, "recover": RecoveredOut}
    secret_actions = frozenset({"create", "turn_secret"})
    ordering_fields = {"name": "name", "created_at": "created_at"}
    ordering_default = ("name",)

    def visible(self) -> QuerySet[Endpoint]:
        return endpoints.visible_to(self.actor)

    def create(self, request: Request) -> Response:
        """Add a receiver: 201 with its secret."""
        issued = endpoint_service.create(**self.valid(), actor=self.actor, now=self.now)
        response = self.answer(issued, status=201)
        response["Location"] = f"{request.path}/{issued.endpoint.pk}"
        return response

    def change(self, obj: Endpoint, data: dict[str, Any]) -> Endpoint:
        return endpoint_service.update(endpoint=obj, **data, actor=self.actor, now=self.now)

    def remove(self, obj: Endpoint) -> None:
        endpoint_service.delete(endpoint=obj, actor=self.actor, now=self.now)

    @action(detail=True, methods=["post"], url_path="turn-secret")
    def turn_secret(self, request: Request, pk: str) -> Response:
        """A new secret; the former one signs along for a day."""
        issued = endpoint_service.turn_secret(endpoint=self.load(), actor=self.actor, now=self.now)
        return self.answer(issued)

    @action(detail=True, methods=["post"])
    def recover(self, request: Request, pk: str) -> Response:
        """Send it what it missed since then; what it has taken is not repeated."""
        endpoint = self.load()
        done = recoveries.recover(endpoint=endpoint, **self.valid(), actor=self.actor, now=self.now)
        return self.answer(done)


class DeliveryFilter(FilterSet):
    """Filters of the list."""

    state = filters.ChoiceFilter(choices=Delivery.State.choices)
    endpoint = filters.NumberFilter(min_value=1, max_value=10**15)

    class Meta:
        model = Delivery
        fields = ("state", "endpoint")


class DeliveryResource(Listable, Retrievable, Resource):
    """What was sent to receivers, the latest first."""

    model = Delivery
    capabilities = dict.fromkeys(("list", "retrieve", "replay"), C.MANAGE_KEYS)
    output = DeliveryOut
    filterset_class = DeliveryFilter
    ordering_fields = {"created_at": "pk"}
    ordering_default = ("-created_at",)

    def visible(self) -> QuerySet[Delivery]:
        return endpoints.deliveries_visible_to(self.actor)

    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Send a finished one again with the same webhook-id."""
        obj = self.load()
        return self.answer(delivery_service.replay(delivery=obj, actor=self.actor, now=self.now))
