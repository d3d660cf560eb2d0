"""New behaviour of somebody who is kept warm: whether enough was gained for them to come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from funnel.domain.nurture import due_at, first_gain
from funnel.models import Nurture, NurtureState
from funnel.selectors import signals
from funnel.services.frames import Frame
from smarketing.core import loops
from smarketing.core.prepared import IsAmong, Query

LOOP = "nurture"
_WATCHED = Query(
    "nurture_watched",
    lambda: (
        Nurture.objects.filter(
            IsAmong("lead_id", "leads"),
            state=NurtureState.ACTIVE,
            gain_points__isnull=False,
        )
        .select_related("lead")
        .order_by("lead_id")
    ),
    by="leads",
)


def note(*, frame: Frame, lead_ids: Sequence[int], now: datetime) -> int:
    """Mark those of these leads that have gained what their rule asks for; how many did.

    The instant is that of the event, whenever it arrived; a late one moves it while the lead is not back
    yet. The loop brings them back: that ends a lap, whose locks come before those that are held here.
    """
    watched = _WATCHED.all(leads=sorted(set(lead_ids)))
    if not watched:
        return 0
    history = signals.history(frame.rules, [row.lead.person_id for row in watched])
    found = 0
    for row in watched:
        events, points = history[row.lead.person_id], row.gain_points or 0
        at = first_gain(frame.rules, frame.decay, events, since=row.began_at, points=points, now=now)
        if at is None or at == row.gained_at:
            continue
        found += Nurture.objects.filter(pk=row.pk, state=NurtureState.ACTIVE).update(
            gained_at=at, due_at=due_at(returns_at=row.returns_at, gained_at=at), updated_at=now
        )
    if found:
        loops.nudge(LOOP)
    return found
