"""Mails to one address that belong to nobody's notices: links to set a password, news about an account.

They go through the outbox like everything that leaves the process, so that a mail server that is away
holds nobody up and loses nothing. Their text may open an account: it is kept encrypted, and they are no
topic of webhooks.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from smarketing.core import loops, secrets
from smarketing.notifications.models import MAIL_CHANNEL, Delivery, Outbox

TOPIC = "account.letter"


@transaction.atomic
def post(*, email: str, subject: str, text: str, now: datetime) -> Delivery:
    """Put the letter on its way, in the caller's transaction; it is fanned out already."""
    msg_id = f"msg_{uuid.uuid4().hex}"
    row = Outbox.objects.create(
        topic=TOPIC,
        dedupe_key=f"letter:{msg_id}",
        notice={"sealed": secrets.encrypt(text), "subject": subject},
        created_at=now,
        fanned_out_at=now,
    )
    delivery = Delivery.objects.create(
        outbox=row, channel=MAIL_CHANNEL, email=email, msg_id=msg_id, not_before=now
    )
    loops.nudge("deliveries")
    return delivery
