"""Reads of the organisation's settings."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from smarketing.core.prepared import Query
from smarketing.users.models import Organisation

_ONLY = Query("organisation", lambda: Organisation.objects.filter(pk=1))


def current() -> Organisation:
    """The organisation; a migration makes its row."""
    found = _ONLY.first()
    if found is None:
        raise Organisation.DoesNotExist
    return found


def zone() -> ZoneInfo:
    """The organisation's time zone: where days, months and quarters of reports begin."""
    return ZoneInfo(current().time_zone)
