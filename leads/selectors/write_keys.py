"""Write keys with their use, and what became of the events of their sources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import QuerySet, Sum

from leads.models import (
    DeadLetter,
    IdentitySecret,
    InboxStop,
    IntakeCount,
    Source,
    SourceKind,
    WriteKey,
)
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

STORED = "stored"
# Counted beside "stored": sent again, or stored without believing whom they name.
DOUBTED = ("unsigned", "unproven", "wrong_proof")
_BESIDE = ("repeated", *DOUBTED)


@dataclass(frozen=True, slots=True)
class Day:
    """Events of one UTC day: stored, and all that were not."""

    day: date
    stored: int
    others: int


def visible_to(user: User) -> QuerySet[WriteKey]:
    """The keys this user may see, each with its source and use."""
    return WriteKey.objects.visible_to(user).select_related("source", "use")


def dead_letters(user: User) -> QuerySet[DeadLetter]:
    """The dead letters this user may see."""
    return DeadLetter.objects.visible_to(user)


def sources(user: User) -> QuerySet[Source]:
    """The sources this user may see, each with what it asks of pages."""
    rows = Source.objects.select_related("identity_secret")
    return rows if user.may(Capability.VIEW) else rows.none()


def proving(source: Source) -> IdentitySecret | None:
    """What a source asks of pages that say who a visitor is."""
    return IdentitySecret.objects.filter(source=source).defer("secret", "former_secret").first()


def senders() -> QuerySet[Source]:
    """Sources that may have keys: websites and programs."""
    return Source.objects.filter(kind__in=[SourceKind.WEB, SourceKind.API])


def days_of(source_id: int, *, now: datetime, days: int = 14) -> list[Day]:
    """The last days up to today, those without events too."""
    first = now.date() - timedelta(days=days - 1)
    found: dict[date, dict[str, int]] = {}
    rows = IntakeCount.objects.filter(source_id=source_id, day__gte=first)
    for day, outcome, events in rows.values_list("day", "outcome", "events"):
        found.setdefault(day, {})[outcome] = events
    whole = [first + timedelta(days=n) for n in range(days)]
    return [_day(day, found.get(day, {})) for day in whole]


def _day(day: date, outcomes: dict[str, int]) -> Day:
    stored = outcomes.get(STORED, 0)
    return Day(day, stored, sum(outcomes.values()) - stored - sum(outcomes.get(name, 0) for name in _BESIDE))


def reasons_of(source_id: int, *, now: datetime, days: int = 7) -> list[tuple[str, int]]:
    """Why events were not stored in the last days, the most frequent first."""
    first = now.date() - timedelta(days=days - 1)
    rows = IntakeCount.objects.filter(source_id=source_id, day__gte=first).exclude(outcome=STORED)
    return list(rows.values_list("outcome").annotate(n=Sum("events")).order_by("-n", "outcome")[:30])


def waiting_dead_letters() -> int:
    """How many dead letters nobody has decided about; at most 1,000 are counted."""
    return DeadLetter.objects.waiting()[:1000].count()


def stop() -> InboxStop | None:
    """Since when applying is stopped, if it is."""
    return InboxStop.objects.filter(resumed_at=None).first()
