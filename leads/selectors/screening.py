"""The rules by which tracking drops what is not a visitor's, and how much it dropped."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from django.db.models import QuerySet, Sum

from leads.domain.screening import REASONS, Rules, read_networks
from leads.models import IntakeCount, Screening, Source, SourceKind

DAYS = 30


def stored() -> Screening:
    """The settings; those of a new installation where nobody has saved any."""
    return Screening.objects.first() or Screening()


def in_force() -> Rules:
    """The rules, by one query."""
    row = stored()
    return _read(tuple(row.networks), tuple(row.hosts))


@lru_cache(maxsize=4)
def _read(networks: tuple[str, ...], hosts: tuple[str, ...]) -> Rules:
    return Rules(read_networks(networks), hosts)


def tracked_sources() -> QuerySet[Source]:
    """The sources whose behaviour is tracked: websites and programs."""
    return Source.objects.filter(kind__in=(SourceKind.WEB, SourceKind.API)).order_by("code")


def dropped(*, now: datetime) -> dict[str, int]:
    """Messages dropped in the last thirty days, for each reason."""
    since = (now - timedelta(days=DAYS)).date()
    rows = IntakeCount.objects.filter(day__gt=since, outcome__in=REASONS).values_list("outcome")
    sums = dict(rows.annotate(sum=Sum("events")).order_by())
    return {reason: sums.get(reason, 0) for reason in REASONS}
