"""What alerts wait for, found in what has just happened, and telling it: at once, after quiet hours, daily.

Found set-based for a batch of events by two texts (``alert_lookup``), so an event costs the same among ten
alerts and ten thousand. A hit is a row that its window allows once; telling is an outbox row of its own key.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from funnel.domain import alerts as rules
from funnel.domain.alerts import Hours, Trigger
from funnel.models import Alert, AlertDelivery, AlertHit, AlertHours
from funnel.selectors import definitions
from leads.models import EventKind, Person
from smarketing.notifications.services import outbox
from smarketing.notifications.services.outbox import Entry, Notice
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web.models import SavedView

TOPIC = "alert.raised"
# What happened longer ago is history: an import or a late delivery tells nobody anything new.
FRESH = timedelta(hours=24)
# An attempt counts as the answer to what was told so long before it at most.
ANSWERED_WITHIN_DAYS = 30
LINES = 5

Members = Callable[[SavedView, User, Collection[int]], Collection[int]]

_SEEN = """
SELECT e.id, e.person_id, e.kind, e.name, e.url, e.occurred_at, e.properties, w.subjects
FROM leads_event e
JOIN leads_person p ON p.id = e.person_id
LEFT JOIN leads_lead l ON l.person_id = p.id AND l.closed_at IS NULL
LEFT JOIN funnel_leadstate s ON s.lead_id = l.id
CROSS JOIN LATERAL (
  SELECT array_agg(DISTINCT k.key) AS subjects
  FROM unnest(ARRAY['segment', 'person:' || p.id, 'company:' || p.company_id, 'company:' || l.company_id,
                    'stage:' || s.stage_id, 'mine:' || s.owner_id]) AS k(key)
  WHERE EXISTS (SELECT 1 FROM funnel_alert a WHERE a.subject_key = k.key AND a.stopped_at IS NULL)) w
WHERE e.id = ANY(%s::uuid[]) AND e.occurred_at > %s AND e.screened = ''
  AND w.subjects IS NOT NULL
ORDER BY e.occurred_at, e.id
"""
_ANY = "SELECT EXISTS (SELECT 1 FROM funnel_alert WHERE stopped_at IS NULL)"
_WAITING = """
SELECT a.id FROM unnest(%s::text[], %s::text[]) AS w(subject, key)
JOIN funnel_alert a ON a.subject_key = w.subject AND a.trigger_key = w.key AND a.stopped_at IS NULL
WHERE a.snoozed_until IS NULL OR a.snoozed_until <= %s
"""
# A row whose window is taken already is left out: told once, whoever runs twice.
_INSERT = """
INSERT INTO funnel_alerthit AS h
  (alert_id, user_id, person_id, event_id, what, occurred_at, "window", raised_at, tell_at)
SELECT t.alert_id, a.user_id, t.person_id, t.event_id, t.what, t.occurred_at,
       tstzrange(t.occurred_at, t.occurred_at + make_interval(secs => a.repeat_after_seconds)), %s, t.tell_at
FROM unnest(%s::bigint[], %s::bigint[], %s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[])
  AS t (alert_id, person_id, event_id, what, occurred_at, tell_at)
JOIN funnel_alert a ON a.id = t.alert_id
ORDER BY t.alert_id, t.person_id, t.occurred_at
ON CONFLICT DO NOTHING
RETURNING h.id
"""
_BEFORE = """
SELECT w.id, (SELECT max(e.occurred_at) FROM leads_event e
              WHERE e.person_id = w.person_id AND e.occurred_at < w.at)
FROM unnest(%s::uuid[], %s::bigint[], %s::timestamptz[]) AS w(id, person_id, at)
"""
_CONTACTED = """
UPDATE funnel_alerthit SET contacted_at = least(contacted_at, %(at)s)
WHERE person_id = %(person)s AND raised_at <= %(at)s AND raised_at > %(at)s - make_interval(days => %(days)s)
  AND (contacted_at IS NULL OR contacted_at > %(at)s)
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """An event of a person about whom somebody wants to be told something."""

    id: UUID
    person_id: int
    kind: str
    name: str
    url: str
    occurred_at: datetime
    properties: dict[str, Any]
    subjects: list[str]

    @property
    def what(self) -> str:
        """What is told of it: the page, or the name of what was done."""
        host, path = rules.address_of(self.url)
        shown = path if self.kind == EventKind.PAGE and path else self.name or path
        return (shown or str(EventKind(self.kind).label) or host)[:300]


@transaction.atomic(savepoint=False)
def raise_for(*, event_ids: Sequence[UUID], members: Members, now: datetime) -> int:
    """Find the alerts that these events were waited for by, keep the hits and tell them.

    ``members(view, user, person_ids)`` says which of the persons stand in a saved view of leads.
    Returns the number of new hits. A fixed number of statements plus one per segment that is asked.
    """
    seen = _seen(event_ids, now)
    found = list(_matches(seen, members, now)) if seen else []
    if not found:
        return 0
    hours = _hours({alert.user for alert, _event in found})
    columns: list[tuple[Any, ...]] = [
        (
            alert.pk,
            event.person_id,
            str(event.id),
            event.what,
            event.occurred_at,
            hours[alert.user_id].tell_at(now, is_digest=alert.delivery == AlertDelivery.DIGEST),
        )
        for alert, event in found
    ]
    with connection.cursor() as cursor:
        parts: list[Any] = [list(column) for column in zip(*columns, strict=True)]
        cursor.execute(_INSERT, [now, *parts])
        made = [pk for (pk,) in cursor.fetchall()]
    tell_now = AlertHit.objects.filter(pk__in=made, tell_at__lte=now)
    _tell(list(tell_now.order_by("pk")), now)
    return len(made)


@transaction.atomic
def tell_due(*, now: datetime, limit: int) -> int:
    """Tell what waited for the end of quiet hours or for the daily digest; the loop ``alerts``."""
    due = AlertHit.objects.filter(told_at=None, tell_at__lte=now).order_by("tell_at")
    hits = list(due.select_for_update(skip_locked=True)[:limit])
    _tell(hits, now)
    return len(hits)


@transaction.atomic(savepoint=False)
def note_contact(*, person_id: int, at: datetime) -> int:
    """A colleague tried to reach the person: the answer to every alert about them before it.

    The earliest attempt counts, in whatever order they are logged. Returns how many hits it answered.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CONTACTED, {"at": at, "person": person_id, "days": ANSWERED_WITHIN_DAYS})
        return int(cursor.rowcount)


def _seen(event_ids: Sequence[UUID], now: datetime) -> list[Seen]:
    with connection.cursor() as cursor:
        cursor.execute(_ANY)
        if not cursor.fetchone()[0]:
            return []
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, [[str(key) for key in event_ids], now - FRESH])
        columns = [column.name for column in cursor.description]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return [Seen(**{**row, "properties": json.loads(row["properties"])}) for row in rows]


def _matches(seen: Sequence[Seen], members: Members, now: datetime) -> Iterator[tuple[Alert, Seen]]:
    keys = {event.id: rules.keys_of_event(event.kind, event.name, event.url) for event in seen}
    pairs = {(subject, key) for event in seen for subject in event.subjects for key in keys[event.id]}
    if not pairs:
        return
    subjects, texts = zip(*sorted(pairs), strict=True)
    waiting = RawSQL(_WAITING, [list(subjects), list(texts), now])  # noqa: S611 - no text but our own
    by_pair: dict[tuple[str, str], list[Alert]] = defaultdict(list)
    users = Alert.objects.filter(pk__in=waiting, user__is_active=True)
    for alert in users.select_related("user", "segment").order_by("pk"):
        if alert.user.may(Capability.VIEW):
            by_pair[alert.subject_key, alert.trigger_key].append(alert)
    candidates = [
        (alert, event)
        for event in seen
        for subject in event.subjects
        for key in keys[event.id]
        for alert in by_pair.get((subject, key), ())
        if _happened(alert, event)
    ]
    yield from _members_only(_returned_only(candidates), members)


def _happened(alert: Alert, event: Seen) -> bool:
    if alert.trigger == Trigger.PAGE and not rules.page_matches(alert.pattern, event.url):
        return False
    return rules.conditions_hold(alert.conditions, event.properties)


def _returned_only(found: list[tuple[Alert, Seen]]) -> list[tuple[Alert, Seen]]:
    """Of alerts that wait for a return, only those whose person was away long enough before the event."""
    asked = {event.id: event for alert, event in found if alert.trigger == Trigger.RETURN}
    before: dict[UUID, datetime | None] = {}
    if asked:
        events = list(asked.values())
        columns: list[Any] = [
            [str(e.id) for e in events],
            [e.person_id for e in events],
            [e.occurred_at for e in events],
        ]
        with connection.cursor() as cursor:
            cursor.execute(_BEFORE, columns)
            before = dict(cursor.fetchall())

    def was_away(alert: Alert, event: Seen) -> bool:
        last = before.get(event.id)
        return last is not None and event.occurred_at - last >= timedelta(days=alert.after_days or 0)

    return [(a, e) for a, e in found if a.trigger != Trigger.RETURN or was_away(a, e)]


def _members_only(found: list[tuple[Alert, Seen]], members: Members) -> Iterator[tuple[Alert, Seen]]:
    """Of alerts about a segment, only those whose person stands in it now; one question per segment."""
    asked: dict[tuple[int, int], set[int]] = defaultdict(set)
    views: dict[tuple[int, int], Alert] = {}
    for alert, event in found:
        if alert.segment_id is not None:
            asked[alert.segment_id, alert.user_id].add(event.person_id)
            views[alert.segment_id, alert.user_id] = alert
    inside = {
        key: set(members(views[key].segment, views[key].user, people))  # type: ignore[arg-type]
        for key, people in asked.items()
    }
    for alert, event in found:
        if alert.segment_id is None or event.person_id in inside[alert.segment_id, alert.user_id]:
            yield alert, event


def _hours(users: Collection[User]) -> dict[int, Hours]:
    kept = AlertHours.objects.in_bulk([user.pk for user in users])
    return {user.pk: _hours_of(user, kept.get(user.pk)) for user in users}


def _hours_of(user: User, kept: AlertHours | None) -> Hours:
    zone = ZoneInfo(user.time_zone)
    if kept is None:
        return Hours(zone, None, None, time(8))
    return Hours(zone, kept.quiet_from, kept.quiet_until, kept.digest_at)


def _tell(hits: Sequence[AlertHit], now: datetime) -> None:
    """One notice per hit; what has gathered for one user over quiet hours or a day is one notice."""
    if not hits:
        return
    alerts = Alert.objects.in_bulk({hit.alert_id for hit in hits})
    persons = Person.objects.select_related("company", "interest").in_bulk({hit.person_id for hit in hits})
    decay = definitions.decay_of(definitions.in_force())
    heat = {
        pk: decay.score_of_key(person.interest.key, now) if hasattr(person, "interest") else 0.0
        for pk, person in persons.items()
    }

    def bundle(hit: AlertHit) -> tuple[int, int]:
        return alerts[hit.alert_id].user_id, hit.pk if hit.tell_at == hit.raised_at else 0

    entries = []
    for (user_id, _one), grouped in groupby(sorted(hits, key=bundle), key=bundle):
        told = list(grouped)
        lines = [_line(alerts[h.alert_id], persons[h.person_id], h, heat[h.person_id]) for h in told]
        is_mailed = any(alerts[hit.alert_id].delivery != AlertDelivery.APP for hit in told)
        entries.append(_entry(user_id, told, lines, is_mailed=is_mailed))
    outbox.put_many(entries=entries, now=now)
    AlertHit.objects.filter(pk__in=[hit.pk for hit in hits]).update(told_at=now.astimezone(UTC))


def _entry(user_id: int, told: list[AlertHit], lines: list[str], *, is_mailed: bool) -> Entry:
    text, link = lines[0], f"/people/{told[0].person_id}/"
    if len(told) > 1:
        head = _("%(n)d alerts while you were away:") % {"n": len(told)}
        more = [_("and %(n)d more") % {"n": len(told) - LINES}] if len(told) > LINES else []
        text, link = "\n".join([head, *lines[:LINES], *more]), "/alerts/"
    return Entry(
        topic=TOPIC,
        payload={
            "user_id": user_id,
            "hits": [
                {"alert_id": h.alert_id, "person_id": h.person_id, "event_id": str(h.event_id)} for h in told
            ],
        },
        dedupe_key=f"alert:{told[0].pk}:{told[-1].pk}",
        notice=Notice(
            text=text,
            user_ids=(user_id,),
            link=link,
            mail=is_mailed,
        ),
    )


def _line(alert: Alert, person: Person, hit: AlertHit, heat: float) -> str:
    name = person.name or _("Somebody")
    words = {
        "who": f"{name} ({person.company.name})" if person.company else name,
        "what": hit.what,
        "days": alert.after_days,
    }
    texts = {
        Trigger.PAGE: _("%(who)s visited %(what)s."),
        Trigger.ACTION: _("%(who)s: %(what)s."),
        Trigger.FORM: _("%(who)s submitted the form %(what)s."),
        Trigger.EMAIL_CLICK: _("%(who)s clicked a link in an e-mail."),
        Trigger.RETURN: _("%(who)s is back after %(days)s days or more: %(what)s."),
    }
    told = texts[Trigger(alert.trigger)] % words
    return f"{told} {_('Interest is %(points)d now.') % {'points': heat}}" if heat >= 1 else told
