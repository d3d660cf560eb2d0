"""What the list of companies shows of each: where it stands, and the interest of its people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from funnel.selectors import accounts, hot
from smarketing.users.models import User


def stages(keys: Sequence[int], *, viewer: User, now: datetime) -> Mapping[int, Mapping[str, Any]]:
    """The stage of each company that has leads or deals."""
    return {state.pk: {"state": state} for state in accounts.listed(viewer).filter(pk__in=keys)}


def interests(keys: Sequence[int], *, viewer: User, now: datetime) -> Mapping[int, Mapping[str, Any]]:
    """The points of each company of whose people anybody has shown interest."""
    return {row.pk: {"score": row} for row in hot.companies(viewer, at=now).filter(pk__in=keys)}
