"""Catching up: what a receiver of webhooks missed while it failed, was switched off or did not exist."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from smarketing.core import loops
from smarketing.core.changes import changed
from smarketing.core.errors import Denied, FieldError, Invalid
from smarketing.notifications import topics
from smarketing.notifications.domain.webhooks import new_message_id
from smarketing.notifications.models import Delivery, Endpoint, Outbox
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

REACHES_BACK = timedelta(days=30)
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many failed messages go out again, how many that were never sent go out now, and what is left.

    ``next_since`` is where to go on when there was more than one call may take, else ``None``.
    """

    again: int
    new: int
    next_since: datetime | None


@transaction.atomic
def recover(*, endpoint: Endpoint, since: datetime, actor: User, now: datetime) -> Recovered:
    """Send ``endpoint`` every fact since then that it asks for and has not taken.

    A message that was tried keeps its ``webhook-id``; what is on its way or was taken stays as it is.
    At most ten thousand facts a call, the oldest first. Raises ``Denied``, ``Invalid`` for an instant in
    the future or further back than thirty days.
    """
    if not actor.may(Capability.MANAGE_KEYS):
        raise Denied("Only who manages keys can send webhooks again.")
    if not now - REACHES_BACK <= since <= now:
        problem = FieldError("since", "out_of_range", _("Choose an instant of the last thirty days."))
        raise Invalid(_("That is too long ago, or not yet."), errors=[problem])
    locked = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
    known = Delivery.objects.filter(outbox=OuterRef("pk"), endpoint=locked)
    facts = (
        Outbox.objects.filter(created_at__gte=since)
        .exclude(fanned_out_at=None)
        .filter(topic__in=[topic.name for topic in topics.topics() if locked.wants(topic.name)])
        .exclude(Exists(known.exclude(state=Delivery.State.FAILED)))
        .order_by("created_at", "pk")
    )
    found = list(facts.values_list("pk", "created_at")[: MOST + 1])
    taken = [pk for pk, _at in found[:MOST]]
    failed = Delivery.objects.filter(endpoint=locked, outbox__in=taken, state=Delivery.State.FAILED)
    tried = set(failed.values_list("outbox_id", flat=True))
    failed.update(state=Delivery.State.PENDING, attempts=0, not_before=now, finished_at=None)
    made = Delivery.objects.bulk_create(
        [
            Delivery(
                outbox_id=pk, channel=locked.pk, endpoint=locked, msg_id=new_message_id(), not_before=now
            )
            for pk in taken
            if pk not in tried
        ],
        batch_size=1000,
    )
    after = {"since": since.isoformat(), "again": len(tried), "new": len(made)}
    changed(actor=actor, action="webhook_recovered", obj=locked, now=now, after=after)
    loops.nudge("deliveries")
    return Recovered(len(tried), len(made), found[MOST][1] if len(found) > MOST else None)
