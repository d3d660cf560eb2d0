"""Taking a move by hand back: the lead stands where it stood, and the ledger says both."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.models import Handoff, LeadState, MoveCause, StageTransition
from funnel.services import lifecycle
from leads.models import Lead
from smarketing.core import locks
from smarketing.core.errors import Conflict
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

UNDO_WINDOW = timedelta(seconds=10)


class LeadMoveStands(Conflict):
    """The move can't be taken back any more."""

    code = "lead_move_stands"


@transaction.atomic
def take_back(*, lead: Lead, seq: int, actor: User, now: datetime) -> LeadState:
    """Undo the move that the row ``seq`` of the lead's ledger ended, within ten seconds and by who made it.

    A lap that it ended goes on. Whatever came of it meanwhile stays, and so does the move: another move,
    by somebody or by the automation, or a handoff. Locks handoffs, the lead and its state, in that order.
    Raises :class:`LeadMoveStands`, ``MoveNotAllowed``, and what ``lifecycle.move_locked`` raises.
    """
    if not actor.may(Capability.EDIT_LEADS):
        raise lifecycle.MoveNotAllowed(_("Your role may not move leads."))
    keys = list(Handoff.objects.filter(lead=lead).values_list("pk", flat=True))
    locks.rows(Handoff.objects.all(), keys)
    state = lifecycle.lock_laps(lead_ids=[lead.pk])[lead.pk]
    before, last = _undone(state, seq)
    if last.actor_id != actor.pk or last.cause != MoveCause.MANUAL:
        raise LeadMoveStands(_("There is no move of yours to take back."))
    if now - last.recorded_at > UNDO_WINDOW:
        raise LeadMoveStands(_("A move can only be taken back within ten seconds."))
    if Handoff.objects.filter(lead=lead, created_at__gte=last.recorded_at).exists():
        raise LeadMoveStands(_("The lead was handed to sales meanwhile. Nothing was changed."))
    return lifecycle.move_locked(
        state=state,
        to=before,
        cause=MoveCause.CORRECTION,
        actor=actor,
        at=now,
        now=now,
        reason=_("The move was taken back."),
        reopen=state.stage.code in lifecycle.ENDS,
    )


def _undone(state: LeadState, seq: int) -> tuple[str, StageTransition]:
    """The stage before the move that ended in row ``seq``, over the stages it skipped, and that row."""
    if state.seq != seq:
        raise LeadMoveStands(_("The lead has moved again meanwhile. Nothing was changed."))
    rows = StageTransition.objects.filter(lead=state.lead_id, seq__lte=seq).select_related("from_stage")
    last = first = None
    for row in rows.order_by("-seq").iterator(chunk_size=20):
        if last is not None and not row.is_implied:
            break
        last, first = last or row, row
    if last is None or first is None or first.from_stage is None:
        raise LeadMoveStands(_("There is no move of yours to take back."))
    return first.from_stage.code, last
