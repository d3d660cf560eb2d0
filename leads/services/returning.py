"""A person comes back after the end of a lap: the next lap begins."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from leads.events import LeadsCaptured
from leads.models import Lead
from leads.services import people
from smarketing.core import events
from smarketing.core.errors import Conflict


class LapIsOpen(Conflict):
    """The person has an open lap; another can't begin."""

    code = "lap_is_open"


@transaction.atomic
def open_next(*, after: Lead, origin: str, at: datetime, now: datetime) -> Lead:
    """Open the lap that follows ``after``, as of ``at``: same person, company, source and attributes.

    Nobody contacted us by this, so no touchpoint is made. Locks the person. Raises :class:`LapIsOpen`.
    """
    person = people.lock(pk=after.person_id)
    if Lead.objects.open().filter(person=person).exists():
        raise LapIsOpen(_("This person has an open lap already."))
    last = Lead.objects.filter(person=person).aggregate(last=Max("lap"))["last"]
    lead = Lead.objects.create(
        person=person,
        lap=last + 1,
        source_id=after.source_id,
        company_id=person.company_id or after.company_id,
        origin=origin,
        captured_at=at,
        attributes=after.attributes,
        created_at=now,
        updated_at=now,
    )
    events.publish(LeadsCaptured((lead.pk,), (), (), None, is_import=False, now=now))
    return lead
