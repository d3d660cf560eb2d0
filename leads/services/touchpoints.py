"""Recording contacts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from leads.events import TouchpointsRecorded
from leads.models import Campaign, Channel, Lead, Person, Source, Touchpoint, TouchpointKind
from leads.services import fields, once
from smarketing.core import events
from smarketing.core.errors import FieldError, Invalid
from smarketing.core.prepared import Insert, Query, given
from smarketing.core.transactions import joined
from smarketing.users.models import User

_COLUMNS = ("kind", "channel", "campaign", "title", "url", "referrer", "parameters", "is_self_reported")
UNKNOWN = "unknown"
_INSERT = Insert(Touchpoint, or_nothing=True)
_CHANNEL_OF_CODE = Query("channel_of_code", lambda: Channel.objects.filter(code=given("code")).order_by())


class LeadOfAnother(Invalid):
    """The lead is not one of the person's."""

    code = "lead_of_another"


@joined()
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
    to "unknown". Raises ``InTheFuture``, ``IdOfAnother``, :class:`LeadOfAnother` or as ``fields.checked``.
    """
    good = fields.checked(
        model=Touchpoint,
        values={
            "kind": kind,
            "channel": _channel(channel, campaign),
            "campaign": campaign,
            "title": title,
            "url": url,
            "referrer": referrer,
            "parameters": dict(parameters or {}),
            "is_self_reported": is_self_reported,
        },
        allowed=_COLUMNS,
    )
    made = Touchpoint(
        **good,
        person=person,
        lead=lead_of(person=person, lead=lead),
        source=source,
        external_id=external_id,
        occurred_at=fields.happened(instant=occurred_at, field="occurred_at", now=now),
        **fields.stamps(now=now),
    )
    touchpoint, is_new = once.put(insert=_INSERT, record=made)
    if is_new:
        events.publish(TouchpointsRecorded((touchpoint.pk,), now))
    return touchpoint


def _channel(channel: Channel | None, campaign: Campaign | None) -> Channel:
    return channel or (campaign.channel if campaign else None) or unknown_channel()


def lead_of(*, person: Person, lead: Lead | None) -> Lead | None:
    """``lead`` after a check that it is the person's, else their open lap."""
    if lead is None:
        return Lead.objects.open().filter(person=person).first()
    if lead.person_id != person.pk:
        detail = _("This lead belongs to another person.")
        raise LeadOfAnother(detail, errors=[FieldError("lead", LeadOfAnother.code, detail)])
    return lead


def unknown_channel() -> Channel:
    """The channel of contacts of which nobody says how they came about; seeded by migration."""
    found = _CHANNEL_OF_CODE.first(code=UNKNOWN)
    if found is None:
        raise Channel.DoesNotExist(UNKNOWN)
    return found
