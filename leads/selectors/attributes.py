"""Looking up the definitions of custom attributes."""

from __future__ import annotations

from leads.models import AttributeDefinition


def of_subject(subject: str) -> list[AttributeDefinition]:
    """The attributes of one kind of record, in their order."""
    return list(AttributeDefinition.objects.filter(subject=subject))


def find(subject: str, key: str) -> AttributeDefinition | None:
    """One attribute by its key."""
    return AttributeDefinition.objects.filter(subject=subject, key=key).first()
