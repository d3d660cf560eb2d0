"""Reads of the organisation's settings."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from smarketing.users.models import Organisation


def current() -> Organisation:
    """The organisation; a migration makes its row."""
    return Organisation.objects.get(pk=1)


def zone() -> ZoneInfo:
    """The organisation's time zone: where days, months and quarters of reports begin."""
    return ZoneInfo(current().time_zone)
