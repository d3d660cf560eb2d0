"""What happened with one mail to one person: which opens and clicks are a human's, and count.

Link scanners follow a mail's links, and mail programs load its pictures, within seconds of its delivery: what
comes earlier than three seconds after it never counts. A click shows that the mail was open, so one open
counts per mail, however many are reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

TOO_SOON = timedelta(seconds=3)
DELIVERED, OPENED, CLICKED = "delivered", "email_open", "email_click"
SCANNER, MACHINE, IMPLIED = "scanner", "machine", "implied"


@dataclass(frozen=True, slots=True, order=True)
class Happening:
    """One thing that happened with the mail."""

    at: datetime
    id: UUID
    kind: str


def judge(happenings: Iterable[Happening]) -> dict[UUID, str]:
    """For each open and click why it does not count; "" for one that does."""
    ordered = sorted(happenings)
    deliveries = [h.at for h in ordered if h.kind == DELIVERED]
    found: dict[UUID, str] = {}
    opened = False
    for happening in ordered:
        if happening.kind == DELIVERED:
            continue
        soon = any(timedelta() <= happening.at - at < TOO_SOON for at in deliveries)
        if happening.kind == CLICKED:
            found[happening.id] = SCANNER if soon else ""
        elif soon:
            found[happening.id] = MACHINE
        else:
            found[happening.id] = IMPLIED if opened else ""
            opened = True
    return found
