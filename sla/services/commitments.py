"""Closing the periods of promises, and saying when later facts change what was reported (N12).

A closed period keeps its numbers with a digest of the leads behind them. Whatever becomes known later is a
restatement beside it; nothing is rewritten.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from sla.domain import metrics
from sla.models import Clause, Commitment, Restatement
from sla.selectors import agreements, commitments, deliveries, meetings
from sla.selectors.commitments import Line
from smarketing.core.periods import Period
from smarketing.core.prepared import Statement
from smarketing.notifications.services import outbox
from smarketing.users.selectors import organisation

CHECK_EVERY = timedelta(hours=20)
# For so long later facts are looked for; what is older stays as it was last told.
WATCHED_FOR = timedelta(days=120)
DIGITS = 6
_DONE = Statement(
    "commitments_closed",
    """
SELECT clause_id FROM sla_commitment
 WHERE clause_id = ANY(%(clauses)s::bigint[]) AND starts_at = %(start)s::timestamptz
""",
)


def run_once(*, now: datetime, limit: int = 20) -> int:
    """Close what has ended, then look again at a few closed periods; the number of rows written."""
    return close_ended(now=now) + check(now=now, limit=limit)


def close_ended(*, now: datetime) -> int:
    """Close the last ended period of each promise that was in force in it, unless that is done."""
    zone, closed = organisation.zone(), 0
    for name, span in commitments.SPANS.items():
        today = span(now.astimezone(zone).date(), zone=zone)
        if today.start is None:
            raise AssertionError("a calendar period has a start")
        closed += _close_at(today.start - timedelta(seconds=1), name, zone, now)
    return closed


@transaction.atomic
def close(*, clause: Clause, period: Period, now: datetime) -> Commitment:
    """Freeze one period of one clause as it is known now; the second time it is the first one's."""
    if period.start is None or period.end is None or period.end > now:
        raise ValueError("only a period that has ended is closed")
    known = Commitment.objects.filter(clause=clause, starts_at=period.start).first()
    if known is not None:
        return known
    line = commitments.line(clause, agreements.spec_of(clause), period, now=now)
    made = Commitment.objects.create(
        clause=clause,
        starts_at=period.start,
        ends_at=period.end,
        figures=figures(line=line),
        rows_digest=rows_digest(line=line, now=now),
        closed_at=now,
        checked_at=now,
    )
    outbox.put(
        topic="commitment.closed",
        payload={
            "commitment_id": made.pk,
            "clause_id": clause.pk,
            "metric": clause.metric,
            "side": clause.side,
            "starts_at": period.start.isoformat(),
            "ends_at": period.end.isoformat(),
            "figures": made.figures,
        },
        dedupe_key=f"commitment:{made.pk}",
        now=now,
    )
    return made


def check(*, now: datetime, limit: int = 20) -> int:
    """Look again at closed periods that were not looked at for most of a day; how many changed."""
    waiting = Commitment.objects.filter(
        checked_at__lt=now - CHECK_EVERY, ends_at__gte=now - WATCHED_FOR
    ).order_by("checked_at", "pk")
    found = list(waiting.select_related("clause")[:limit])
    return sum(restate(commitment=commitment, now=now) is not None for commitment in found)


@transaction.atomic
def restate(*, commitment: Commitment, now: datetime) -> Restatement | None:
    """Compare a closed period with what is known now; a difference from what was last told is entered."""
    locked = Commitment.objects.select_for_update().select_related("clause").get(pk=commitment.pk)
    period = Period(locked.starts_at, locked.ends_at)
    line = commitments.line(locked.clause, agreements.spec_of(locked.clause), period, now=now)
    told = locked.restatements.order_by("-pk").first() or locked
    known, digest = figures(line=line), rows_digest(line=line, now=now)
    locked.checked_at = now
    locked.save(update_fields=["checked_at"])
    if (told.figures, told.rows_digest) == (known, digest):
        return None
    return Restatement.objects.create(commitment=locked, figures=known, rows_digest=digest, found_at=now)


def figures(*, line: Line) -> dict[str, Any]:
    """The numbers of a line as they are frozen, rounded so that equal ones are equal."""
    standing = line.standing
    told = {
        "promised": standing.promised,
        "due": standing.due,
        "gross": standing.gross,
        "net": standing.net,
        "done": standing.done,
        "late": standing.late,
        "pending": standing.pending,
        "attainment": standing.attainment,
    }
    rounded = {key: None if value is None else round(float(value), DIGITS) for key, value in told.items()}
    return {**rounded, "is_rate": standing.is_rate, "is_kept": standing.is_kept}


def rows_digest(*, line: Line, now: datetime) -> str:
    """SHA-256 over the ids behind each number, so that two equal counts of other leads differ."""
    if line.spec.metric == metrics.CONTACTS:
        persons = deliveries.attempts(line.period).order_by("person_id").values_list("person_id", flat=True)
        rows: dict[str, list[int | None]] = {"contacted": list(persons.distinct())}
    elif line.spec.metric == metrics.MEETINGS:
        rows = {"held": list(meetings.held(line.period).order_by("pk").values_list("pk", flat=True))}
    else:
        cells = deliveries.cells(line.spec, line.period, now=now)
        rows = {
            name: list(found.order_by("pk").values_list("pk", flat=True)) for name, found in cells.items()
        }
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _close_at(instant: datetime, span: str, zone: ZoneInfo, now: datetime) -> int:
    period = commitments.SPANS[span](instant.astimezone(zone).date(), zone=zone)
    told = [clause for clause in commitments.clauses_at(instant) if (clause.period or "month") == span]
    done = _DONE.rows(clauses=[clause.pk for clause in told], start=period.start) if told else []
    waiting = [clause for clause in told if (clause.pk,) not in done]
    for clause in waiting:
        close(clause=clause, period=period, now=now)
    return len(waiting)
