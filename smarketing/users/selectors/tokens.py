"""Reads of API tokens; their secrets can't be read by anybody."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from smarketing.users.domain.roles import Capability
from smarketing.users.models import ApiToken, User


def visible_to(user: User) -> QuerySet[ApiToken]:
    """One's own; all of them for whoever manages keys."""
    tokens = ApiToken.objects.select_related("user")
    return tokens if user.may(Capability.MANAGE_KEYS) else tokens.filter(user=user)


def matching(queryset: QuerySet[ApiToken], text: str) -> QuerySet[ApiToken]:
    """Those whose name, prefix or user holds ``text``."""
    return queryset.filter(
        Q(name__icontains=text) | Q(prefix__istartswith=text) | Q(user__name__icontains=text)
    )


def live(queryset: QuerySet[ApiToken], *, now: datetime, is_live: bool) -> QuerySet[ApiToken]:
    """Those that work at ``now``, or those that do not."""
    ended = Q(revoked_at__isnull=False) | Q(expires_at__lte=now) | Q(user__is_active=False)
    return queryset.exclude(ended) if is_live else queryset.filter(ended)
