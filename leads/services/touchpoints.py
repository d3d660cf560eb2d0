"""Recording contacts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from leads.events import TouchpointsRecorded
from leads.models import Campaign, Channel, Lead, Person, Source, Touchpoint, TouchpointKind
from leads.services import fields
from smarketing.core import events
from smarketing.core.errors import Conflict, FieldError, Invalid
from smarketing.users.models import User

_COLUMNS = ("kind", "channel", "campaign", "title", "url", "referrer", "parameters", "is_self_reported")
UNKNOWN = "unknown"


class LeadOfAnother(Invalid):
    """The lead is not one of the person's."""

    code = "lead_of_another"


class TouchpointOfAnother(Conflict):
    """The source's id was used for another person's touchpoint."""

    code = "touchpoint_of_another"


@transaction.atomic
def record(
    *,
    person: Person,
    source: Source,
    occurred_at: datetime,
    kind: str = TouchpointKind.OTHER,
    channel: Channel | None = None,
    campaign: Campaign | None = None,
    lead: Lead | None = None,
    title: str = "",
    url: str = "",
    referrer: str = "",
    parameters: Mapping[str, Any] | None = None,
    is_self_reported: bool = False,
    external_id: str | None = None,
    actor: User | None,
    now: datetime,
) -> Touchpoint:
    """Store one contact; the same ``(source, external_id)`` again returns the one that is stored.

    Without ``lead`` it belongs to the person's open lap; without ``channel`` to the campaign's, else
    to "unknown". Raises ``InTheFuture``, :class:`LeadOfAnother` or what ``fields.checked`` raises.
    """
    good = fields.checked(
        Touchpoint,
        {
            "kind": kind,
            "channel": channel or (campaign.channel if campaign else None) or unknown_channel(),
            "campaign": campaign,
            "title": title,
            "url": url,
            "referrer": referrer,
            "parameters": dict(parameters or {}),
            "is_self_reported": is_self_reported,
        },
        allowed=_COLUMNS,
    )
    at = fields.happened(occurred_at, field="occurred_at", now=now)
    if stored := _stored(source, external_id, person):
        return stored
    try:
        with transaction.atomic():
            touchpoint = Touchpoint.objects.create(
                **good,
                person=person,
                lead=lead_of(person, lead),
                source=source,
                external_id=external_id,
                occurred_at=at,
                created_at=now,
                updated_at=now,
            )
    except IntegrityError:
        # The same id was stored by another caller between our look and our insert.
        if stored := _stored(source, external_id, person):
            return stored
        raise
    events.publish(TouchpointsRecorded((touchpoint.pk,), now))
    return touchpoint


def _stored(source: Source, external_id: str | None, person: Person) -> Touchpoint | None:
    if external_id is None:
        return None
    found = Touchpoint.objects.filter(source=source, external_id=external_id).first()
    if found is not None and found.person_id != person.pk:
        raise TouchpointOfAnother(_("This id was used for a touchpoint of another person."))
    return found


def lead_of(person: Person, lead: Lead | None) -> Lead | None:
    """``lead`` after a check that it is the person's, else their open lap."""
    if lead is None:
        return Lead.objects.open().filter(person=person).first()
    if lead.person_id != person.pk:
        detail = _("This lead belongs to another person.")
        raise LeadOfAnother(detail, errors=[FieldError("lead", LeadOfAnother.code, detail)])
    return lead


def unknown_channel() -> Channel:
    """The channel of contacts of which nobody says how they came about; seeded by migration."""
    return Channel.objects.get(code=UNKNOWN)
