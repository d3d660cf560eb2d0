"""Deliveries on their way: claimed by lease, sent side by side, tried again by schedule.

A claim gives a delivery to one runner for 30 seconds. At most two are in flight per receiver and
receivers take turns, so a dead one does not delay the others. A runner that dies loses nothing: the
lease runs out and the next one repeats the attempt with the same ``webhook-id``. The promise to
receivers is: at least once, in no particular order.
"""

from __future__ import annotations

import random
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.utils.translation import gettext as _

from smarketing.core import locks
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, Denied
from smarketing.notifications.domain import webhooks
from smarketing.notifications.models import Delivery
from smarketing.notifications.services import endpoints, outbox, senders
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

LEASE = timedelta(seconds=30)
IN_FLIGHT_PER_RECEIVER = 2
THREADS = 16
_POLL_SECONDS = 0.25
_CLAIM_SECONDS = 5.0
log = structlog.get_logger(__name__)

_CLAIM = """
WITH receiver AS (
  SELECT id FROM notifications_endpoint WHERE enabled UNION ALL SELECT 0
), free AS (
  SELECT r.id, %(cap)s - (
    SELECT count(*) FROM notifications_delivery b
    WHERE b.channel = r.id AND b.state = 'pending' AND b.lease_until > %(now)s) AS room
  FROM receiver r
), due AS (
  SELECT d.id FROM free f CROSS JOIN LATERAL (
    SELECT x.id, row_number() OVER (ORDER BY x.not_before, x.id) AS turn FROM (
      SELECT id, not_before FROM notifications_delivery
      WHERE channel = f.id AND state = 'pending' AND not_before <= %(now)s
        AND (lease_until IS NULL OR lease_until <= %(now)s)
      ORDER BY not_before, id LIMIT greatest(f.room, 0) FOR UPDATE SKIP LOCKED) x) d
  ORDER BY d.turn, d.id LIMIT %(limit)s
)
UPDATE notifications_delivery u SET lease_until = %(until)s, attempts = u.attempts + 1
FROM due WHERE u.id = due.id RETURNING u.id
"""


def run_once(*, now: datetime, limit: int) -> int:
    """Send what is due, at most ``limit``; the loop ``deliveries``.

    While some attempts hang, others go on: the database is asked again for some seconds as long as any
    is in flight; then what flies is waited for, at most the time-out of one attempt.
    """
    started, handled = time.monotonic(), 0
    flying: dict[Future[senders.Outcome], Delivery] = {}
    with ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="delivery") as pool:
        while True:
            at = now + timedelta(seconds=time.monotonic() - started)
            patient = time.monotonic() - started < _CLAIM_SECONDS
            room = min(THREADS - len(flying), limit - handled - len(flying)) if patient else 0
            for delivery in claim(now=at, limit=room) if room > 0 else ():
                flying[pool.submit(senders.prepare(delivery, now=at))] = delivery
            if not flying:
                return handled
            finished, _ = wait(flying, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            at = now + timedelta(seconds=time.monotonic() - started)
            for future in finished:
                settle(delivery=flying.pop(future), outcome=_outcome(future), now=at)
                handled += 1


@transaction.atomic
def claim(*, now: datetime, limit: int) -> list[Delivery]:
    """Lease due deliveries, receiver by receiver in turn; the lease is committed before any attempt."""
    locks.advisory(locks.Namespace.OUTBOX, 0)  # the cap of flights is counted, so claims stand in line
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM, {"now": now, "until": now + LEASE, "cap": IN_FLIGHT_PER_RECEIVER, "limit": limit}
        )
        ids = [row[0] for row in cursor.fetchall()]
    found = Delivery.objects.select_related("outbox", "endpoint").in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


@transaction.atomic
def settle(*, delivery: Delivery, outcome: senders.Outcome, now: datetime) -> None:
    """Write down how an attempt went: done, again later, or given up."""
    delivery.lease_until = None
    delivery.last_status = outcome.status
    delivery.last_error = outcome.error.replace("\x00", "")[:300]
    pause = None
    if outcome.done:
        delivery.state, delivery.finished_at = Delivery.State.DONE, now
    else:
        pause = webhooks.next_pause(
            attempts=delivery.attempts,
            chance=random.random(),  # noqa: S311 (spreads retries; no secret)
            retry_after=outcome.retry_after,
        )
        if outcome.permanent or pause is None:
            delivery.state, delivery.finished_at = Delivery.State.FAILED, now
        else:
            delivery.not_before = now + pause
        log.info("delivery_failed", delivery=delivery.pk, attempts=delivery.attempts, status=outcome.status)
    delivery.save(
        update_fields=["state", "lease_until", "last_status", "last_error", "finished_at", "not_before"]
    )
    if delivery.state == Delivery.State.FAILED:
        _tell_sender(delivery, now)
    if delivery.endpoint is not None:
        endpoints.note(endpoint=delivery.endpoint, outcome=outcome, now=now)


@transaction.atomic
def replay(*, delivery: Delivery, actor: User, now: datetime) -> Delivery:
    """Send a finished delivery again, from the start of the schedule, with the same ``webhook-id``.

    Raises ``Denied``, ``Conflict`` while it is still pending.
    """
    if not actor.may(Capability.MANAGE_KEYS):
        raise Denied("Only who manages webhooks can send one again.")
    locked = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if locked.state == Delivery.State.PENDING:
        raise Conflict("It is still on its way.")
    locked.state, locked.attempts, locked.not_before = Delivery.State.PENDING, 0, now
    locked.finished_at = None
    locked.save(update_fields=["state", "attempts", "not_before", "finished_at"])
    changed(actor=actor, action="delivery_replayed", obj=locked, now=now)
    return locked


def _tell_sender(delivery: Delivery, now: datetime) -> None:
    """Whoever wrote a mail of their own hears that it has come to nobody."""
    notice = delivery.outbox.notice
    personal = notice.get("personal")
    if personal:
        text = _("Your mail “%(subject)s” could not be delivered.") % {"subject": notice.get("subject", "")}
        outbox.put(
            topic=personal["failure_topic"],
            payload=delivery.outbox.payload,
            dedupe_key=f"undelivered:{delivery.pk}",
            now=now,
            notify=outbox.Notice(text=text, user_ids=(personal["sender_id"],), link=notice.get("link", "")),
        )


def _outcome(future: Future[senders.Outcome]) -> senders.Outcome:
    error = future.exception()
    if error is None:
        return future.result()
    log.error("delivery_error", exc_info=error)
    return senders.Outcome(done=False, error=type(error).__name__)
