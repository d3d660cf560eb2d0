"""What users change about themselves."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import available_timezones

from django.db import transaction
from django.utils.translation import gettext as _

from smarketing.core import events
from smarketing.core.errors import FieldError, Invalid
from smarketing.users.events import ZoneChanged
from smarketing.users.models import User


class ProfileInvalid(Invalid):
    """A name that is empty or a zone that does not exist."""


@transaction.atomic
def change(*, user: User, name: str, time_zone: str, locale: str, now: datetime) -> User:
    """Store the user's own name, zone and format. Raises :class:`ProfileInvalid`."""
    name = " ".join(name.split())
    if not name:
        message = _("Write your name.")
        raise ProfileInvalid(message, errors=[FieldError("name", "required", message)])
    if time_zone not in available_timezones():
        message = _("Choose a time zone from the list.")
        raise ProfileInvalid(message, errors=[FieldError("time_zone", "unknown", message)])
    is_moved = user.time_zone != time_zone
    user.name = name
    user.time_zone = time_zone
    user.locale = locale
    user.updated_at = now
    user.save(update_fields=["name", "time_zone", "locale", "updated_at"])
    if is_moved:
        events.publish(ZoneChanged(user.pk, now))
    return user
