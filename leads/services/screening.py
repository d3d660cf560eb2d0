"""Which traffic is our own, and keeping what is not a visitor's out of the figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from leads.domain import mails
from leads.domain import screening as rules
from leads.domain.mails import Happening
from leads.domain.tracking import Message
from leads.models import Event, EventKind, Screening, Source
from leads.selectors import screening
from leads.services import fields, intake, sources
from smarketing.core.changes import changed
from smarketing.core.errors import FieldError, Invalid
from smarketing.core.keysets import among
from smarketing.users.models import User

_DELIVERED = "Email Delivered"
_MAX = 200


class BadNetwork(Invalid):
    """This is not an address or a network."""

    code = "bad_network"


@transaction.atomic
def update(
    *,
    networks: Sequence[str],
    hosts: Sequence[str],
    lead_sources: Collection[Source] | None = None,
    expected_version: int,
    actor: User | None,
    now: datetime,
) -> Screening:
    """Say which networks and hosts are our own, and at which sources strangers become leads.

    ``lead_sources`` of ``None`` leaves these as they are. Raises :class:`BadNetwork` or ``EditedMeanwhile``.
    """
    try:
        read = rules.read_networks(networks[:_MAX])
    except ValueError as error:
        detail = _("“%(text)s” is not an address or a network such as 203.0.113.0/24.") % {"text": error}
        raise BadNetwork(detail, errors=[FieldError("networks", BadNetwork.code, detail)]) from error
    row = Screening.objects.select_for_update().first()
    if row is None:
        Screening.objects.bulk_create([Screening(**fields.stamps(now=now))], ignore_conflicts=True)
        row = Screening.objects.select_for_update().get()
    fields.same_version(record=row, expected=expected_version)
    if lead_sources is not None:
        chosen = {source.pk for source in lead_sources}
        for source in screening.tracked_sources():
            sources.set_opening_laps(source=source, opens_laps=source.pk in chosen, actor=actor, now=now)
    before = {"networks": row.networks, "hosts": row.hosts}
    row.networks = [str(network) for network in read]
    row.hosts = list(dict.fromkeys(h for text in hosts[:_MAX] if (h := text.strip().lower()[:253])))
    row.version, row.updated_at = row.version + 1, now
    row.save(update_fields=["networks", "hosts", "version", "updated_at"])
    after = {"networks": row.networks, "hosts": row.hosts}
    changed(actor=actor, action="screening_changed", obj=row, now=now, before=before, after=after)
    return row


def kept(*, messages: Iterable[Message], now: datetime) -> list[Message]:
    """The messages of visitors; the others are counted by source and reason, and forgotten."""
    known = screening.in_force()
    found: list[Message] = []
    dropped: Counter[tuple[int | None, str]] = Counter()
    for message in messages:
        if why := rules.reason(message, known):
            dropped[message.source_id, why] += 1
        else:
            found.append(message)
    if dropped:
        intake.count(outcomes=dropped, now=now)
    return found


def judge_mails(*, event_ids: Iterable[UUID]) -> set[int]:
    """Say of opens and clicks of the mails that these events are about whether they count.

    Returns the persons for whom an event counts otherwise than before.
    """
    touched = Event.objects.filter(pk__in=list(event_ids), person__isnull=False)
    mails_of = {(e.person_id, mail) for e in touched if (mail := _mail(e))}
    if not mails_of:
        return set()
    people = [person for person, _mail_id in mails_of if person is not None]
    rows = Event.objects.filter(person__in=among(people))
    happened: dict[tuple[int | None, str], list[Event]] = defaultdict(list)
    kinds = (EventKind.EMAIL_OPEN, EventKind.EMAIL_CLICK)
    for event in (*rows.filter(kind__in=kinds), *rows.filter(kind=EventKind.TRACK, name__iexact=_DELIVERED)):
        if (key := (event.person_id, _mail(event))) in mails_of:
            happened[key].append(event)
    changed_people: set[int] = set()
    for events in happened.values():
        verdicts = mails.judge(Happening(e.occurred_at, e.pk, _what(e)) for e in events)
        for event in events:
            if event.pk in verdicts and verdicts[event.pk] != event.screened and event.person_id is not None:
                Event.objects.filter(pk=event.pk).update(screened=verdicts[event.pk])
                changed_people.add(event.person_id)
    return changed_people


def _what(event: Event) -> str:
    return mails.DELIVERED if event.kind == EventKind.TRACK else event.kind


def _mail(event: Event) -> str:
    """Which mail it is about, by the names of the e-mail events of the specification."""
    for name in ("email_id", "message_id", "campaign_id"):
        value = event.properties.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
            return f"{name} {value}"
    return ""
