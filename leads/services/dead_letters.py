"""What a person decides about messages that could not be applied: once more, or not at all."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from leads.models import DeadLetter
from smarketing.core import loops
from smarketing.core.errors import Denied
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

_REPLAY = """
WITH back AS (DELETE FROM leads_deadletter WHERE id = ANY(%s) AND origin = 'event' RETURNING *)
INSERT INTO leads_eventinbox
    (message_id, source_id, kind, occurred_at, received_at, body, attempts, not_before, last_error)
SELECT message_id, source_id, coalesce(body->>'type', ''),
    coalesce((body->>'occurred_at')::timestamptz, received_at), received_at, body, 0, %s, ''
FROM back ORDER BY message_id
ON CONFLICT (message_id) DO NOTHING
"""


@transaction.atomic
def replay(*, ids: Collection[int], actor: User | None, now: datetime) -> int:
    """Put dead letters back into the inbox with five fresh attempts; how many there were.

    One that waits there already is only taken out of the dead letters. Raises ``Denied``.
    """
    _need_manager(actor)
    found = DeadLetter.objects.filter(pk__in=ids).count()
    with connection.cursor() as cursor:
        cursor.execute(_REPLAY, [sorted(ids), now])
    loops.nudge("inbox")
    return found


@transaction.atomic
def discard(*, ids: Collection[int], actor: User | None, now: datetime) -> int:
    """Mark dead letters as not worth another try; they are kept. Raises ``Denied``."""
    _need_manager(actor)
    return DeadLetter.objects.waiting().filter(pk__in=ids).update(discarded_at=now)


@transaction.atomic
def restore(*, ids: Collection[int], actor: User | None, now: datetime) -> int:
    """Take back a discard. Raises ``Denied``."""
    _need_manager(actor)
    return DeadLetter.objects.filter(pk__in=ids, discarded_at__isnull=False).update(discarded_at=None)


def _need_manager(actor: User | None) -> None:
    if actor is not None and not actor.may(Capability.MANAGE_KEYS):
        raise Denied(_("Only an admin decides about dead letters."))
