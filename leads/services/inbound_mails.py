"""Mails that come in: told apart, matched to the mail or person they belong to, put on the timeline.

A reply is a contact of the person: it satisfies the promise of depth. An automatic answer is shown and
counts for nothing; a bounce is told to who wrote. Mail of strangers is not kept.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from leads.domain import inbound_mail as rules
from leads.domain.inbound_mail import InboundMail, Kind
from leads.models import (
    Activity,
    ActivityKind,
    ActivityOutcome,
    Direction,
    Lead,
    Mail,
    MailInbox,
    MailState,
    Person,
    PersonEmail,
    SourceKind,
)
from leads.selectors.mails import INBOUND_SOURCE
from leads.services import activities, sources
from smarketing.core.changes import changed
from smarketing.core.errors import Denied
from smarketing.notifications.services import outbox
from smarketing.notifications.services.outbox import Notice
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

LONGEST_TOKEN = 100


@dataclass(frozen=True, slots=True)
class IssuedInbox:
    """An inbox with its secret, which is told this once."""

    inbox: MailInbox
    token: str


@dataclass(frozen=True, slots=True)
class Match:
    """Whom a mail is from, and which of ours it answers (if any)."""

    person: Person
    lead: Lead | None
    mail: Mail | None


@transaction.atomic
def open_inbox(*, address: str, actor: User, now: datetime) -> IssuedInbox:
    """Take replies at ``address``; the former inbox stops working. Raises ``Denied``."""
    _may(actor)
    MailInbox.objects.select_for_update().filter(revoked_at=None).update(revoked_at=now)
    token = secrets.token_urlsafe(32)
    inbox = MailInbox.objects.create(address=address.strip().lower(), digest=_digest(token), created_at=now)
    changed(actor=actor, action="mail_inbox_opened", obj=inbox, now=now, after={"address": inbox.address})
    return IssuedInbox(inbox, token)


@transaction.atomic
def close_inbox(*, actor: User, now: datetime) -> bool:
    """Take no replies any more; say whether an inbox was open. Raises ``Denied``."""
    _may(actor)
    inbox = MailInbox.objects.select_for_update().filter(revoked_at=None).first()
    if inbox is None:
        return False
    inbox.revoked_at = now
    inbox.save(update_fields=["revoked_at"])
    changed(actor=actor, action="mail_inbox_closed", obj=inbox, now=now)
    return True


def inbox_of(*, token: str) -> MailInbox | None:
    """The open inbox that this secret is of."""
    if not token.isascii() or len(token) > LONGEST_TOKEN:
        return None
    return MailInbox.objects.filter(digest=_digest(token), revoked_at=None).first()


@transaction.atomic
def receive(*, inbox: MailInbox, mail: InboundMail, now: datetime) -> Activity | None:
    """Put a mail on the timeline it belongs to; ``None`` for one that belongs to nobody known.

    The same Message-ID again returns what is stored.
    """
    MailInbox.objects.filter(pk=inbox.pk).update(last_received_at=now)
    match = _match(mail)
    if match is None:
        return None
    is_reply = mail.kind == Kind.REPLY
    outcomes = {Kind.REPLY: ActivityOutcome.REPLIED.value, Kind.BOUNCE: ActivityOutcome.BOUNCED.value}
    activity = activities.log(
        person=match.person,
        lead=match.lead,
        kind=ActivityKind.MAIL,
        direction=Direction.INBOUND,
        outcome=outcomes.get(mail.kind, ""),
        subject=mail.subject,
        body=mail.text,
        occurred_at=now,
        actor=None,
        is_automated=not is_reply,
        source=sources.ensure(code=INBOUND_SOURCE, name="Mail", kind=SourceKind.API, now=now),
        external_id=mail.message_id[: rules.LONGEST_ID] or None,
        now=now,
    )
    if activity.created_at == now and mail.kind != Kind.AUTOMATIC:
        _tell(activity, match, bounced=not is_reply, now=now)
    return activity


def _match(mail: InboundMail) -> Match | None:
    """By the thread, then by the address it came to, then (never a bounce) by who sent it."""
    ours = Mail.objects.filter(state=MailState.SENT).select_related("person", "lead", "sender")
    found = ours.filter(message_id__in=mail.references).order_by("-pk").first()
    token = rules.plus_token(mail.recipients)
    if found is None and token:
        found = ours.filter(token=token).first()
    if found is not None:
        return Match(found.person, found.lead, found)
    if mail.kind == Kind.BOUNCE or not mail.sender:
        return None
    held = PersonEmail.objects.filter(email=mail.sender).select_related("person").order_by("pk").first()
    return Match(held.person, None, None) if held else None


def _tell(activity: Activity, match: Match, *, bounced: bool, now: datetime) -> None:
    """Who wrote hears of it. The payload carries no text of the mail."""
    sender = match.mail.sender if match.mail else None
    words = {"person": match.person.name or _("Somebody")}
    text = (
        _("Your mail to %(person)s could not be delivered.") % words
        if bounced
        else _("%(person)s replied to your mail.") % words
    )
    outbox.put(
        topic="mail.bounced" if bounced else "mail.replied",
        payload={
            "person_id": match.person.pk,
            "lead_id": activity.lead_id,
            "activity_id": activity.pk,
        },
        dedupe_key=f"inbound-mail:{activity.pk}",
        now=now,
        notify=Notice(text=text, user_ids=(sender.pk,), link=f"/people/{match.person.pk}/")
        if sender
        else None,
    )


def _may(actor: User) -> None:
    if not actor.may(Capability.MANAGE_KEYS):
        raise Denied(_("Only who manages keys can change where mail comes in."))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
