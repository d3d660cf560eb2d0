"""One attempt of one delivery: build the message, send it, say how it went.

Nothing here touches the database, so that attempts run side by side in threads; what is needed is
read before (:func:`prepare`), what came of it is written after by ``services.deliveries``.
"""

from __future__ import annotations

import json
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from smarketing.core import http, secrets
from smarketing.notifications.domain import webhooks
from smarketing.notifications.models import Delivery

WEBHOOK_TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. ``permanent`` failures are not tried again; ``gone`` is HTTP 410."""

    done: bool
    status: int | None = None
    error: str = ""
    permanent: bool = False
    gone: bool = False
    retry_after: timedelta | None = None


Attempt = Callable[[], Outcome]


def prepare(delivery: Delivery, *, now: datetime) -> Attempt:
    """Everything an attempt needs, read now; call the result to make it."""
    if delivery.endpoint is not None:
        return _webhook(delivery, now)
    return _mail(delivery)


def _webhook(delivery: Delivery, now: datetime) -> Attempt:
    endpoint, row = delivery.endpoint, delivery.outbox
    assert endpoint is not None  # noqa: S101 (prepare has looked)
    body = json.dumps(
        {"type": row.topic, "timestamp": row.created_at.isoformat(), "data": row.payload},
        separators=(",", ":"),
    ).encode()
    try:
        keys = [secrets.decrypt(endpoint.secret)]
        if endpoint.former_secret and endpoint.former_until and endpoint.former_until > now:
            keys.append(secrets.decrypt(endpoint.former_secret))
    except secrets.UndecryptableSecret as error:
        failed = Outcome(done=False, error=str(error))
        return lambda: failed
    stamp = int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Smarketing-Webhooks/1",
        "webhook-id": delivery.msg_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": webhooks.signatures(
            msg_id=delivery.msg_id, timestamp=stamp, body=body, keys=keys
        ),
    }
    url = endpoint.url

    def attempt() -> Outcome:
        try:
            answer = http.send(
                "POST", url, headers=headers, body=body, timeout_seconds=WEBHOOK_TIMEOUT_SECONDS
            )
        except http.AddressRefused as error:
            return Outcome(done=False, error=error.detail)
        except http.Unreachable as error:
            return Outcome(done=False, error=str(error))
        if 200 <= answer.status < 300:
            return Outcome(done=True, status=answer.status)
        return Outcome(
            done=False,
            status=answer.status,
            error=f"HTTP {answer.status}",
            gone=answer.status == 410,
            permanent=answer.status == 410,
            retry_after=webhooks.retry_after(answer.headers.get("retry-after"), now=now),
        )

    return attempt


def _mail(delivery: Delivery) -> Attempt:
    notice = delivery.outbox.notice
    text = str(notice.get("text", ""))
    context = {
        "text": text,
        "url": f"{settings.SITE_URL}{notice['link']}" if notice.get("link") else "",
        "site": settings.SITE_URL,
    }
    subject = " ".join(str(notice.get("subject") or text.split("\n", 1)[0]).split())[:200]
    message = EmailMultiAlternatives(
        subject=subject,
        body="\n\n".join(part for part in (text, context["url"], f"-- \n{settings.SITE_URL}\n") if part),
        to=[delivery.email],
        # Kept over attempts: a receiver that has it already knows it again.
        headers={
            "Message-ID": f"<{delivery.msg_id}@{urlsplit(settings.SITE_URL).hostname}>",
            "Auto-Submitted": "auto-generated",
            **{str(name): str(value) for name, value in notice.get("headers", {}).items()},
        },
    )
    message.attach_alternative(render_to_string("notifications/mail.html", context), "text/html")

    def attempt() -> Outcome:
        try:
            message.send()
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _ in error.recipients.values()), default=0)
            return Outcome(done=False, status=code, error="recipient refused", permanent=code >= 500)
        except smtplib.SMTPResponseException as error:
            permanent = 500 <= error.smtp_code < 600 and error.smtp_code not in (530, 535)
            return Outcome(
                done=False, status=error.smtp_code, error=type(error).__name__, permanent=permanent
            )
        except (smtplib.SMTPException, OSError) as error:
            return Outcome(done=False, error=type(error).__name__)
        except ValueError as error:  # an address or subject that can't be a header
            return Outcome(done=False, error=str(error)[:200], permanent=True)
        return Outcome(done=True)

    return attempt
