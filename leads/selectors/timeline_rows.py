"""What this app puts on the timeline: events, touchpoints, activities and the laps themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from leads.models import (
    Activity,
    ActivityKind,
    Direction,
    Event,
    EventKind,
    FormSubmission,
    Lead,
    Person,
    Session,
    Touchpoint,
    TouchpointKind,
)
from leads.selectors import timeline
from leads.selectors.timeline import Category, Entry, Position, Provider, Subject
from smarketing.web import formats

# Events come in crowds: so many are read for each entry of a page.
EVENTS_PER_ENTRY = 4
_DETAIL = 600
_ANSWERS = 12

_EVENT_ICONS = {
    EventKind.PAGE: "eye",
    EventKind.TRACK: "mouse-pointer-click",
    EventKind.IDENTIFY: "user-check",
    EventKind.FORM: "clipboard-list",
    EventKind.EMAIL_OPEN: "mail-open",
    EventKind.EMAIL_CLICK: "mouse-pointer-click",
}
_TOUCH_ICONS = {
    "visit": "globe",
    "form": "clipboard-list",
    "email": "mail",
    "ad": "megaphone",
    "event": "calendar-days",
    "social": "share-2",
    "pr": "newspaper",
    "recommendation": "thumbs-up",
    "other": "circle-dot",
}
_ACTIVITY_ICONS = {
    ActivityKind.CALL: "phone",
    ActivityKind.MAIL: "mail",
    ActivityKind.MEETING: "users",
    ActivityKind.NOTE: "sticky-note",
    ActivityKind.TASK: "square-check-big",
}
_GOOD = frozenset({"reached", "replied", "held"})
_BAD = frozenset({"bounced", "no_show"})


def events(person: Person, *, before: Position | None, limit: int) -> list[Entry]:
    """Forms, mail and what came without a browser; neighbouring rows become one."""
    rows = timeline.newest(
        lambda who: (
            Event.objects.filter(timeline.whose(who, "person"))
            .outside_visits()
            .only("id", "kind", "name", "url", "occurred_at")
        ),
        person,
        provider="event",
        before=before,
        limit=limit,
    )
    answers = _answers(person, [row.occurred_at for row in rows if row.kind == EventKind.FORM])
    return [
        Entry(
            at=row.occurred_at,
            provider="event",
            pk=str(row.pk),
            title=row.name or _path(row.url) or row.get_kind_display(),
            icon=_EVENT_ICONS.get(EventKind(row.kind), "circle-dot"),
            detail=_event_detail(row, answers),
            url=_event_url(row, answers),
            visit=row.kind in (EventKind.PAGE, EventKind.TRACK),
        )
        for row in rows
    ]


def visits(subject: Subject, *, before: Position | None, limit: int) -> list[Entry]:
    """Sessions on our sites: how they came, how much they saw; opened, page by page."""
    rows = timeline.newest(
        lambda who: Session.objects.filter(timeline.whose(who, "person")).select_related("channel", "person"),
        subject,
        provider="visit",
        before=before,
        limit=limit,
        at="started_at",
    )
    return [
        Entry(
            at=row.started_at,
            provider="visit",
            pk=row.pk,
            title=_visit_title(row),
            icon="globe",
            detail=_visit_detail(row),
            more_url=f"/people/{row.person_id}/visits/{row.pk}/",
            **(timeline.about(subject, row.person) if row.person else {}),
        )
        for row in rows
    ]


def touchpoints(subject: Subject, *, before: Position | None, limit: int) -> list[Entry]:
    """Contacts: by which channel and campaign, and what they saw."""
    rows = timeline.newest(
        lambda who: Touchpoint.objects.filter(timeline.whose(who, "person")).select_related(
            "channel", "campaign", "person"
        ),
        subject,
        provider="touchpoint",
        before=before,
        limit=limit,
    )
    return [
        Entry(
            at=row.occurred_at,
            provider="touchpoint",
            pk=row.pk,
            title=row.title or row.get_kind_display(),
            icon=_TOUCH_ICONS.get(row.kind, "circle-dot"),
            tone="info",
            detail=_touch_detail(row),
            lead_id=row.lead_id,
            is_of_visit=row.kind == TouchpointKind.VISIT,
            **timeline.about(subject, row.person),
        )
        for row in rows
    ]


def activities(subject: Subject, *, before: Position | None, limit: int) -> list[Entry]:
    """What colleagues did and plan."""
    rows = timeline.newest(
        lambda who: Activity.objects.filter(timeline.whose(who, "person")).select_related("actor", "person"),
        subject,
        provider="activity",
        before=before,
        limit=limit,
    )
    return [
        Entry(
            at=row.occurred_at,
            provider="activity",
            pk=row.pk,
            title=_activity_title(row),
            icon=_ACTIVITY_ICONS.get(ActivityKind(row.kind), "circle-dot"),
            tone=_activity_tone(row),
            detail=Truncator(row.body).chars(_DETAIL),
            who=row.actor.name if row.actor else "",
            lead_id=row.lead_id,
            **(timeline.about(subject, row.person) if row.person else {}),
        )
        for row in rows
    ]


def laps(subject: Subject, *, before: Position | None, limit: int) -> list[Entry]:
    """Where each lap began."""
    rows = timeline.newest(
        lambda who: Lead.objects.filter(timeline.whose(who, "person")).select_related("source", "person"),
        subject,
        provider="lap",
        before=before,
        limit=limit,
        at="captured_at",
    )
    return [
        Entry(
            at=row.captured_at,
            provider="lap",
            pk=row.pk,
            title=_("Lap %(lap)d began") % {"lap": row.lap},
            icon="flag",
            tone="accent",
            detail=" · ".join(t for t in (row.origin, row.source.name) if t),
            lead_id=row.pk,
            **timeline.about(subject, row.person),
        )
        for row in rows
    ]


PROVIDERS = (
    Provider("visit", Category.BEHAVIOUR, visits, companies=True),
    Provider("event", Category.BEHAVIOUR, events, per_entry=EVENTS_PER_ENTRY),
    Provider("touchpoint", Category.TOUCH, touchpoints, companies=True),
    Provider("activity", Category.ACTIVITY, activities, companies=True),
    Provider("lap", Category.PIPELINE, laps, companies=True),
)


def _path(url: str) -> str:
    """The readable part of an address; an address that can't be read is left out."""
    try:
        return urlsplit(url).path or url
    except ValueError:
        return ""


def _answers(person: Person, times: Sequence[datetime]) -> dict[datetime, FormSubmission]:
    """The answers to our forms behind these form events, by their instant."""
    if not times:
        return {}
    rows = FormSubmission.objects.filter(person=person, received_at__in=times)
    return {row.received_at: row for row in rows.only("pk", "received_at", "raw")}


def _event_detail(row: Event, answers: Mapping[datetime, FormSubmission]) -> str:
    answer = answers.get(row.occurred_at) if row.kind == EventKind.FORM else None
    if answer is None:
        return _path(row.url) if row.name else ""
    fields = answer.raw.get("fields", {})
    lines = [f"{name}: {', '.join(texts)}" for name, texts in list(fields.items())[:_ANSWERS] if any(texts)]
    return Truncator("\n".join(lines)).chars(_DETAIL)


def _event_url(row: Event, answers: Mapping[datetime, FormSubmission]) -> str:
    answer = answers.get(row.occurred_at) if row.kind == EventKind.FORM else None
    return f"/answers/{answer.pk}/" if answer else ""


def _visit_title(row: Session) -> str:
    if row.pages == 0:
        words = ngettext("Visit: %(n)d action", "Visit: %(n)d actions", row.events)
        return words % {"n": row.events}
    return ngettext("Visit: %(n)d page", "Visit: %(n)d pages", row.pages) % {"n": row.pages}


def _visit_detail(row: Session) -> str:
    entry, last = _path(row.entry_url), _path(row.exit_url)
    road = f"{entry} → {last}" if last and last != entry else entry
    attention = (
        formats.span(timedelta(seconds=row.engagement_seconds)) if row.engagement_seconds >= 60 else ""
    )
    return " · ".join(part for part in (road, row.channel.name, attention) if part)


def _touch_detail(row: Touchpoint) -> str:
    parts = [row.channel.name, row.campaign.name if row.campaign else "", _path(row.url)]
    if row.is_self_reported:
        parts.append(_("self-reported"))
    return " · ".join(p for p in parts if p)


def _activity_title(row: Activity) -> str:
    name = row.get_kind_display()
    if row.kind == ActivityKind.TASK:
        return _("Task: %(subject)s") % {"subject": row.subject} if row.subject else name
    outcome = row.get_outcome_display() if row.outcome else ""
    if row.direction == Direction.INBOUND:
        name = _("%(activity)s from them") % {"activity": name}
    head = f"{name}: {outcome.lower()}" if outcome else name
    return f"{head} – {row.subject}" if row.subject else head


def _activity_tone(row: Activity) -> str:
    if row.kind == ActivityKind.TASK:
        return "ok" if row.done_at else "warn"
    return "ok" if row.outcome in _GOOD else "bad" if row.outcome in _BAD else "plain"
