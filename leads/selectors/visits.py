"""What is inside a visit: the pages and actions of one session, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from leads.domain.sessions import KINDS
from leads.models import Event, EventKind, Person, Session

MOST_STEPS = 200

Points = Callable[[Sequence[Event]], Mapping[UUID, float]]
_points: list[Points] = []


def register_points(points: Points) -> None:
    """Say how many points events count for; called from the wiring of the app that scores."""
    _points[:] = [points]


@dataclass(frozen=True, slots=True)
class Step:
    """One page or action: ``points`` it counted for, and the attention it got where that was measured."""

    at: datetime
    label: str
    path: str
    kind: str
    points: float
    attention: timedelta | None


@dataclass(frozen=True, slots=True)
class Steps:
    """A session with what was done in it; ``left_out`` steps beyond the first are not shown."""

    session: Session
    steps: list[Step]
    left_out: int


def steps_of(person: Person, session_id: int) -> Steps | None:
    """The steps of one of the person's sessions; ``None`` when it is not theirs. Three queries at most."""
    session = Session.objects.filter(person=person, pk=session_id).select_related("channel").first()
    if session is None:
        return None
    events = Event.objects.counting().filter(
        visitor=session.visitor_id,
        occurred_at__gte=session.started_at,
        occurred_at__lte=session.last_at,
        kind__in=KINDS,
    )
    rows = list(events.order_by("occurred_at", "id")[:MOST_STEPS])
    points = _points[0](rows) if _points else {}
    steps = [_step(row, points.get(row.pk, 0.0)) for row in rows]
    return Steps(session, steps, max(0, session.events - len(rows)))


def _step(row: Event, points: float) -> Step:
    path = _path(row.url)
    seconds = row.properties.get("engagement_seconds")
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return Step(
        at=row.occurred_at,
        label=row.name or path or str(EventKind(row.kind).label),
        path=path if row.name else "",
        kind=row.kind,
        points=points,
        attention=timedelta(seconds=min(float(seconds), 86_400)) if is_number and seconds > 0 else None,
    )


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
