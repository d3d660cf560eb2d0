"""``/api/v1/notifications``: what one was told."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from smarketing.notifications.models import Notification
from smarketing.notifications.selectors import notifications
from smarketing.notifications.services import notifications as notification_service
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.views import Listable, Resource, Retrievable


class NotificationOut(serializers.ModelSerializer[Notification]):
    """One line; ``link`` is a path of ours."""

    class Meta:
        model = Notification
        fields = ("id", "topic", "text", "link", "created_at", "read_at")


class ReadIn(serializers.Serializer[Any]):
    """Which ones were read; without ``ids``, all."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1), required=False, allow_empty=False, max_length=500
    )


class ReadOut(serializers.Serializer[Any]):
    """How many were unread."""

    marked = serializers.IntegerField()


class NotificationFilter(FilterSet):
    """Filters of the list."""

    unread = filters.BooleanFilter(field_name="read_at", lookup_expr="isnull")

    class Meta:
        model = Notification
        fields = ("topic",)


class NotificationResource(Listable, Retrievable, Resource):
    """One's own notifications, the latest first."""

    model = Notification
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "read": C.VIEW}
    output = NotificationOut
    inputs = {"read": ReadIn}
    outputs = {"read": ReadOut}
    filterset_class = NotificationFilter
    ordering_fields = {"created_at": "pk"}
    ordering_default = ("-created_at",)

    def visible(self) -> QuerySet[Notification]:
        return notifications.visible_to(self.actor)

    @action(detail=False, methods=["post"])
    def read(self, request: Request) -> Response:
        """Mark as read."""
        marked = notification_service.mark_read(user=self.actor, now=self.now, ids=self.valid().get("ids"))
        return self.answer({"marked": marked})
