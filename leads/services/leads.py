"""Capturing leads and the ends of their laps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from leads.events import LeadsCaptured, LeadsChanged
from leads.models import (
    AttributeSubject,
    Campaign,
    Channel,
    Company,
    Lead,
    Person,
    Source,
    SourceKind,
    TouchpointKind,
)
from leads.services import attributes as custom
from leads.services import companies, fields, people, sources, touchpoints, visit_links
from leads.services.companies import CompanyInput
from leads.services.people import PersonInput
from smarketing.core import events, locks
from smarketing.core.errors import Conflict, FieldError, Invalid
from smarketing.core.prepared import Insert, Query, given
from smarketing.users.models import User

COLUMNS = ("company", "origin", "channel", "campaign", "landing_page", "description")
_ATTEMPTS = 3
_CLOSE_MANY = """
WITH ends AS (SELECT * FROM unnest(%s::bigint[], %s::timestamptz[]) AS e(id, at))
UPDATE leads_lead l SET closed_at = greatest(e.at, l.captured_at), updated_at = %s, version = version + 1
  FROM ends e WHERE l.id = e.id AND l.closed_at IS NULL
"""
_OF_SOURCE = Query(
    "lead_of_source",
    lambda: Lead.objects.filter(source=given("source"), external_id=given("external_id")),
)
_INSERT = Insert(Lead)
_TOUCH_OF_KIND = {SourceKind.WEB: TouchpointKind.FORM, SourceKind.API: TouchpointKind.FORM}


class EndsBeforeCapture(Invalid):
    """A lap can't end before it began."""

    code = "ends_before_capture"


class LaterLap(Conflict):
    """The person has come back since; their later lap is the open one."""

    code = "later_lap"


class LeadOfAnother(Conflict):
    """The source's id was used for a lead of another person."""

    code = "lead_of_another"


@dataclass(frozen=True, slots=True)
class Captured:
    """The lead, and whether it is a new lap."""

    lead: Lead
    created: bool


@transaction.atomic
def capture(
    *,
    source: Source | None,
    person: PersonInput | Person,
    captured_at: datetime,
    origin: str = "",
    channel: Channel | None = None,
    campaign: Campaign | None = None,
    landing_page: str = "",
    description: str = "",
    external_id: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    company: Company | CompanyInput | None = None,
    is_contact: bool = True,
    actor: User | None,
    now: datetime,
) -> Captured:
    """Somebody shows interest: find or make the person, and open a lap unless one is open.

    Without ``source`` a colleague has typed it in. ``is_contact`` is false where the contact by which
    they came has its touchpoint already.
    An open lap is not doubled: its blanks are filled and a touchpoint is added. The same
    ``(source, external_id)`` again changes nothing. The person is locked first and the lead after,
    so that of two captures of one e-mail address one opens the lap and the other finds it. Raises
    ``InTheFuture``, ``Unidentified``, ``BadEmail``, ``BadPhone``, ``BadAttribute``,
    :class:`LeadOfAnother` or what ``fields.checked`` raises; then nothing was written.
    """
    source = source or sources.manual(now=now)
    at = fields.happened(instant=captured_at, field="captured_at", now=now)
    values = _how(origin, channel, campaign, landing_page, description)
    known = _OF_SOURCE.first(source=source.pk, external_id=external_id) if external_id else None
    if known is not None and _same_person(known, person):
        return Captured(known, created=False)
    employer = _company(company, actor=actor, now=now)
    human, is_new = _human(person, employer, actor=actor, now=now)
    values["company"] = employer or human.company
    lead = None if is_new else _present_lap(human)
    created = lead is None
    if lead is None:
        values |= {"lap": 1 if is_new else _next_lap(human), "source": source, "external_id": external_id}
        lead = _open_lap(human, values, attributes or {}, at=at, now=now)
        if not is_new:
            visit_links.claim_for_lap(lead=lead, now=now)
        fact = LeadsCaptured((lead.pk,), (), (), actor.pk if actor else None, is_import=False, now=now)
        events.publish(fact)
    else:
        _fill(lead, values, attributes or {}, actor=actor, now=now)
    if is_contact:
        _touch(lead, values, source=source, external_id=external_id, at=at, actor=actor, now=now)
    return Captured(lead, created=created)


@transaction.atomic
def update(
    *,
    lead: Lead,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
    actor: User | None,
    now: datetime,
) -> Lead:
    """Change named columns; ``attributes`` are merged, a value of ``None`` takes one away.

    Locks the lead. Raises ``EditedMeanwhile``, ``BadAttribute`` or what ``fields.checked`` raises.
    """
    (locked,) = locks.rows(Lead.objects.all(), [lead.pk])
    fields.same_version(record=locked, expected=expected_version)
    columns = {n: v for n, v in changes.items() if n != "attributes"}
    good = fields.checked(model=Lead, values=columns, allowed=COLUMNS)
    if "attributes" in changes:
        good["attributes"] = custom.merged(
            subject=AttributeSubject.LEAD, present=locked.attributes, changes=changes["attributes"]
        )
    different = {n: v for n, v in good.items() if getattr(locked, n) != v}
    _write(locked, different, actor=actor, now=now)
    return locked


@transaction.atomic
def close(*, lead: Lead, at: datetime, now: datetime) -> Lead:
    """End the lap at ``at``; one that has ended stays as it is. Raises :class:`EndsBeforeCapture`."""
    (locked,) = locks.rows(Lead.objects.all(), [lead.pk])
    if locked.closed_at is not None:
        return locked
    if at < locked.captured_at:
        detail = _("A lap can't end before it began.")
        raise EndsBeforeCapture(detail, errors=[FieldError("at", EndsBeforeCapture.code, detail)])
    locked.closed_at, locked.version, locked.updated_at = at, locked.version + 1, now
    locked.save(update_fields=["closed_at", "version", "updated_at"])
    return locked


@transaction.atomic
def close_many(*, ends: Sequence[tuple[int, datetime]], now: datetime) -> int:
    """End the laps of many leads, given as (lead, instant), and say how many were open.

    One statement, for imports of the past: an instant before the capture counts as the capture.
    """
    if not ends:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE_MANY, [[e[0] for e in ends], [e[1] for e in ends], now])
        return int(cursor.rowcount)


@transaction.atomic
def reopen(*, lead: Lead, now: datetime) -> Lead:
    """Take the end back; an open lap stays as it is. Raises :class:`LaterLap`.

    A capture may open a later lap at the same moment: the constraint decides who was first.
    """
    (locked,) = locks.rows(Lead.objects.all(), [lead.pk])
    if locked.closed_at is None:
        return locked
    refusal = LaterLap(_("This person has come back since. Their later lap is the open one."))
    if Lead.objects.filter(person=locked.person_id, lap__gt=locked.lap).exists():
        raise refusal
    locked.closed_at, locked.version, locked.updated_at = None, locked.version + 1, now
    try:
        with transaction.atomic():
            locked.save(update_fields=["closed_at", "version", "updated_at"])
    except IntegrityError as error:
        raise refusal from error
    return locked


def _how(
    origin: str, channel: Channel | None, campaign: Campaign | None, landing_page: str, description: str
) -> dict[str, Any]:
    """The columns that tell how the lead came, checked."""
    return fields.checked(
        model=Lead,
        values={
            "origin": origin,
            "channel": channel or (campaign.channel if campaign else None),
            "campaign": campaign,
            "landing_page": landing_page,
            "description": description,
        },
        allowed=COLUMNS,
    )


def _company(given: Company | CompanyInput | None, *, actor: User | None, now: datetime) -> Company | None:
    if not isinstance(given, CompanyInput):
        return given
    return companies.find_or_create(
        name=given.name,
        domain=given.domain,
        country=given.country,
        refs=given.refs,
        actor=actor,
        now=now,
    )


def _same_person(known: Lead, person: PersonInput | Person) -> bool:
    """The stored lead of this external id is theirs. Raises :class:`LeadOfAnother` if it is not."""
    if isinstance(person, Person) and person.pk != known.person_id:
        raise LeadOfAnother(_("This id was used for a lead of another person."))
    return True


def _human(
    given: PersonInput | Person, company: Company | None, *, actor: User | None, now: datetime
) -> tuple[Person, bool]:
    """The person, locked, and whether they are new. Of two callers who make the same one, the second
    finds the first's.
    """
    if isinstance(given, Person):
        return people.lock(pk=given.pk), False
    for attempt in range(_ATTEMPTS):
        found = people.find(emails=given.emails, phones=given.phones, refs=given.refs, country=given.country)
        if found is not None:
            try:
                return people.fill(person=found, given=given, company=company, actor=actor, now=now), False
            except fields.EditedMeanwhile:
                # They were merged between our look and our lock; look again and find the survivor.
                if attempt == _ATTEMPTS - 1:
                    raise
                continue
        try:
            return _new_person(given, company, actor=actor, now=now), True
        except people.IdentifierTaken:
            # Somebody stored this address or id between our look and our insert; look again.
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("the loop returns or raises")


def _new_person(given: PersonInput, company: Company | None, *, actor: User | None, now: datetime) -> Person:
    return people.create(
        first_name=given.first_name,
        last_name=given.last_name,
        emails=given.emails,
        phones=given.phones,
        title=given.title,
        company=company,
        country=given.country,
        city=given.city,
        language=given.language,
        website=given.website,
        attributes=given.attributes,
        refs=given.refs,
        actor=actor,
        now=now,
    )


def _open_lap(
    person: Person,
    values: Mapping[str, Any],
    attributes: Mapping[str, Any],
    *,
    at: datetime,
    now: datetime,
) -> Lead:
    """A new lap. The caller holds the person's lock."""
    lead = Lead(
        **values,
        person=person,
        captured_at=at,
        attributes=custom.merged(subject=AttributeSubject.LEAD, present={}, changes=attributes),
        created_at=now,
        updated_at=now,
    )
    _INSERT.add(lead)
    return lead


def _present_lap(person: Person) -> Lead | None:
    """Their open lead, locked. The caller holds the person's lock."""
    return Lead.objects.open().filter(person=person).select_for_update(no_key=True).first()


def _next_lap(person: Person) -> int:
    """The number after the person's last lap. The caller holds the person's lock."""
    last: int | None = Lead.objects.filter(person=person).aggregate(last=Max("lap"))["last"]
    return (last or 0) + 1


def _fill(
    lead: Lead,
    values: Mapping[str, Any],
    attributes: Mapping[str, Any],
    *,
    actor: User | None,
    now: datetime,
) -> None:
    blank = {n: v for n, v in values.items() if v and not getattr(lead, n)}
    additional = {k: v for k, v in attributes.items() if k not in lead.attributes}
    if additional:
        blank["attributes"] = custom.merged(
            subject=AttributeSubject.LEAD, present=lead.attributes, changes=additional
        )
    _write(lead, blank, actor=actor, now=now)


def _write(lead: Lead, different: Mapping[str, Any], *, actor: User | None, now: datetime) -> None:
    if not different:
        return
    for name, value in different.items():
        setattr(lead, name, value)
    lead.version, lead.updated_at = lead.version + 1, now
    lead.save(update_fields=[*different, "version", "updated_at"])
    events.publish(LeadsChanged((lead.pk,), actor.pk if actor else None, now))


def _touch(
    lead: Lead,
    values: Mapping[str, Any],
    *,
    source: Source,
    external_id: str | None,
    at: datetime,
    actor: User | None,
    now: datetime,
) -> None:
    """The contact by which they came, or came again; a repeated external id is not a new one."""
    touchpoints.record(
        person=lead.person,
        lead=lead,
        source=source,
        external_id=f"lead {external_id}"[:255] if external_id else None,
        occurred_at=at,
        kind=_TOUCH_OF_KIND.get(SourceKind(source.kind), TouchpointKind.OTHER),
        channel=values["channel"],
        campaign=values["campaign"],
        title=values["origin"],
        url=values["landing_page"],
        actor=actor,
        now=now,
    )
