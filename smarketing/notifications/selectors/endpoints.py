"""Reads of webhook receivers and of what was sent to them."""

from __future__ import annotations

from django.db.models import QuerySet

from smarketing.notifications.models import Delivery, Endpoint
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


def visible_to(user: User) -> QuerySet[Endpoint]:
    """All receivers for whoever manages keys, none for others."""
    return Endpoint.objects.all() if user.may(Capability.MANAGE_KEYS) else Endpoint.objects.none()


def deliveries_of(endpoint: Endpoint) -> QuerySet[Delivery]:
    """What was sent or is to be sent to ``endpoint``, the latest first."""
    return Delivery.objects.filter(endpoint=endpoint).select_related("outbox").order_by("-pk")


def deliveries_visible_to(user: User) -> QuerySet[Delivery]:
    """All webhook deliveries for whoever manages keys, none for others."""
    deliveries = Delivery.objects.exclude(endpoint=None).select_related("outbox")
    return deliveries if user.may(Capability.MANAGE_KEYS) else deliveries.none()
