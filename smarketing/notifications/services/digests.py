"""Mails that waited for a digest or for the end of quiet hours, put together when they are due.

One transaction a user settles what waits and makes the mail that carries it, so a process that dies
loses nothing and doubles nothing: either both are there or neither is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smarketing.core import loops
from smarketing.notifications import topics
from smarketing.notifications.domain.webhooks import new_message_id
from smarketing.notifications.models import MAIL_CHANNEL, Delivery, MailRhythm, Outbox, WaitingMail
from smarketing.users.models import User

LINES = 500  # of one mail; what is beyond comes in the next
TOPIC = "digest"


def run_once(*, now: datetime, limit: int) -> int:
    """Send what is due to at most ``limit`` users; returns how many got a mail. The loop ``digests``."""
    due = WaitingMail.objects.filter(settled_at=None, due_at__lte=now).order_by("due_at", "user_id")
    users = dict.fromkeys(due.values_list("user_id", flat=True)[: limit * 20])
    sent = sum(send(user_id=user_id, now=now) for user_id in list(users)[:limit])
    if sent:
        loops.nudge("deliveries")
    return sent


@transaction.atomic
def send(*, user_id: int, now: datetime) -> bool:
    """Make the mail of all that is due to this user; whether there was anything, and somebody to read it."""
    due = WaitingMail.objects.filter(user_id=user_id, settled_at=None, due_at__lte=now).order_by("outbox_id")
    rows = list(due.select_for_update(of=("self",), skip_locked=True).select_related("outbox")[:LINES])
    user = User.objects.active().filter(pk=user_id).exclude(email=None).first()
    if not rows:
        return False
    carrier = None
    if user is not None and user.email:
        carrier = _carrier(user.email, rows, now)
        Delivery.objects.bulk_create(
            [
                Delivery(
                    outbox=carrier,
                    channel=MAIL_CHANNEL,
                    email=user.email,
                    msg_id=new_message_id(),
                    not_before=now,
                )
            ],
            ignore_conflicts=True,
        )
    WaitingMail.objects.filter(pk__in=[row.pk for row in rows]).update(settled_at=now, carrier=carrier)
    return carrier is not None


def _carrier(email: str, rows: Sequence[WaitingMail], now: datetime) -> Outbox:
    """The outbox row to mail: that of the only notice, which quiet hours held back, or a bundle of all."""
    if len(rows) == 1 and rows[0].rhythm == MailRhythm.AT_ONCE:
        return rows[0].outbox
    is_digest = any(row.rhythm != MailRhythm.AT_ONCE for row in rows)
    head = (
        ngettext("Your digest: %(n)d notice", "Your digest: %(n)d notices", len(rows))
        if is_digest
        else ngettext("Your quiet hours: %(n)d notice", "Your quiet hours: %(n)d notices", len(rows))
    ) % {"n": len(rows)}
    groups = _groups(rows)
    text = [head]
    for group in groups:
        text += ["", group["label"], *(f"- {x['text']}  {x['url']}".rstrip() for x in group["lines"])]
    return Outbox.objects.create(
        topic=TOPIC,
        payload={},
        dedupe_key=f"digest:{rows[0].user_id}:{rows[0].pk}:{rows[-1].pk}",
        notice={
            "text": "\n".join(text),
            "subject": head,
            "head": head,
            "groups": groups,
            "link": "/notifications",
            "emails": [email],
        },
        created_at=now,
        fanned_out_at=now,  # it is a mail of one user, and nothing for receivers of webhooks
    )


def _groups(rows: Sequence[WaitingMail]) -> list[dict[str, Any]]:
    """Their lines, kind by kind in the order of the page, the oldest first in each."""
    labels = {kind.code: str(kind.label) for kind in topics.kinds()}
    order = {code: n for n, code in enumerate(labels)}

    def place(row: WaitingMail) -> int:
        return order.get(topics.kind_of(row.outbox.topic), len(order))

    found = []
    for _place, members in groupby(sorted(rows, key=place), key=place):
        grouped = list(members)
        label = labels.get(topics.kind_of(grouped[0].outbox.topic), _("Other"))
        found.append({"label": label, "lines": [_line(row.outbox.notice) for row in grouped]})
    return found


def _line(notice: dict[str, Any]) -> dict[str, str]:
    link = str(notice.get("link", ""))
    return {
        "text": " ".join(str(notice.get("text", "")).split()),
        "url": f"{settings.SITE_URL}{link}" if link else "",
    }
