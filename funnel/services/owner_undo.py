"""Taking a change of owners by hand back."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.models import Assignment
from funnel.services import lifecycle, owners
from smarketing.core.errors import Conflict
from smarketing.users.models import User

UNDO_WINDOW = timedelta(seconds=10)
UNDONE = "undone"


class OwnersStand(Conflict):
    """The change can't be taken back any more."""

    code = "owners_stand"


@transaction.atomic
def take_back(*, owner: User | None, at: datetime, actor: User, now: datetime) -> int:
    """Undo what ``actor`` did at ``at``: give the leads that went to ``owner`` back; say how many.

    All leads of one change carry the same instant. A lead that has changed owners again since keeps
    its present one. Raises :class:`OwnersStand` after ten seconds or when nothing is left to undo.
    """
    if now - at > UNDO_WINDOW:
        raise OwnersStand(_("A change of owner can only be taken back within ten seconds."))
    made = Assignment.objects.filter(to_owner=owner, at=at, actor=actor, reason=owners.BY_HAND)
    rows = {row.lead_id: row for row in made.select_related("from_owner")}
    owners.lock_waiting(lead_ids=list(rows))
    states = lifecycle.lock(lead_ids=list(rows))
    present = {pk: state for pk, state in states.items() if state.assignment_seq == rows[pk].seq}
    if not present:
        raise OwnersStand(_("There is no change of yours to take back."))
    for pk, state in present.items():
        owners.assign(lead=state.lead, owner=rows[pk].from_owner, reason=UNDONE, actor=actor, now=now)
    return len(present)
