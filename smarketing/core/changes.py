"""The fact that somebody changed how the installation is set up.

Services of any app publish it; the audit trail subscribes and keeps it. Values are plain JSON;
members whose names say that they are secret are masked before they are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model

from smarketing.core.events import Fact, publish


@dataclass(frozen=True, slots=True)
class ConfigurationChanged(Fact):
    """``actor_id`` ``None`` is the operator at the command line or the system itself."""

    actor_id: int | None
    action: str
    object_type: str
    object_id: str
    object_label: str
    at: datetime
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


def changed(
    *,
    actor: Model | None,
    action: str,
    obj: Model,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Publish that ``actor`` did ``action`` ("role_changed") to ``obj``, in the caller's transaction."""
    publish(
        ConfigurationChanged(
            actor_id=None if actor is None else actor.pk,
            action=action,
            object_type=obj._meta.label_lower,
            object_id=str(obj.pk),
            object_label=str(obj)[:200],
            at=now,
            before=before or {},
            after=after or {},
        )
    )
