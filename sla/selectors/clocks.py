"""Reads of clocks: for a page of rows in one query, in words, and as the strip that explains them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Prefetch, QuerySet
from django.utils.translation import gettext as _

from sla.domain import clocks as rules
from sla.domain.calendars import Segment, WeeklyCalendar
from sla.models import Clock, ClockAction, ClockEvent, ClockKind, ClockState
from sla.models.clock import ClockQuerySet
from sla.selectors.clock_rows import calendar_of, pauses, state_of
from smarketing.core.prepared import IsAmong, Query
from smarketing.users.models import User

WARN_PERCENT = 75
SOON = timedelta(hours=1)
# A countdown needs the opening hours until the deadline; further ahead the page is loaded again before.
WINDOWS_AHEAD = timedelta(days=15)


@dataclass(frozen=True, slots=True)
class ClockView:
    """A clock for a list: its deadline, when to turn amber, the hours that count, or how it ended.

    ``done`` and ``paused`` are sentences shown instead of a countdown; ``tone`` is a colour word.
    """

    clock: Clock
    due_at: datetime | None
    warn_at: datetime | None
    windows: list[tuple[datetime, datetime]]
    done: str
    paused: str
    tone: str
    is_breached: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant on a strip: started, warning, deadline, attempt, pause …"""

    at: datetime
    kind: str
    label: str
    detail: str = ""
    is_void: bool = False


@dataclass(frozen=True, slots=True)
class Strip:
    """Why a clock stands where it stands: pieces of time with their reason, and what happened.

    The deadline is reproducible from start, target, calendar version and pauses.
    """

    clock: Clock
    start: datetime
    end: datetime
    segments: list[Segment]
    marks: list[Mark]
    counted: timedelta
    target: timedelta
    calendar: str


def visible_to(user: User) -> ClockQuerySet:
    """Clocks with what lists and the API show of them."""
    return (
        ClockQuerySet(Clock)
        .visible_to(user)
        .select_related(
            "handoff__lead__person", "handoff__lead__company", "owner", "clause", "calendar_version__calendar"
        )
    )


def matching(queryset: QuerySet[Clock], text: str) -> QuerySet[Clock]:
    """Clocks of leads whose person matches every word of ``text``."""
    for word in text.lower().split():
        queryset = queryset.filter(handoff__lead__person__search_text__contains=word)
    return queryset


def shown(queryset: QuerySet[Clock], what: str, *, now: datetime) -> QuerySet[Clock]:
    """Narrow by urgency: "due_soon", "breached", "open", "paused" or "ended"."""
    if what == "ended":
        return queryset.filter(ended_at__isnull=False)
    still = queryset.filter(ended_at=None)
    if what == "due_soon":
        return still.filter(due_at__gte=now, due_at__lt=now + SOON)
    if what == "breached":
        return still.filter(due_at__lt=now)
    if what == "paused":
        return still.filter(state=ClockState.PAUSED)
    return still


# Read by every page of the leads list: without the handoffs, whose packets are long.
_OF_LEADS = Query(
    "response_clocks_of_leads",
    lambda: (
        Clock.objects.filter(IsAmong("handoff__lead_id", "leads"), kind=ClockKind.RESPOND)
        .annotate(of_lead=F("handoff__lead_id"))
        .select_related("calendar_version")
        .order_by("handoff__lead_id", "-started_at", "-pk")
        .distinct("handoff__lead_id")
    ),
    by="leads",
)


def for_handoffs(handoff_ids: Iterable[int]) -> dict[int, Clock]:
    """The present response clock of each of these handoffs, in one query."""
    found = (
        Clock.objects.filter(handoff__in=list(handoff_ids), kind=ClockKind.RESPOND)
        .select_related("calendar_version")
        .order_by("handoff_id", "-cycle", "-pk")
        .distinct("handoff_id")
    )
    return {clock.handoff_id: clock for clock in found}


def for_leads(lead_ids: Iterable[int]) -> dict[int, Clock]:
    """The latest response clock of each of these leads, in one query."""
    found: list[Any] = _OF_LEADS.all(leads=sorted(set(lead_ids)))
    return {clock.of_lead: clock for clock in found}


def of_lead(lead_id: int) -> list[Clock]:
    """All clocks of a lead, newest first, with events and actions."""
    return list(
        Clock.objects.filter(handoff__lead_id=lead_id)
        .select_related("owner", "clause", "calendar_version__calendar", "handoff")
        .prefetch_related(
            Prefetch("events", ClockEvent.objects.order_by("level")),
            Prefetch("actions", ClockAction.objects.select_related("actor").order_by("pk")),
        )
        .order_by("-started_at", "-pk")
    )


def views(clocks: Iterable[Clock], *, now: datetime) -> dict[int, ClockView]:
    """Each clock in words, by its id; each calendar version is read once."""
    calendars: dict[int, WeeklyCalendar] = {}
    shown = {}
    for clock in clocks:
        key = clock.calendar_version_id
        if key not in calendars:
            calendars[key] = calendar_of(clock.calendar_version)
        shown[clock.pk] = view(clock, calendars[key], now=now)
    return shown


def view(clock: Clock, calendar: WeeklyCalendar, *, now: datetime) -> ClockView:
    """One clock in words, as it stands at ``now`` whether or not a sweep has run."""
    state = rules.at_rest(state_of(clock), now, calendar).clock
    warn = next((t.at for t in state.thresholds if t.name == f"warning_{WARN_PERCENT}"), None)
    is_breached = state.status in rules.BREACHED
    done, tone = _ended(state)
    windows: list[tuple[datetime, datetime]] = []
    if state.ended_at is None and state.due_at is not None and state.due_at > now:
        until = min(state.due_at, now + WINDOWS_AHEAD)
        windows = [(s.start, s.end) for s in calendar.segments(now, until) if s.kind == "counting"]
    return ClockView(
        clock=clock,
        due_at=state.due_at,
        warn_at=warn,
        windows=windows,
        done=done,
        paused=_("Paused") if state.status is rules.Status.PAUSED else "",
        tone=tone or ("bad" if is_breached else "warn" if warn is not None and warn <= now else "ok"),
        is_breached=is_breached,
    )


def strip(clock: Clock, *, now: datetime) -> Strip:
    """The clock's strip up to its end, or up to its deadline while it runs. Reads its ledger."""
    calendar = calendar_of(clock.calendar_version)
    actions, fired = list(clock.actions.all()), list(clock.events.all())
    held = [(start, end or now) for start, end in pauses(actions)]
    deadline = rules.breach_of(state_of(clock).thresholds).at
    end = clock.ended_at or max(now, deadline)
    segments = calendar.segments(clock.started_at, end, held)
    until = min(end, now)
    return Strip(
        clock=clock,
        start=clock.started_at,
        end=end,
        segments=segments,
        marks=_marks(clock, actions, fired, deadline),
        counted=sum(
            (min(s.end, until) - s.start for s in segments if s.kind == "counting" and s.start < until),
            timedelta(0),
        ),
        target=timedelta(seconds=clock.target_seconds),
        calendar=str(clock.calendar_version),
    )


def _ended(state: rules.ClockState) -> tuple[str, str]:
    if state.ended_at is None:
        return "", ""
    if state.status is rules.Status.MET:
        return _("Met"), "ok"
    if state.status is rules.Status.BREACHED_MET_LATE:
        return _("Met late"), "bad"
    if state.status is rules.Status.BREACHED_OPEN:
        return _("Breached, never answered"), "bad"
    return _("No longer due"), "plain"


def _marks(
    clock: Clock, actions: Sequence[ClockAction], fired: Sequence[ClockEvent], deadline: datetime
) -> list[Mark]:
    marks = [
        Mark(
            action.at,
            action.verb,
            _by_kind().get((clock.kind, action.verb)) or _verbs().get(action.verb, action.verb),
            " · ".join(filter(None, [action.actor.name if action.actor else "", _why(action)])),
        )
        for action in actions
    ]
    for event in fired:
        label = _levels()[event.kind]
        detail = _("Void: %(reason)s") % {"reason": event.void_reason} if event.voided_at else ""
        marks.append(Mark(event.due_at, event.kind, label, detail, is_void=event.voided_at is not None))
    if clock.state in (ClockState.RUNNING, ClockState.MET) and clock.due_at is not None:
        marks.append(Mark(deadline, "due", _("Deadline")))
    return sorted(marks, key=lambda mark: mark.at)


def _verbs() -> dict[str, str]:
    return {
        "start": _("Clock started"),
        "stop": _("Kept"),
        "cancel": _("Ended without an attempt"),
        "pause": _("Paused"),
        "resume": _("Went on"),
        "reopen": _("Answer taken back, clock runs again"),
        "reassign": _("Went to another owner"),
        "recalculate": _("Counted anew by other hours"),
        "withdraw": _("Taken back"),
    }


def _by_kind() -> dict[tuple[str, str], str]:
    """What the verbs of the ledger mean for each kind of promise."""
    return {
        (ClockKind.RESPOND, "start"): _("Delivered, clock started"),
        (ClockKind.RESPOND, "stop"): _("First attempt"),
        (ClockKind.DEPTH, "start"): _("Delivered, clock started"),
        (ClockKind.DEPTH, "stop"): _("Depth reached"),
        (ClockKind.OUTCOME, "start"): _("Delivered, clock started"),
        (ClockKind.OUTCOME, "stop"): _("Outcome recorded"),
        (ClockKind.FEEDBACK, "start"): _("Returned, clock started"),
        (ClockKind.FEEDBACK, "stop"): _("Explained"),
    }


def _levels() -> dict[str, str]:
    return {
        "warning": _("Warning"),
        "breach": _("Breached"),
        "expire": _("Time to answer over"),
        "lead": _("Team lead told"),
        "reassign": _("To be given to another rep"),
        "managers": _("Managers of both teams told"),
    }


def _why(action: ClockAction) -> str:
    known = {
        "returned": _("the lead was returned"),
        "expired": _("nobody answered in time"),
        "explained": "",
        "answer undone": "",
    }
    return known.get(action.reason, action.reason)
