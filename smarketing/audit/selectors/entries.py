"""Reads of the audit trail."""

from __future__ import annotations

from django.db import models

from smarketing.audit.models import AuditEntry
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


def visible_to(user: User) -> models.QuerySet[AuditEntry]:
    """All entries for whoever may read the trail, none for others."""
    entries = AuditEntry.objects.select_related("actor")
    return entries if user.may(Capability.READ_AUDIT) else entries.none()


def about(obj: models.Model, *, user: User) -> models.QuerySet[AuditEntry]:
    """What was done to ``obj``, the latest first."""
    return visible_to(user).filter(object_type=obj._meta.label_lower, object_id=str(obj.pk))


def matching(entries: models.QuerySet[AuditEntry], text: str) -> models.QuerySet[AuditEntry]:
    """Those whose object or action holds ``text``."""
    return entries.filter(
        models.Q(object_label__icontains=text)
        | models.Q(action__icontains=text.replace(" ", "_"))
        | models.Q(object_id=text)
    )
