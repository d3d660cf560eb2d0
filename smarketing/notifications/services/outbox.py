"""Putting rows into the outbox, in the transaction of the fact, and fanning them out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from smarketing.core import loops
from smarketing.core.prepared import Statement
from smarketing.notifications import topics
from smarketing.notifications.domain.quiet import Rhythm
from smarketing.notifications.domain.webhooks import new_message_id
from smarketing.notifications.models import (
    MAIL_CHANNEL,
    Delivery,
    Endpoint,
    Notification,
    Outbox,
    WaitingMail,
)
from smarketing.notifications.selectors import preferences
from smarketing.users.models import User

_PUT = Statement(
    "outbox_put",
    """
INSERT INTO notifications_outbox (dedupe_key, topic, payload, notice, created_at)
SELECT n.key, n.topic, n.payload::jsonb, n.notice::jsonb, %(now)s::timestamptz
  FROM unnest(%(keys)s::text[], %(topics)s::text[], %(payloads)s::text[], %(notices)s::text[])
       WITH ORDINALITY AS n (key, topic, payload, notice, place)
 ORDER BY n.place
    ON CONFLICT DO NOTHING
""",
    by="keys",
)


@dataclass(frozen=True, slots=True)
class Personal:
    """A mail that a colleague wrote: it leaves as plain text under their name, with nothing of ours added.

    ``reply_to`` is the address that answers go to. If it can't be delivered the sender is told so, under
    ``failure_topic``.
    """

    sender_id: int
    sender_name: str
    failure_topic: str
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Who is told in person, and what.

    ``user_ids`` see ``text`` in the product, with ``link`` (a path of ours) to what it is about;
    ``mail`` sends it to their addresses too. Both is what users get who chose nothing else for the kind
    of the topic. ``emails`` are further addresses, which get it whatever anybody chose. ``subject`` of
    the mail is the text's first line when it is empty; ``headers`` are further headers of the mail
    (``List-Unsubscribe``). With ``personal`` it is a colleague's own mail.
    """

    text: str
    user_ids: tuple[int, ...] = ()
    link: str = ""
    mail: bool = False
    emails: tuple[str, ...] = ()
    subject: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    personal: Personal | None = None

    def to_json(self) -> dict[str, Any]:
        """What is kept with the row; whatever is empty is left out."""
        kept = {
            "text": self.text,
            "user_ids": list(self.user_ids),
            "link": self.link,
            "mail": self.mail,
            "emails": list(self.emails),
            "subject": self.subject,
            "headers": dict(self.headers),
            "personal": asdict(self.personal) if self.personal else {},
        }
        return {name: value for name, value in kept.items() if value}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row to put; see :func:`put`."""

    topic: str
    payload: Mapping[str, Any]
    dedupe_key: str
    notice: Notice | None = None


def put(
    *,
    topic: str,
    payload: Mapping[str, Any],
    dedupe_key: str,
    now: datetime,
    notify: Notice | None = None,
) -> None:
    """Promise an effect of the caller's transaction: webhooks of ``topic`` and the ``notify`` notice.

    The same ``dedupe_key`` a second time changes nothing. ``payload`` is plain JSON: ids and values that a
    receiver may see. Raises ``RuntimeError`` outside a transaction.
    """
    put_many(entries=[Entry(topic, payload, dedupe_key, notify)], now=now)


def put_many(*, entries: Iterable[Entry], now: datetime) -> None:
    """As :func:`put`, many at once in one statement."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an outbox row belongs into the transaction of its fact")
    rows = list(entries)
    if not rows:
        return
    _PUT.count(
        keys=[entry.dedupe_key for entry in rows],
        topics=[entry.topic for entry in rows],
        payloads=[json.dumps(dict(entry.payload)) for entry in rows],
        notices=[json.dumps(entry.notice.to_json() if entry.notice else {}) for entry in rows],
        now=now,
    )
    loops.nudge("outbox")


@transaction.atomic
def fan_out(*, now: datetime, limit: int) -> int:
    """Turn outbox rows into notifications and deliveries; the loop ``outbox``.

    Rows are claimed with SKIP LOCKED, so any number of runners may call it. The unique keys make a
    second fan-out of a row (restored by hand, say) harmless.
    """
    todo = Outbox.objects.filter(fanned_out_at=None).order_by("pk")
    rows = list(todo.select_for_update(skip_locked=True)[:limit])
    if not rows:
        return 0
    endpoints = list(Endpoint.objects.filter(enabled=True))
    posts = [_post(row, endpoint, now) for row in rows for endpoint in endpoints if endpoint.wants(row.topic)]
    told = _in_person(rows, now)
    Notification.objects.bulk_create(told.notifications, ignore_conflicts=True, batch_size=1000)
    WaitingMail.objects.bulk_create(told.waiting, ignore_conflicts=True, batch_size=1000)
    Delivery.objects.bulk_create([*posts, *told.mails], ignore_conflicts=True, batch_size=1000)
    Outbox.objects.filter(pk__in=[row.pk for row in rows]).update(fanned_out_at=now)
    if posts or told.mails:
        loops.nudge("deliveries")
    return len(rows)


@dataclass(frozen=True, slots=True)
class _InPerson:
    """What a batch tells people: in the product, by mail now, and by mail later."""

    notifications: list[Notification] = field(default_factory=list)
    mails: list[Delivery] = field(default_factory=list)
    waiting: list[WaitingMail] = field(default_factory=list)


def _in_person(rows: Sequence[Outbox], now: datetime) -> _InPerson:
    """Tell each user as they chose; the queries don't grow with rows or users."""
    users = _told(rows)
    wishes = preferences.wishes(users.values())
    # Of a row that is fanned out again, what waits goes on waiting.
    waits = set(
        WaitingMail.objects.filter(outbox__in=rows, user__in=users).values_list("outbox_id", "user_id")
        if users
        else ()
    )
    found = _InPerson()
    for row in rows:
        kind, addresses = topics.kind_of(row.topic), set(row.notice.get("emails", []))
        for user in (users[pk] for pk in row.notice.get("user_ids", []) if pk in users):
            wish = wishes.of(user, kind)
            if wish.in_app:
                found.notifications.append(_notification(row, user))
            rhythm = wish.rhythm(is_mailed=bool(row.notice.get("mail")))
            if rhythm == Rhythm.NEVER or not user.email or (row.pk, user.pk) in waits:
                continue
            due = wishes.timing(user).next_mail(rhythm, now)
            if rhythm == Rhythm.AT_ONCE and due <= now:
                addresses.add(user.email)
            else:
                found.waiting.append(WaitingMail(user=user, outbox=row, rhythm=rhythm.value, due_at=due))
        found.mails.extend(_mail(row, address, now) for address in sorted(addresses))
    return found


def _told(rows: Iterable[Outbox]) -> dict[int, User]:
    """The active users who are to be told by any of the rows."""
    wanted = {pk for row in rows for pk in row.notice.get("user_ids", [])}
    return {user.pk: user for user in User.objects.active().filter(pk__in=wanted)} if wanted else {}


def _notification(row: Outbox, user: User) -> Notification:
    return Notification(
        user=user,
        outbox=row,
        topic=row.topic,
        text=row.notice.get("text", "")[:500],
        link=row.notice.get("link", "")[:500],
        created_at=row.created_at,
    )


def _post(row: Outbox, endpoint: Endpoint, now: datetime) -> Delivery:
    return Delivery(
        outbox=row, channel=endpoint.pk, endpoint=endpoint, msg_id=new_message_id(), not_before=now
    )


def _mail(row: Outbox, email: str, now: datetime) -> Delivery:
    return Delivery(outbox=row, channel=MAIL_CHANNEL, email=email, msg_id=new_message_id(), not_before=now)
