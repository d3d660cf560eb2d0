"""Looking up handoffs."""

from __future__ import annotations

from django.db.models import QuerySet

from funnel.models import Handoff
from smarketing.users.models import User


def listed(user: User) -> QuerySet[Handoff]:
    """Handoffs that ``user`` may see, with whom they are about and between."""
    return Handoff.objects.visible_to(user).select_related(
        "lead__person", "owner", "definition", "delivered_by", "answered_by"
    )
