"""Settings of the board's columns: what each is called, and how long a deal may stand in it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.models import OpportunityStage
from smarketing.core.changes import changed
from smarketing.core.errors import Denied, FieldError, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

_LONGEST = 3650


class ColumnEditNotAllowed(Denied):
    """Columns are set up by managers and admins."""

    code = "column_edit_not_allowed"


class BadColumn(Invalid):
    """The name or the number of days can't be used."""

    code = "bad_column"


@transaction.atomic
def update(
    *, column: OpportunityStage, name: str, rotting_days: int | None, actor: User | None, now: datetime
) -> OpportunityStage:
    """Rename a column and say after how many days a deal in it is marked as stuck (``None``: never).

    Kept in the audit trail. Raises :class:`ColumnEditNotAllowed`, :class:`BadColumn`.
    """
    if actor is not None and not actor.may(Capability.EDIT_STAGES):
        raise ColumnEditNotAllowed(_("Your role may not change the columns of the board."))
    name = " ".join(name.split())
    if not 0 < len(name) <= 80:
        raise _bad("name", _("Give a name of at most 80 characters."))
    if rotting_days is not None and not 0 < rotting_days <= _LONGEST:
        raise _bad("rotting_days", _("Give a whole number of days, or nothing."))
    locked = OpportunityStage.objects.select_for_update().get(pk=column.pk)
    before = {"name": locked.name, "rotting_days": locked.rotting_days}
    after = {"name": name, "rotting_days": rotting_days}
    if before == after:
        return locked
    locked.name, locked.rotting_days, locked.updated_at = name, rotting_days, now
    locked.save(update_fields=["name", "rotting_days", "updated_at"])
    changed(actor=actor, action="column_changed", obj=locked, before=before, after=after, now=now)
    return locked


def _bad(field: str, detail: str) -> BadColumn:
    return BadColumn(detail, errors=[FieldError(field, BadColumn.code, detail)])
