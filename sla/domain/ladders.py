"""What comes after a breach: the steps of a clause's ladder, and the end of the time to answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sla.domain.metrics import FIRST_RESPONSE

EXPIRE = "expire"
REASSIGN = "reassign"
# The steps by the terms that set them, in open time from the deadline on.
LADDER = {
    "lead": "lead_after_minutes",
    REASSIGN: "reassign_after_minutes",
    "managers": "managers_after_minutes",
}
# An unanswered handoff expires after three times the promised open time: two more after the breach.
EXPIRE_AFTER_TARGETS = 2


def levels_after(*, metric: str, terms: Mapping[str, Any], target: timedelta) -> list[tuple[str, timedelta]]:
    """The levels of a clause after the breach, each with its open time from the deadline on."""
    steps = [(name, timedelta(minutes=terms[term])) for name, term in LADDER.items() if terms.get(term)]
    expires = metric == FIRST_RESPONSE and target
    return steps + ([(EXPIRE, EXPIRE_AFTER_TARGETS * target)] if expires else [])
