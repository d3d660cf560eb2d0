"""The writer of the organisation's settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction

from smarketing.core.changes import changed
from smarketing.core.errors import Denied, FieldError, Invalid, Stale
from smarketing.users.domain.roles import Capability
from smarketing.users.models import Organisation, User

FIELDS = ("name", "time_zone", "currency", "country", "queue_by_value")


@transaction.atomic
def update(
    *, changes: Mapping[str, Any], expected_version: int | None, actor: User, now: datetime
) -> Organisation:
    """Change some of ``FIELDS``. Locks the row.

    Raises ``Denied`` without the capability, ``Stale`` when another edit came first, ``Invalid``
    naming the fields that can't be used.
    """
    if not actor.may(Capability.MANAGE_USERS):
        raise Denied("Only an admin may change the organisation.")
    organisation = Organisation.objects.select_for_update().get(pk=1)
    if expected_version is not None and organisation.version != expected_version:
        raise Stale("The organisation was changed in the meantime. Reload and try again.")
    if errors := _errors(changes):
        raise Invalid("Some settings can't be used.", errors=errors)
    before = {field: getattr(organisation, field) for field in FIELDS}
    for field, value in changes.items():
        setattr(organisation, field, value)
    organisation.version += 1
    organisation.updated_at = now
    organisation.save(update_fields=[*changes, "version", "updated_at"])
    changed(
        actor=actor,
        action="organisation_updated",
        obj=organisation,
        before=before,
        after={field: getattr(organisation, field) for field in FIELDS},
        now=now,
    )
    return organisation


def _errors(changes: Mapping[str, Any]) -> list[FieldError]:
    errors = [
        FieldError(field, "unknown", f"There is no such setting; use one of {', '.join(FIELDS)}.")
        for field in changes
        if field not in FIELDS
    ]
    if not isinstance(changes.get("queue_by_value", False), bool):
        errors.append(FieldError("queue_by_value", "invalid", "Say true or false."))
    if "name" in changes and not changes["name"].strip():
        errors.append(FieldError("name", "required", "Give the organisation a name."))
    if "time_zone" in changes and changes["time_zone"] not in available_timezones():
        errors.append(FieldError("time_zone", "unknown", "Use a name such as Europe/Berlin."))
    for field, length, example in (("currency", 3, "EUR"), ("country", 2, "DE")):
        value = changes.get(field)
        if value is not None and not (len(value) == length and value.isascii() and value.isupper()):
            errors.append(FieldError(field, "invalid", f"Use {length} capital letters, such as {example}."))
    return errors
