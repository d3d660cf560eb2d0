"""Leaving a trace of who took leads out of the house."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from smarketing.core.changes import changed
from smarketing.users.models import User


@transaction.atomic
def record(*, what: str, query: str, actor: User, now: datetime) -> None:
    """Keep in the audit trail that ``actor`` exported ``what`` ("leads"), filtered by ``query``."""
    changed(actor=actor, action=f"{what}_exported", obj=actor, after={"query": query[:2000]}, now=now)
