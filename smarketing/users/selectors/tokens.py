"""Reads of API tokens; their secrets can't be read by anybody."""

from __future__ import annotations

from django.db.models import QuerySet

from smarketing.users.domain.roles import Capability
from smarketing.users.models import ApiToken, User


def visible_to(user: User) -> QuerySet[ApiToken]:
    """One's own; all of them for whoever manages keys."""
    tokens = ApiToken.objects.select_related("user")
    return tokens if user.may(Capability.MANAGE_KEYS) else tokens.filter(user=user)
