"""Many requests, one commit.

Each request hands its rows over and waits; one thread per process takes whatever has gathered, writes
it in one statement, which is one durable commit, and then wakes all that waited. While it writes, the
next group gathers: the busier, the larger the groups, and nobody is answered before its rows are on
disk.

The thread also reads the state (keys, length of the inbox) and writes the counters once a second, so
that no other thread of the intake needs a connection. It starts at the first request of a process,
hence after a fork.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

import structlog
from django.conf import settings
from django.db import DataError, IntegrityError, connection

from leads.intake import spool
from leads.intake.nudging import Nudger
from leads.intake.stores import AWAY, Unavailable, Unstorable
from leads.selectors.intake import Snapshot, snapshot
from leads.services import intake
from leads.services.intake import Row
from smarketing.core import clock

log = structlog.get_logger(__name__)
_MOST_ROWS = 5_000  # of one statement
_MOST_WAITING = 50_000  # rows; beyond, the database can't keep up and senders are told to come back
_STATE_SECONDS = 1.0
_PAUSE_SECONDS = 1.0  # after a failure, requests are refused at once for so long


class _Ticket:
    """One request's rows and what became of them."""

    __slots__ = ("_done", "error", "new", "rows")

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.new: frozenset[str] = frozenset()
        self.error: Exception | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def settle(self, new: frozenset[str] = frozenset(), error: Exception | None = None) -> None:
        self.new, self.error = new, error
        self._done.release()

    def wait(self, seconds: float) -> bool:
        return self._done.acquire(timeout=seconds)


class GroupCommit:
    """The store of a web process; see :class:`leads.intake.stores.Store`."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)
        atexit.register(self._last_counts)

    def _reset(self) -> None:
        """A fresh start: in a new process neither the thread nor the locks of the old one are of use."""
        self._nudger = Nudger("inbox")
        self._thread: threading.Thread | None = None
        self._gathered = threading.Condition()
        self._waiting: list[_Ticket] = []
        self._waiting_rows = 0
        self._state: Snapshot | None = None
        self._next_state_at = 0.0
        self._wants_state: list[_Ticket] = []
        self._refuse_until = 0.0
        self._counting = threading.Lock()
        self._counts: Counter[tuple[int | None, str]] = Counter()
        self._uses: Counter[int] = Counter()
        self._minute_at: datetime | None = None

    # --- what requests call ---------------------------------------------------------------------

    def state(self, *, seconds: float) -> Snapshot:
        """The snapshot; at most a second old while the database answers, else the last one."""
        now = time.monotonic()
        if self._state is not None and now < self._next_state_at:
            return self._state
        if now >= self._refuse_until:
            ticket = _Ticket(())
            with self._running() as gathered:
                self._wants_state.append(ticket)
                gathered.notify()
            ticket.wait(seconds)
        if self._state is None:
            raise Unavailable
        return self._state

    def used(self, key_id: int, minute_at: datetime) -> int:
        """Events not written yet, when they are of this minute."""
        return self._uses[key_id] if self._minute_at == minute_at else 0

    def put(self, rows: Sequence[Row], *, seconds: float) -> Collection[str]:
        """Wait for the commit that holds the rows."""
        if time.monotonic() < self._refuse_until:
            raise Unavailable
        ticket = _Ticket(rows)
        with self._running() as gathered:
            if self._waiting_rows > _MOST_WAITING:
                raise Unavailable
            self._waiting.append(ticket)
            self._waiting_rows += len(rows)
            gathered.notify()
        if not ticket.wait(seconds):
            raise Unavailable
        if ticket.error is not None:
            raise ticket.error
        return ticket.new

    def note(self, *, key_id: int, events: int) -> None:
        """Remember until the next second."""
        minute = clock.now().replace(second=0, microsecond=0)
        with self._counting:
            if self._minute_at != minute:
                self._uses.clear()
                self._minute_at = minute
            self._uses[key_id] += events

    def count(self, source_id: int | None, outcome: str, events: int = 1) -> None:
        """Remember until the next second."""
        with self._counting:
            self._counts[source_id, outcome] += events

    @contextlib.contextmanager
    def _running(self) -> Iterator[threading.Condition]:
        """The lock of what gathers, held, with a thread at work that belongs to this process."""
        with self._gathered:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="intake", daemon=True)
                self._thread.start()
            yield self._gathered

    # --- what the thread does -------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._gathered:
                while not (self._waiting or self._wants_state):
                    if not self._gathered.wait(_STATE_SECONDS) and self._has_chores():
                        break
                tickets, self._waiting = self._take()
                self._waiting_rows -= sum(len(ticket.rows) for ticket in tickets)
                asking, self._wants_state = self._wants_state, []
            if tickets:
                self._flush(tickets)
            if time.monotonic() >= self._next_state_at or asking:
                self._look()
            for ticket in asking:
                ticket.settle()

    def _take(self) -> tuple[list[_Ticket], list[_Ticket]]:
        rows = 0
        for number, ticket in enumerate(self._waiting):
            rows += len(ticket.rows)
            if rows > _MOST_ROWS and number:
                return self._waiting[:number], self._waiting[number:]
        return self._waiting, []

    def _flush(self, tickets: list[_Ticket]) -> None:
        try:
            connection.close_if_unusable_or_obsolete()
            new = intake.accept(rows=[row for ticket in tickets for row in ticket.rows])
        except (DataError, IntegrityError):
            self._flush_apart(tickets)
        except Exception as error:  # whatever it is, those who wait must be told
            self._fail(tickets, error)
        else:
            for ticket in tickets:
                ticket.settle(new)
            self._nudger.wake()

    def _flush_apart(self, tickets: list[_Ticket]) -> None:
        """One of the requests holds what the database refuses; the others must not suffer from it."""
        for number, ticket in enumerate(tickets):
            try:
                ticket.settle(intake.accept(rows=ticket.rows))
            except (DataError, IntegrityError) as error:
                log.warning("intake_unstorable", error=type(error).__name__)
                ticket.settle(error=Unstorable())
            except Exception as error:  # as above
                self._fail(tickets[number:], error)
                return
        self._nudger.wake()

    def _fail(self, tickets: list[_Ticket], error: Exception) -> None:
        log.warning("intake_unavailable", error=type(error).__name__, requests=len(tickets))
        self._refuse_until = time.monotonic() + _PAUSE_SECONDS
        self._disconnect()
        for ticket in tickets:
            ticket.settle(error=Unavailable())

    def _disconnect(self) -> None:
        try:
            connection.close()
        except AWAY:
            connection.connection = None

    def _look(self) -> None:
        """Read the state and write the counters."""
        started, pause = time.monotonic(), _STATE_SECONDS
        try:
            connection.close_if_unusable_or_obsolete()
            now = clock.now()
            self._write_counts(now)
            found = snapshot(now=now, limit=settings.INTAKE_INBOX_ROWS)
            if not found.salt:
                intake.renew_salt(now=now)
                found = snapshot(now=now, limit=settings.INTAKE_INBOX_ROWS)
            self._state = found
            # Counting half a million waiting rows takes its time; it is done so much more seldom.
            pause = max(_STATE_SECONDS, 20 * (time.monotonic() - started))
            if spool.replay(accept=intake.accept):
                self._nudger.wake()
        except Exception as error:  # the thread must live on: it tries again in a second
            log.warning("intake_state_unread", error=type(error).__name__)
            self._refuse_until = time.monotonic() + _PAUSE_SECONDS
            self._disconnect()
        self._next_state_at = time.monotonic() + pause

    def _has_counts(self) -> bool:
        return bool(self._counts or self._uses)

    def _has_chores(self) -> bool:
        return self._has_counts() or spool.is_waiting()

    def _write_counts(self, now: datetime) -> None:
        """Write and forget; what can't be written is kept for the next time."""
        with self._counting:
            counts, self._counts = self._counts, Counter()
            uses, self._uses = self._uses, Counter()
        try:
            intake.count(outcomes=counts, now=now)
            counts = Counter()
            intake.note_use(events=uses, now=now)
        except Exception as error:  # figures must not keep messages out
            log.warning("intake_counts_kept_back", error=type(error).__name__)
            self._disconnect()
            with self._counting:
                self._counts.update(counts)

    def _last_counts(self) -> None:
        if self._thread is not None and self._has_counts():
            self._write_counts(clock.now())
