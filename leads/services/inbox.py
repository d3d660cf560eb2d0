"""Applying what was accepted: lease, apply and delete, and what to do with messages that can't be applied.

Two transactions per batch. The lease counts an attempt and moves ``not_before`` and is committed at
once, so that a process that dies with its batch has used up one attempt of each. Apply and delete are
the second: an event, what follows from it and the end of its inbox row are one commit.

A failing batch, or one that takes too long, is redone in parts, and a failing part row by row, each in a
transaction of its own and within its own time; the failing row comes back after 1 s · 4^attempts. Rows that
were tried before ("suspects") are taken alone, so that one that kills its process takes no other with it.
After five attempts a row is retired to the dead letters. When more than one in twenty (and at least twenty)
would be, the fault is likely ours: nothing more is taken until a person has looked (I-7).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils.translation import gettext as _

from leads.domain.tracking import Message
from leads.models import EventInbox, InboxStop
from leads.services import tracking
from smarketing.core import garbage, patience
from smarketing.notifications.services import outbox
from smarketing.users.domain.roles import Role
from smarketing.users.models import User

log = structlog.get_logger(__name__)
MAX_ATTEMPTS = 5
# What is the same for all events of a visitor or a batch is done once: the larger, the less an event costs.
BATCH = 2_000
_PART = 100  # of a failing batch
LEASE = timedelta(seconds=30)
# Long for a batch, short against the limits of a task: a message that hangs holds up nobody for minutes.
BATCH_SECONDS, ALONE_SECONDS = 20.0, 5.0
_SUSPECTS_EVERY = 4  # rounds
_WINDOW = timedelta(minutes=5)
_FEW, _MOST_SHARE = 20, 0.05
_ERROR_LENGTH = 1000
_AWAY = (OperationalError, InterfaceError)

# Rows are chosen in a materialized CTE: as a subquery of IN the planner may run it once per row, and then its
# LIMIT holds for each run and not for all.
_RETIRE = """
WITH due AS MATERIALIZED (
    SELECT id FROM leads_eventinbox WHERE attempts >= %s AND not_before <= %s
    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED),
gone AS (DELETE FROM leads_eventinbox AS i USING due WHERE i.id = due.id RETURNING i.*)
INSERT INTO leads_deadletter
    (origin, message_id, source_id, body, attempts, error, received_at, created_at)
SELECT 'event', message_id, source_id, body, attempts,
    coalesce(nullif(last_error, ''), 'the process ended while it worked on this message'), received_at, %s
FROM gone
ON CONFLICT (message_id) DO UPDATE SET body = excluded.body, attempts = excluded.attempts,
    error = excluded.error, created_at = excluded.created_at, discarded_at = NULL
"""
_LEASE = """
WITH due AS MATERIALIZED (
    SELECT id FROM leads_eventinbox WHERE not_before <= %s AND attempts < %s AND (attempts > 0) = %s
    ORDER BY not_before, id LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE leads_eventinbox AS i SET attempts = i.attempts + 1, not_before = %s
FROM due WHERE i.id = due.id
RETURNING i.id, i.message_id, i.body, i.attempts
"""
_GIVE_BACK = """
UPDATE leads_eventinbox SET attempts = greatest(attempts - 1, 0), not_before = %s WHERE id = ANY(%s)
"""
# Row by row a batch may take longer than its lease: nobody else must begin with it meanwhile.
_LEASE_LONGER = "UPDATE leads_eventinbox SET not_before = %s WHERE id = ANY(%s)"
_FAILED = "UPDATE leads_eventinbox SET not_before = %s, last_error = %s WHERE id = %s"
_APPLIED = """
INSERT INTO leads_inboxminute AS m (minute_at, applied) VALUES (%s, %s)
ON CONFLICT (minute_at) DO UPDATE SET applied = m.applied + excluded.applied
"""
_FAILURES = """
SELECT (SELECT count(*) FROM leads_eventinbox WHERE attempts >= %(most)s AND not_before <= %(now)s),
    (SELECT count(*) FROM leads_deadletter WHERE created_at > %(since)s),
    (SELECT coalesce(sum(applied), 0) FROM leads_inboxminute WHERE minute_at > %(since)s)
"""
_rounds = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Leased:
    """A row that this process works on for the next half minute."""

    id: int
    message_id: Any
    body: dict[str, Any]
    attempts: int


def run_once(*, now: datetime, limit: int) -> int:
    """One round: retire, lease, apply. How many rows were dealt with; 0 also while the loop is stopped."""
    if _is_stopped() or _must_stop(now):
        return 0
    retired = retire(now=now, limit=limit)
    turn = next(_rounds) % _SUSPECTS_EVERY == 0
    rows = _lease(now, solo=True, most=1) if turn else []
    rows = rows or _lease(now, solo=False, most=min(limit, BATCH)) or _lease(now, solo=True, most=1)
    if rows:
        _work(rows, now)
    # A suspect is a batch of one: more may be due although it is not "full".
    return limit if rows and (len(rows) == 1 or len(rows) == min(limit, BATCH)) else retired + len(rows)


def retire(*, now: datetime, limit: int) -> int:
    """Move what has been tried five times to the dead letters; must come before leasing."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_RETIRE, [MAX_ATTEMPTS, now, limit, now])
        retired = int(cursor.rowcount)
    if retired:
        log.error("inbox_dead_letters", messages=retired)
    return retired


@transaction.atomic
def resume(*, now: datetime) -> int:
    """A person has looked: go on, with five fresh attempts for all that has failed; how many that is."""
    InboxStop.objects.filter(resumed_at=None).update(resumed_at=now)
    return int(EventInbox.objects.filter(attempts__gt=0).update(attempts=0, not_before=now))


def _must_stop(now: datetime) -> bool:
    """Whether so many messages are about to be retired that the fault is likely ours (I-7)."""
    with connection.cursor() as cursor:
        cursor.execute(_FAILURES, {"most": MAX_ATTEMPTS, "now": now, "since": now - _WINDOW})
        due, dead, applied = (int(value) for value in cursor.fetchone())
    if not due or due + dead < _FEW or due + dead <= _MOST_SHARE * (applied + due + dead):
        return False
    _stop(due + dead, applied, now)
    return True


def _is_stopped() -> bool:
    return InboxStop.objects.filter(resumed_at=None).exists()


@transaction.atomic
def _stop(failing: int, applied: int, now: datetime) -> None:
    """Stop until a person resumes, and tell those who run the installation."""
    stop = InboxStop(stopped_at=now, failing=failing, applied=applied)
    if not _is_stopped():
        InboxStop.objects.bulk_create([stop], ignore_conflicts=True)
        log.error("inbox_stopped", failing=failing, applied=applied)
        outbox.put(
            topic="inbox.stopped",
            payload={"failing": failing, "applied": applied},
            dedupe_key=f"inbox-stopped:{now.isoformat()}",
            now=now,
            notify=outbox.Notice(
                text=_(
                    "Tracking has stopped: too many messages can't be applied (%(failing)s in five minutes). "
                    "Nothing is lost; look at the dead letters, then run “manage.py inbox resume”."
                )
                % {"failing": failing},
                user_ids=tuple(
                    User.objects.filter(role=Role.ADMIN, is_active=True).values_list("pk", flat=True)
                ),
                link="/settings/tracking/",
                mail=True,
            ),
        )


def _lease(now: datetime, *, solo: bool, most: int) -> list[Leased]:
    with transaction.atomic(), connection.cursor() as cursor:
        # A lease that a crash of the database takes back costs nothing: whoever held it is gone, too.
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute(_LEASE, [now, MAX_ATTEMPTS, solo, most, now + LEASE])
        return sorted((_leased(*row) for row in cursor.fetchall()), key=lambda row: row.id)


def _leased(id: int, message_id: Any, body: Any, attempts: int) -> Leased:
    return Leased(id, message_id, orjson.loads(body) if isinstance(body, str) else body, attempts)


def _work(rows: Sequence[Leased], now: datetime) -> None:
    """Apply a batch; where it fails, part by part, and each row of a failing part by itself."""
    try:
        with patience.at_most(BATCH_SECONDS if len(rows) > 1 else ALONE_SECONDS):
            _apply(rows, now)
    except _AWAY as error:
        _give_back(rows, now, error)
    except Exception as error:  # whatever one message makes our code raise must not hold up the others
        log.warning("inbox_batch_failed", error=repr(error)[:200], messages=len(rows))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LEASE_LONGER, [now + 4 * LEASE, [row.id for row in rows]])
        if len(rows) > _PART:
            for start in range(0, len(rows), _PART):
                _work(rows[start : start + _PART], now)
        else:
            for row in rows:
                _apply_alone(row, now)


def _apply(rows: Sequence[Leased], now: datetime) -> None:
    """Apply and delete, in one transaction."""
    with garbage.left_alone(), transaction.atomic(), connection.cursor() as cursor:
        messages = [Message.from_json(row.body) for row in rows]
        tracking.apply(messages=messages, now=now)
        cursor.execute("DELETE FROM leads_eventinbox WHERE id = ANY(%s)", [[row.id for row in rows]])
        cursor.execute(_APPLIED, [now.replace(second=0, microsecond=0), len(rows)])


def _apply_alone(row: Leased, now: datetime) -> None:
    try:
        with patience.at_most(ALONE_SECONDS):
            _apply([row], now)
    except _AWAY as error:
        _give_back([row], now, error)
    except Exception as error:  # as in _work; it is kept with the row for whoever looks
        log.warning("inbox_message_failed", message_id=str(row.message_id), attempts=row.attempts)
        _note_failure(row, error, now)


def _note_failure(row: Leased, error: Exception, now: datetime) -> None:
    """Come back later; after the last attempt at once, to be retired."""
    wait = timedelta(seconds=4**row.attempts) if row.attempts < MAX_ATTEMPTS else timedelta()
    text = f"{type(error).__name__}: {error}".replace("\x00", "\ufffd")[:_ERROR_LENGTH]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FAILED, [now + wait, text, row.id])


def _give_back(rows: Sequence[Leased], now: datetime, error: Exception) -> None:
    """The database was busy or away: that is no fault of the messages, so it counts as no attempt.

    Raises ``error`` when it is still away; the lease runs out by itself.
    """
    if isinstance(error, InterfaceError) or not connection.is_usable():
        raise error
    log.warning("inbox_batch_given_back", error=repr(error)[:200], messages=len(rows))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, [now + timedelta(seconds=1), [row.id for row in rows]])
