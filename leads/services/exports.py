"""Handing out what is known about a person: allowed to some, and kept in the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from leads.models import Person
from leads.selectors import person_export
from smarketing.core.changes import changed
from smarketing.core.errors import Denied
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class ExportNotAllowed(Denied):
    """The actor's role may not export."""


@transaction.atomic
def of_person(*, person: Person, actor: User, now: datetime) -> dict[str, Any]:
    """Everything known about ``person`` as plain JSON. Audited. Raises :class:`ExportNotAllowed`."""
    if not actor.may(Capability.EXPORT):
        raise ExportNotAllowed(_("Your role may not export."))
    told = person_export.of_person(person, now=now)
    rows = sum(len(each) for each in told["records"].values())
    changed(actor=actor, action="person_exported", obj=person, now=now, after={"rows": rows})
    return told
