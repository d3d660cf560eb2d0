"""Mails that colleagues write to people: ten seconds to take one back, then out through the outbox.

What has gone out is a human's outbound mail on the timeline, dated when the colleague pressed Send, so
it keeps the promise of a first response. Whether the person may be contacted is asked twice: when it is
written, and again at the moment it leaves.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from leads.domain import mail_templates as texts
from leads.models import (
    Activity,
    ActivityKind,
    ActivityOutcome,
    ContactChannel,
    Lead,
    Mail,
    MailInbox,
    MailState,
    Person,
)
from leads.selectors import consents
from leads.services import activities, touchpoints
from smarketing.core import locks
from smarketing.core.errors import Conflict, Denied, DomainError, FieldError, Invalid
from smarketing.notifications.services import outbox
from smarketing.notifications.services.outbox import Notice, Personal
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

LOOP = "mails"
UNDO_WINDOW = timedelta(seconds=10)
MOST_REFERENCES = 20


class BadMail(Invalid):
    """The mail can't be sent as it is."""

    code = "bad_mail"


class MayNotMail(Conflict):
    """The person must not be contacted by e-mail."""

    code = "may_not_mail"


class TooLate(Conflict):
    """The mail has left."""

    code = "mail_has_left"


class NotYourMail(Denied):
    """Only who wrote a mail takes it back."""

    code = "not_your_mail"


@transaction.atomic
def write(
    *,
    person: Person,
    lead: Lead | None = None,
    address: str,
    subject: str,
    body: str,
    answers: str = "",
    actor: User,
    now: datetime,
) -> Mail:
    """Keep a mail that leaves in ten seconds. ``answers``: the Message-ID of the mail it replies to.

    The same words again before they have left (a double click) are the same mail. Locks the person.
    Raises ``Denied``, :class:`BadMail`, :class:`MayNotMail`.
    """
    if not actor.may(Capability.LOG_ACTIVITY):
        raise Denied(_("Your role may not write to people."))
    subject = texts.one_line(subject)
    _check(person, address, subject, body)
    _allowed(person)
    Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    same = Mail.objects.filter(
        person=person,
        sender=actor,
        address=address,
        subject=subject,
        body=body.strip(),
        state=MailState.WAITING,
    ).first()
    if same is not None:
        return same
    former = Mail.objects.filter(person=person, state=MailState.SENT).order_by("-pk").first()
    token = secrets.token_hex(16)
    return Mail.objects.create(
        person=person,
        lead=touchpoints.lead_of(person=person, lead=lead),
        sender=actor,
        address=address,
        subject=subject,
        body=body.strip(),
        message_id=f"{token}@{urlsplit(settings.SITE_URL).hostname or 'localhost'}",
        token=token,
        in_reply_to=answers or (former.message_id if former else ""),
        references=_thread(former, answers),
        send_at=now + UNDO_WINDOW,
        created_at=now,
        updated_at=now,
    )


@transaction.atomic
def take_back(*, mail: Mail, actor: User, now: datetime) -> Mail:
    """Stop a mail within ten seconds. Raises :class:`NotYourMail`, :class:`TooLate`."""
    (locked,) = locks.rows(Mail.objects.all(), [mail.pk])
    if locked.sender_id != actor.pk:
        raise NotYourMail(_("Only who wrote a mail can take it back."))
    if locked.state != MailState.WAITING or now >= locked.send_at:
        raise TooLate(_("The mail has left."))
    locked.state, locked.updated_at = MailState.CANCELLED, now
    locked.save(update_fields=["state", "updated_at"])
    return locked


def run_once(*, now: datetime, limit: int) -> int:
    """Send the mails whose ten seconds are over; the loop ``mails``. Each is a transaction of its own."""
    due = Mail.objects.filter(state=MailState.WAITING, send_at__lte=now).order_by("send_at", "pk")
    return sum(_send(mail_id=pk, now=now) for pk in list(due.values_list("pk", flat=True)[:limit]))


@transaction.atomic
def _send(*, mail_id: int, now: datetime) -> int:
    """Put one mail into the outbox and on the timeline, or refuse it; 1 if it was this call's to do."""
    waiting = Mail.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        pk=mail_id, state=MailState.WAITING
    )
    mail = waiting.select_related("person", "lead", "sender").first()
    if mail is None:
        return 0
    reason = _reason_against(mail)
    if not reason:
        try:
            mail.activity = _log(mail, now=now)
        except DomainError as error:  # one mail that can't be logged must not hold up the others
            reason = error.detail
    if reason or mail.activity is None or mail.sender is None:
        mail.state, mail.refusal, mail.updated_at = MailState.REFUSED, reason[:200], now
        mail.save(update_fields=["state", "refusal", "updated_at"])
        return 1
    mail.state, mail.sent_at, mail.updated_at = MailState.SENT, now, now
    mail.save(update_fields=["activity", "state", "sent_at", "updated_at"])
    outbox.put(
        topic="mail.written",
        payload={"person_id": mail.person_id, "lead_id": mail.lead_id, "activity_id": mail.activity.pk},
        dedupe_key=f"mail:{mail.pk}",
        now=now,
        notify=_notice(mail, mail.sender),
    )
    return 1


def _reason_against(mail: Mail) -> str:
    """Why a mail must not leave after all; "" if it may."""
    if mail.sender is None or not mail.sender.is_active:
        return _("Who wrote it has left.")
    return consents.may_contact(mail.person, channel=ContactChannel.EMAIL).reason


@transaction.atomic
def _log(mail: Mail, *, now: datetime) -> Activity:
    return activities.log(
        person=mail.person,
        lead=mail.lead,
        kind=ActivityKind.MAIL,
        outcome=ActivityOutcome.SENT,
        subject=mail.subject,
        body=mail.body,
        occurred_at=mail.created_at,
        actor=mail.sender,
        now=now,
    )


def _notice(mail: Mail, sender: User) -> Notice:
    """The mail as it leaves: from the colleague by name, replies to the inbox or to themselves."""
    inbox = MailInbox.objects.filter(revoked_at=None).first()
    reply_to = sender.email or ""
    if inbox is not None:
        local, _at, domain = inbox.address.partition("@")
        reply_to = f"{local}+{mail.token}@{domain}"
    headers = {"Message-ID": f"<{mail.message_id}>"}
    if mail.in_reply_to:
        headers["In-Reply-To"] = f"<{mail.in_reply_to}>"
        headers["References"] = " ".join(f"<{one}>" for one in mail.references.split())
    return Notice(
        text=mail.body,
        subject=mail.subject,
        emails=(mail.address,),
        headers=headers,
        link=f"/people/{mail.person_id}/",  # where an erasure looks; a personal mail shows no link
        personal=Personal(sender.pk, sender.name, "mail.bounced", reply_to),
    )


def _thread(former: Mail | None, answers: str) -> str:
    """The ids of the thread, oldest first, as References lists them."""
    ids = [*former.references.split(), former.message_id] if former else []
    return " ".join(dict.fromkeys([*ids, *([answers] if answers else [])][-MOST_REFERENCES:]))


def _check(person: Person, address: str, subject: str, body: str) -> None:
    errors = []
    if address not in {email.email for email in person.emails.all()}:
        errors.append(FieldError("address", "not_theirs", _("Choose one of the person's addresses.")))
    if not subject:
        errors.append(FieldError("subject", "required", _("Give the mail a subject.")))
    if not body.strip() or len(body) > texts.LONGEST_BODY or "\x00" in body:
        errors.append(FieldError("body", "required", _("Write the mail, at most 20,000 letters.")))
    if errors:
        raise BadMail(errors[0].detail, errors=errors)


def _allowed(person: Person) -> None:
    verdict = consents.may_contact(person, channel=ContactChannel.EMAIL)
    if not verdict.allowed:
        raise MayNotMail(verdict.reason)
