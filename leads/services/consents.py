"""The consent ledger: what people allow and take back, each with its proof. Entries are only added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from leads.domain import suppression as networks
from leads.events import ConsentRecorded
from leads.models import (
    ConsentEntry,
    ConsentState,
    ConsentText,
    ContactChannel,
    Person,
    Purpose,
    SuppressedAddress,
)
from leads.selectors import consent_links, suppression
from leads.services import fields
from smarketing.core import events
from smarketing.core.changes import changed
from smarketing.core.errors import FieldError, Invalid
from smarketing.notifications.services import outbox
from smarketing.users.models import User

_MAX_TEXT = 4000
# Mails that ask for a confirmation are not sent again and again to somebody who does not answer.
_ASK_AGAIN_AFTER = timedelta(hours=1)


class BadConsent(Invalid):
    """This can't be an entry of the ledger."""

    code = "bad_consent"


@transaction.atomic
def record(
    *,
    person: Person | None = None,
    address: str = "",
    purpose: Purpose | None = None,
    channel: str = "",
    state: str,
    text: str = "",
    source: str,
    occurred_at: datetime,
    ip: str = "",
    network: str = "",
    ip_hash: str = "",
    evidence: Mapping[str, Any] | None = None,
    actor: User | None = None,
    dedupe_key: str | None = None,
    now: datetime,
) -> ConsentEntry:
    """Add an entry: about ``purpose``, or without one the do-not-contact flag of ``channel``.

    ``text`` is the wording the person read; the ledger keeps each wording once as a version. Of the
    IP address only its network and a keyed hash are kept (given as such where only they are known).
    The same ``dedupe_key`` again returns the entry that is stored. Raises :class:`BadConsent` or
    ``InTheFuture``.
    """
    _check(person, address, purpose, channel, state)
    if dedupe_key and (known := ConsentEntry.objects.filter(dedupe_key=dedupe_key).first()):
        return known
    entry = ConsentEntry(
        person=person,
        address=address[:320],
        purpose=purpose,
        channel=channel or (purpose.channel if purpose else ""),
        state=state,
        text=wording(purpose=purpose, text=text, now=now) if purpose and text.strip() else None,
        source=source[:60],
        occurred_at=fields.happened(instant=occurred_at, field="occurred_at", now=now),
        recorded_at=now,
        network=networks.network_of(ip) or network,
        ip_hash=suppression.ip_hash(ip) or ip_hash,
        evidence=dict(evidence or {}),
        actor=actor,
        dedupe_key=dedupe_key,
    )
    stored, is_new = _insert(entry)
    if is_new:
        events.publish(ConsentRecorded(stored.pk, stored.person_id, now))
    return stored


@transaction.atomic
def forbid(
    *,
    person: Person,
    channels: Iterable[str],
    source: str,
    occurred_at: datetime,
    actor: User | None = None,
    dedupe_key: str | None = None,
    now: datetime,
) -> list[ConsentEntry]:
    """Set the do-not-contact flag of ``channels``; as :func:`record`."""
    return [
        record(
            person=person,
            channel=channel,
            state=ConsentState.WITHDRAWN,
            source=source,
            occurred_at=occurred_at,
            actor=actor,
            dedupe_key=f"{dedupe_key}:{channel}"[:120] if dedupe_key else None,
            now=now,
        )
        for channel in channels
    ]


@transaction.atomic
def ask_confirmation(*, entry: ConsentEntry, now: datetime) -> None:
    """Mail the owner of the address a link by which they confirm a pending entry (double opt-in).

    An address that was asked within the last hour is not asked again.
    """
    if entry.purpose is None or entry.person is None or "@" not in entry.address:
        raise BadConsent(_("Only a consent of a person with an e-mail address can be confirmed by mail."))
    asked = ConsentEntry.objects.filter(
        address=entry.address,
        purpose=entry.purpose,
        state=ConsentState.PENDING,
        recorded_at__gt=now - _ASK_AGAIN_AFTER,
    )
    if asked.exclude(pk=entry.pk).exists():
        return
    body = _("Please confirm that you want this: %(purpose)s. Without your confirmation nothing is sent.")
    outbox.put(
        topic="consent.confirmation_asked",
        payload={"consent_id": entry.pk, "purpose": entry.purpose.code},
        dedupe_key=f"consent-confirm:{entry.pk}",
        now=now,
        notify=outbox.Notice(
            text=body % {"purpose": entry.purpose.name},
            emails=(entry.address,),
            link=consent_links.confirm_path(entry),
            subject=_("Please confirm: %(purpose)s") % {"purpose": entry.purpose.name},
            headers=consent_links.unsubscribe_headers(entry.person, entry.purpose),
        ),
    )


@transaction.atomic
def confirm(*, entry: ConsentEntry, ip: str = "", now: datetime) -> ConsentEntry:
    """The owner of the address confirms a pending entry. Twice is once. Lifts a suppression."""
    confirmed = record(
        person=entry.person,
        address=entry.address,
        purpose=entry.purpose,
        channel=entry.channel,
        state=ConsentState.GRANTED,
        text=entry.text.text if entry.text else "",
        source="double opt-in",
        occurred_at=now,
        ip=ip,
        evidence={"confirms": entry.pk},
        dedupe_key=f"confirms:{entry.pk}",
        now=now,
    )
    hashed = suppression.hash_of(suppression.EMAIL, entry.address)
    SuppressedAddress.objects.filter(kind=suppression.EMAIL, hash=hashed, lifted_at=None).update(
        lifted_at=now
    )
    return confirmed


@transaction.atomic
def leave(*, person: Person, purpose: Purpose | None, source: str, ip: str = "", now: datetime) -> None:
    """End one purpose, or all mail from us. Effective at once; what is withdrawn already stays so."""
    channel = "" if purpose else ContactChannel.EMAIL
    last = ConsentEntry.objects.filter(person=person, purpose=purpose)
    if purpose is None:
        last = last.filter(channel=channel)
    newest = last.order_by("-occurred_at", "-pk").first()
    if newest is not None and newest.state == ConsentState.WITHDRAWN:
        return
    record(
        person=person,
        purpose=purpose,
        channel=channel,
        state=ConsentState.WITHDRAWN,
        source=source,
        occurred_at=now,
        ip=ip,
        now=now,
    )


@transaction.atomic
def choose(
    *, person: Person, wanted: Iterable[str], present: Mapping[str, str], ip: str, now: datetime
) -> int:
    """Write down what a person changed on their preference page; returns how many entries.

    ``wanted`` are the codes of the purposes that are ticked, ``present`` what was in force when the
    page was shown: what stayed as it was is not written again.
    """
    ticked, count = set(wanted), 0
    for purpose in Purpose.objects.filter(is_active=True):
        was, now_wanted = present.get(purpose.code) == ConsentState.GRANTED, purpose.code in ticked
        if was == now_wanted:
            continue
        record(
            person=person,
            purpose=purpose,
            state=ConsentState.GRANTED if now_wanted else ConsentState.WITHDRAWN,
            text=purpose.description or purpose.name if now_wanted else "",
            source="preference page",
            occurred_at=now,
            ip=ip,
            now=now,
        )
        count += 1
    return count


@transaction.atomic
def wording(*, purpose: Purpose, text: str, now: datetime) -> ConsentText:
    """The version of this wording; a new wording is the next number. Raises :class:`BadConsent`."""
    plain = " ".join(text.split())
    if not plain or len(plain) > _MAX_TEXT or "\x00" in plain:
        detail = _("Write a wording of at most %(n)d characters.") % {"n": _MAX_TEXT}
        raise BadConsent(detail, errors=[FieldError("text", BadConsent.code, detail)])
    known = ConsentText.objects.filter(purpose=purpose, text=plain).order_by("-number").first()
    if known is not None:
        return known
    Purpose.objects.select_for_update().get(pk=purpose.pk)
    last = ConsentText.objects.filter(purpose=purpose).order_by("-number").first()
    return ConsentText.objects.create(
        purpose=purpose, number=(last.number if last else 0) + 1, text=plain, created_at=now
    )


@transaction.atomic
def set_purpose(
    *,
    code: str,
    name: str,
    description: str = "",
    channel: str = "",
    is_active: bool = True,
    actor: User | None,
    now: datetime,
) -> Purpose:
    """Make the purpose called ``code``, or change the words of the one there is. Audited."""
    good = fields.checked(
        model=Purpose,
        values={
            "code": code,
            "name": name,
            "description": description,
            "channel": channel,
            "is_active": is_active,
        },
        allowed=("code", "name", "description", "channel", "is_active"),
    )
    known = Purpose.objects.select_for_update().filter(code=good["code"]).first()
    before = {n: getattr(known, n) for n in good} if known else {}
    if known is None:
        known = Purpose.objects.create(**good, position=Purpose.objects.count(), **fields.stamps(now=now))
    else:
        for column, value in good.items():
            setattr(known, column, value)
        known.updated_at = now
        known.save(update_fields=[*good, "updated_at"])
    if before != good:
        changed(actor=actor, action="purpose_set", obj=known, before=before, after=good, now=now)
    return known


def _insert(entry: ConsentEntry) -> tuple[ConsentEntry, bool]:
    """The entry, and whether it is new: of two callers with one key the second finds the first's."""
    try:
        with transaction.atomic():
            entry.save(force_insert=True)
    except IntegrityError:
        known = ConsentEntry.objects.filter(dedupe_key=entry.dedupe_key).first() if entry.dedupe_key else None
        if known is None:
            raise
        return known, False
    return entry, True


def _check(person: Person | None, address: str, purpose: Purpose | None, channel: str, state: str) -> None:
    wrong: list[FieldError] = []

    def say(field: str, detail: str) -> None:
        wrong.append(FieldError(field, BadConsent.code, detail))

    if person is None and not address:
        say("person", _("Say whose consent it is."))
    if state not in ConsentState.values:
        say("state", _("Use granted, withdrawn or pending."))
    if channel and channel not in ContactChannel.values:
        say("channel", _("Use one of: %(all)s.") % {"all": ", ".join(ContactChannel.values)})
    if purpose is None and not channel:
        say("purpose", _("Name a purpose, or the channel that is forbidden or allowed again."))
    if purpose is None and state == ConsentState.PENDING:
        say("state", _("Only a purpose can wait for confirmation."))
    if wrong:
        raise BadConsent(wrong[0].detail, errors=wrong)
