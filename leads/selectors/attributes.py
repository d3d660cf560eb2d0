"""Looking up the definitions of custom attributes."""

from __future__ import annotations

from django.db.models import QuerySet

from leads.models import AttributeDefinition
from smarketing.users.models import User


def of_subject(subject: str) -> list[AttributeDefinition]:
    """The attributes of one kind of record, in their order."""
    return list(AttributeDefinition.objects.filter(subject=subject))


def find(subject: str, key: str) -> AttributeDefinition | None:
    """One attribute by its key."""
    return AttributeDefinition.objects.filter(subject=subject, key=key).first()


def visible_to(user: User) -> QuerySet[AttributeDefinition]:
    """All definitions, for whoever is active."""
    definitions = AttributeDefinition.objects.order_by()
    return definitions if user.is_active else definitions.none()
