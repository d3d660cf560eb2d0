"""Receivers of webhooks: added, changed, given a new secret, switched off when they keep failing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from smarketing.core import http, secrets
from smarketing.core.changes import changed
from smarketing.core.errors import Denied, FieldError, Invalid
from smarketing.notifications import topics as known
from smarketing.notifications.domain import webhooks
from smarketing.notifications.domain.webhooks import covers
from smarketing.notifications.models import Endpoint, EndpointFormat
from smarketing.notifications.services import outbox
from smarketing.notifications.services.senders import Outcome
from smarketing.users.domain.roles import CAPABILITIES, Capability
from smarketing.users.models import User

FORMER_SECRET_SIGNS = timedelta(hours=24)
GIVE_UP_AFTER = timedelta(days=5)
_TOPIC = re.compile(r"^(\*|[a-z_]+(\.[a-z_]+)*(\.\*)?)$")


@dataclass(frozen=True, slots=True)
class IssuedSecret:
    """A receiver with its signing secret, which is shown once."""

    endpoint: Endpoint
    secret: str


@transaction.atomic
def create(
    *,
    name: str,
    url: str,
    topics: Sequence[str],
    actor: User,
    now: datetime,
    format: str = EndpointFormat.STANDARD.value,
) -> IssuedSecret:
    """Add a receiver. Raises ``Denied``, ``Invalid``, ``http.AddressRefused``."""
    _may(actor)
    http.check_url(url)
    secret = webhooks.new_secret()
    endpoint = Endpoint.objects.create(
        name=name.strip()[:120],
        url=url,
        topics=_topics(topics),
        format=_format(format),
        secret=secrets.encrypt(secret),
        created_by=actor,
        created_at=now,
        updated_at=now,
    )
    changed(actor=actor, action="webhook_added", obj=endpoint, now=now, after=_shown(endpoint))
    return IssuedSecret(endpoint, secret)


@transaction.atomic
def update(
    *,
    endpoint: Endpoint,
    actor: User,
    now: datetime,
    name: str | None = None,
    url: str | None = None,
    topics: Sequence[str] | None = None,
    format: str | None = None,
    enabled: bool | None = None,
) -> Endpoint:
    """Change what is given. Switching on clears the reason and the record of failures."""
    _may(actor)
    before = _shown(endpoint)
    if name is not None:
        endpoint.name = name.strip()[:120]
    if url is not None:
        http.check_url(url)
        endpoint.url = url
    if topics is not None:
        endpoint.topics = _topics(topics)
    if format is not None:
        endpoint.format = _format(format)
    if enabled is not None:
        endpoint.enabled = enabled
        endpoint.disabled_reason = "" if enabled else "switched off by hand"
        endpoint.failing_since = None
    _save(endpoint, now, "name", "url", "topics", "format", "enabled", "disabled_reason", "failing_since")
    changed(
        actor=actor, action="webhook_changed", obj=endpoint, now=now, before=before, after=_shown(endpoint)
    )
    return endpoint


@transaction.atomic
def turn_secret(*, endpoint: Endpoint, actor: User, now: datetime) -> IssuedSecret:
    """A new secret; the former one signs along for a day, so that the receiver can change over."""
    _may(actor)
    secret = webhooks.new_secret()
    endpoint.former_secret, endpoint.former_until = endpoint.secret, now + FORMER_SECRET_SIGNS
    endpoint.secret = secrets.encrypt(secret)
    _save(endpoint, now, "secret", "former_secret", "former_until")
    changed(actor=actor, action="webhook_secret_turned", obj=endpoint, now=now)
    return IssuedSecret(endpoint, secret)


@transaction.atomic
def delete(*, endpoint: Endpoint, actor: User, now: datetime) -> None:
    """Remove a receiver and its deliveries."""
    _may(actor)
    changed(actor=actor, action="webhook_removed", obj=endpoint, now=now, before=_shown(endpoint))
    endpoint.delete()


def note(*, endpoint: Endpoint, outcome: Outcome, now: datetime) -> None:
    """Remember how an attempt went; a receiver that is gone or failed for five days is switched off.

    Conditional updates: attempts of one receiver end side by side.
    """
    rows = Endpoint.objects.filter(pk=endpoint.pk, enabled=True)
    if outcome.done:
        rows.exclude(failing_since=None).update(failing_since=None)
        return
    if outcome.gone:
        _switch_off(endpoint, "The receiver answered 410 Gone.", now)
        return
    rows.filter(failing_since=None).update(failing_since=now)
    if endpoint.failing_since is not None and endpoint.failing_since <= now - GIVE_UP_AFTER:
        _switch_off(endpoint, "The receiver failed for five days.", now)


def _switch_off(endpoint: Endpoint, reason: str, now: datetime) -> None:
    off = Endpoint.objects.filter(pk=endpoint.pk, enabled=True).update(
        enabled=False, disabled_reason=reason, updated_at=now, version=F("version") + 1
    )
    if not off:
        return
    changed(
        actor=None,
        action="webhook_disabled",
        obj=endpoint,
        now=now,
        before={"enabled": True},
        after={"enabled": False, "disabled_reason": reason},
    )
    keepers = [role for role, may in CAPABILITIES.items() if Capability.MANAGE_KEYS in may]
    told = User.objects.active().filter(role__in=keepers).values_list("pk", flat=True)
    outbox.put(
        topic="webhook.disabled",
        payload={"endpoint_id": endpoint.pk, "name": endpoint.name, "reason": reason},
        dedupe_key=f"webhook-disabled:{endpoint.pk}:{now.isoformat()}",
        now=now,
        notify=outbox.Notice(
            text=f"Webhook “{endpoint.name}” was switched off. {reason}",
            user_ids=tuple(told),
            link=f"/settings/webhooks/{endpoint.pk}/",
            mail=True,
        ),
    )


def _may(actor: User) -> None:
    if not actor.may(Capability.MANAGE_KEYS):
        raise Denied("Only who manages keys can change webhooks.")


def _topics(topics: Sequence[str]) -> list[str]:
    wanted = sorted(set(topics))
    if not wanted or len(wanted) > 50 or not all(_TOPIC.match(topic) for topic in wanted):
        raise Invalid(
            "The topics can't be used.",
            errors=[
                FieldError("topics", "invalid", "Name topics such as handoff.delivered, handoff.* or *.")
            ],
        )
    unknown = [pattern for pattern in wanted if not any(covers(pattern, x.name) for x in known.topics())]
    if unknown:
        detail = _("No topic is called so: %(topics)s. The list is at /api/v1/webhook-topics.")
        problem = FieldError("topics", "unknown", detail % {"topics": ", ".join(unknown)})
        raise Invalid(_("The topics can't be used."), errors=[problem])
    return wanted


def _format(code: str) -> str:
    if code not in EndpointFormat.values:
        problem = FieldError("format", "unknown", _("Choose one of the formats."))
        raise Invalid(_("The format can't be used."), errors=[problem])
    return code


def _save(endpoint: Endpoint, now: datetime, *fields: str) -> None:
    endpoint.updated_at = now
    endpoint.version = F("version") + 1
    endpoint.save(update_fields=[*fields, "updated_at", "version"])
    endpoint.refresh_from_db(fields=["version"])


def _shown(endpoint: Endpoint) -> dict[str, object]:
    """For the audit trail. The path of a Slack address is its secret and stays out of it."""
    is_secret = endpoint.format == EndpointFormat.SLACK
    return {
        "name": endpoint.name,
        "url": f"https://{urlsplit(endpoint.url).hostname}/…" if is_secret else endpoint.url,
        "format": endpoint.format,
        "topics": list(endpoint.topics),
        "enabled": endpoint.enabled,
    }
