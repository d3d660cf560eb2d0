"""The writer of the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from django.db import models, transaction

from smarketing.audit.domain import masking
from smarketing.audit.models import AuditEntry
from smarketing.users.models import User


@transaction.atomic
def record(
    *,
    actor: User | None,
    action: str,
    obj: models.Model,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    now: datetime,
) -> AuditEntry:
    """Keep that ``actor`` did ``action`` to ``obj``: only members that differ, secrets masked.

    ``actor`` ``None`` is the operator at the command line or the system itself. Runs in the
    transaction of the change, so that neither is there without the other.
    """
    return append(
        actor_id=None if actor is None else actor.pk,
        action=action,
        object_type=obj._meta.label_lower,
        object_id=str(obj.pk),
        object_label=str(obj),
        before=before or {},
        after=after or {},
        now=now,
    )


def append(
    *,
    actor_id: int | None,
    action: str,
    object_type: str,
    object_id: str,
    object_label: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now: datetime,
) -> AuditEntry:
    """As :func:`record`, for an object named by its type and id."""
    old, new = masking.difference(before, after)
    return AuditEntry.objects.create(
        at=now,
        actor_id=actor_id,
        action=action[:80],
        object_type=object_type[:80],
        object_id=object_id[:64],
        object_label=object_label.replace("\x00", "�")[:200],
        before=old,
        after=new,
        request_id=str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64],
    )
