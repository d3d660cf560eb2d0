"""What a person decides about messages that could not be applied: once more, or not at all."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from leads.models import DeadLetter
from smarketing.core import loops
from smarketing.core.changes import changed
from smarketing.core.errors import Denied
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

_NAMED = 50  # of the messages of one decision, in the audit trail
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
    found = list(DeadLetter.objects.filter(pk__in=ids).order_by("pk"))
    with connection.cursor() as cursor:
        cursor.execute(_REPLAY, [sorted(ids), now])
    loops.nudge("inbox")
    _keep("dead_letters_replayed", found, actor, now)
    return len(found)


@transaction.atomic
def discard(*, ids: Collection[int], actor: User | None, now: datetime) -> int:
    """Mark dead letters as not worth another try; they are kept. Raises ``Denied``."""
    _need_manager(actor)
    return _decide("dead_letters_discarded", DeadLetter.objects.waiting(), ids, now, actor, now)


@transaction.atomic
def restore(*, ids: Collection[int], actor: User | None, now: datetime) -> int:
    """Take back a discard. Raises ``Denied``."""
    _need_manager(actor)
    discarded = DeadLetter.objects.filter(discarded_at__isnull=False)
    return _decide("dead_letters_restored", discarded, ids, None, actor, now)


def _decide(
    action: str,
    among: QuerySet[DeadLetter],
    ids: Collection[int],
    discarded_at: datetime | None,
    actor: User | None,
    now: datetime,
) -> int:
    """Set or clear the mark of those that are locked here, so that each decision is told once."""
    found = list(among.filter(pk__in=ids).order_by("pk").select_for_update())
    DeadLetter.objects.filter(pk__in=[letter.pk for letter in found]).update(discarded_at=discarded_at)
    _keep(action, found, actor, now)
    return len(found)


def _keep(action: str, letters: list[DeadLetter], actor: User | None, now: datetime) -> None:
    """One entry of the audit trail a decision: ids and number, never what strangers sent."""
    if letters:
        ids = [str(letter.message_id) for letter in letters[:_NAMED]]
        changed(
            actor=actor,
            action=action,
            obj=letters[0],
            now=now,
            after={"number": len(letters), "messages": ids},
        )


def _need_manager(actor: User | None) -> None:
    if actor is not None and not actor.may(Capability.MANAGE_KEYS):
        raise Denied(_("Only an admin decides about dead letters."))
