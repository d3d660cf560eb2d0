"""Putting rows into the outbox, in the transaction of the fact, and fanning them out."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from smarketing.core import loops
from smarketing.notifications.models import MAIL_CHANNEL, Delivery, Endpoint, Notification, Outbox
from smarketing.users.models import User


@dataclass(frozen=True, slots=True)
class Notice:
    """Who is told in person, and what.

    ``user_ids`` see ``text`` in the product, with ``link`` (a path of ours) to what it is about;
    ``mail`` sends it to their addresses too. ``emails`` are further addresses. ``subject`` of the mail
    is the text's first line when it is empty; ``headers`` are further headers of the mail
    (``List-Unsubscribe``).
    """

    text: str
    user_ids: tuple[int, ...] = ()
    link: str = ""
    mail: bool = False
    emails: tuple[str, ...] = ()
    subject: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

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
    rows = [
        Outbox(
            topic=entry.topic,
            payload=dict(entry.payload),
            dedupe_key=entry.dedupe_key,
            notice=entry.notice.to_json() if entry.notice else {},
            created_at=now,
        )
        for entry in entries
    ]
    if rows:
        Outbox.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
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
    users = _told(rows)
    deliveries: list[Delivery] = []
    notifications: list[Notification] = []
    for row in rows:
        for endpoint in endpoints:
            if endpoint.wants(row.topic):
                deliveries.append(_delivery(row, now, endpoint=endpoint))
        told = [users[pk] for pk in row.notice.get("user_ids", []) if pk in users]
        notifications += [_notification(row, user, now) for user in told]
        addresses = set(row.notice.get("emails", []))
        if row.notice.get("mail"):
            addresses |= {user.email for user in told if user.email}
        deliveries += [_delivery(row, now, email=address) for address in sorted(addresses)]
    Notification.objects.bulk_create(notifications, ignore_conflicts=True, batch_size=1000)
    Delivery.objects.bulk_create(deliveries, ignore_conflicts=True, batch_size=1000)
    Outbox.objects.filter(pk__in=[row.pk for row in rows]).update(fanned_out_at=now)
    if deliveries:
        loops.nudge("deliveries")
    return len(rows)


def _told(rows: Iterable[Outbox]) -> dict[int, User]:
    """The active users who are to be told by any of the rows."""
    wanted = {pk for row in rows for pk in row.notice.get("user_ids", [])}
    return {user.pk: user for user in User.objects.active().filter(pk__in=wanted)} if wanted else {}


def _notification(row: Outbox, user: User, now: datetime) -> Notification:
    return Notification(
        user=user,
        outbox=row,
        topic=row.topic,
        text=row.notice.get("text", "")[:500],
        link=row.notice.get("link", "")[:500],
        created_at=now,
    )


def _delivery(row: Outbox, now: datetime, *, endpoint: Endpoint | None = None, email: str = "") -> Delivery:
    return Delivery(
        outbox=row,
        channel=MAIL_CHANNEL if endpoint is None else endpoint.pk,
        endpoint=endpoint,
        email=email,
        msg_id=f"msg_{uuid.uuid4().hex}",
        not_before=now,
    )
