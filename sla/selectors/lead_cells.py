"""The SLA column of the leads list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sla.selectors import clocks
from smarketing.users.models import User


def provide(keys: Sequence[int], *, viewer: User, now: datetime) -> dict[int, dict[str, Any]]:
    """The latest response clock of each of these leads in words; one that never had one is left out."""
    del viewer  # both teams see every clock
    found = clocks.for_leads(keys)
    views = clocks.views(found.values(), now=now)
    return {lead: {"view": views[clock.pk]} for lead, clock in found.items()}
