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
from email.utils import formataddr, parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from smarketing.core import http, secrets
from smarketing.notifications import topics
from smarketing.notifications.domain import slack, webhooks
from smarketing.notifications.models import Delivery, Endpoint, EndpointFormat

WEBHOOK_TIMEOUT_SECONDS = 15.0
USER_AGENT = "Smarketing-Webhooks/1"


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
    endpoint = delivery.endpoint
    assert endpoint is not None  # noqa: S101 (prepare has looked)
    url = endpoint.url
    if endpoint.format == EndpointFormat.SLACK:
        body, headers = _for_slack(delivery), {}
    else:
        body = _standard_body(delivery)
        try:
            headers = _signed(delivery, endpoint, body, now)
        except secrets.UndecryptableSecret as error:
            problem = str(error)
            return lambda: Outcome(done=False, error=problem)
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **headers}

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


def _standard_body(delivery: Delivery) -> bytes:
    row = delivery.outbox
    told = {"type": row.topic, "timestamp": row.created_at.isoformat(), "data": row.payload}
    return json.dumps(told, separators=(",", ":")).encode()


def _signed(delivery: Delivery, endpoint: Endpoint, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks. Raises ``secrets.UndecryptableSecret``."""
    keys = [secrets.decrypt(endpoint.secret)]
    if endpoint.former_secret and endpoint.former_until and endpoint.former_until > now:
        keys.append(secrets.decrypt(endpoint.former_secret))
    stamp = int(now.timestamp())
    return {
        "webhook-id": delivery.msg_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": webhooks.signatures(
            msg_id=delivery.msg_id, timestamp=stamp, body=body, keys=keys
        ),
    }


def _for_slack(delivery: Delivery) -> bytes:
    row = delivery.outbox
    link = str(row.notice.get("link", ""))
    return slack.message(
        label=str(topics.label_of(row.topic)),
        text=str(row.notice.get("text", "")),
        payload=row.payload,
        url=f"{settings.SITE_URL}{link}" if link else "",
        link_label=_("Open in Smarketing"),
    )


def _mail(delivery: Delivery) -> Attempt:
    try:
        message = _personal(delivery) if delivery.outbox.notice.get("personal") else _notice(delivery)
    except secrets.UndecryptableSecret as error:
        failed = Outcome(done=False, error=str(error))
        return lambda: failed

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


def _personal(delivery: Delivery) -> EmailMultiAlternatives:
    """A colleague's own mail: their name on our address, so that what checks senders is content."""
    notice = delivery.outbox.notice
    personal = notice["personal"]
    _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return EmailMultiAlternatives(
        subject=str(notice.get("subject", "")),
        body=str(notice.get("text", "")),
        from_email=formataddr((str(personal.get("sender_name", "")), address)),
        to=[delivery.email],
        reply_to=[str(personal["reply_to"])] if personal.get("reply_to") else None,
        headers={str(name): str(value) for name, value in notice.get("headers", {}).items()},
    )


def _notice(delivery: Delivery) -> EmailMultiAlternatives:
    """What the product tells, with its link."""
    notice = delivery.outbox.notice
    text = secrets.decrypt(notice["sealed"]) if "sealed" in notice else str(notice.get("text", ""))
    context = {
        "text": text,
        "head": notice.get("head", ""),
        "groups": notice.get("groups", []),
        # Links of a notice would be what somebody has typed; those of a letter are ours.
        "has_links": "sealed" in notice,
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
    return message
