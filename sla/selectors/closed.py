"""Closed periods with what became known later, for pages and the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from sla.models import Clause, Commitment, Restatement
from smarketing.core.periods import Period


def everything() -> QuerySet[Commitment]:
    """Closed periods, newest first, with their restatements."""
    restated = Restatement.objects.order_by("pk")
    clauses = Clause.objects.select_related("calendar", "accountable", "backup", "version")
    return Commitment.objects.prefetch_related(
        Prefetch("clause", clauses), Prefetch("restatements", restated)
    ).order_by("-ends_at", "-pk")


def of_periods(wanted: Mapping[int, Period]) -> dict[int, Commitment]:
    """The closed period of each clause, by the clause's id; one that is not closed is left out."""
    starts: set[datetime] = {period.start for period in wanted.values() if period.start is not None}
    found = everything().filter(clause__in=list(wanted), starts_at__in=starts)
    return {row.clause_id: row for row in found if row.starts_at == wanted[row.clause_id].start}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """The numbers that changed: name, then, now."""
    return [(key, before.get(key), after[key]) for key in after if before.get(key) != after[key]]
