"""What the intake needs of the database, and the plain way to it: at once, over the caller's connection.

Behind ``smarketing.wsgi`` stands :class:`~leads.intake.group_commit.GroupCommit`, which lets concurrent
requests share a commit. :class:`Direct` serves Django's own stack: tests and ``runserver``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.db import InterfaceError, OperationalError

from leads.selectors.intake import Snapshot, snapshot
from leads.services import intake
from leads.services.intake import Row
from smarketing.core import clock, loops

AWAY = (OperationalError, InterfaceError)


class Unavailable(Exception):
    """The database does not take messages now. Nothing is promised about those just given."""


class Unstorable(Exception):
    """The database refuses one of these messages for what it holds; others of the same moment are stored."""


class Store(Protocol):
    """Where accepted messages go."""

    def state(self, *, seconds: float) -> Snapshot:
        """Keys and counters; the last known ones when newer can't be had within ``seconds``.

        Raises :class:`Unavailable` when none were ever read.
        """

    def used(self, key_id: int, minute_at: datetime) -> int:
        """Events of a key in this minute that the snapshot does not know of yet."""

    def put(self, rows: Sequence[Row], *, seconds: float) -> Collection[str]:
        """Store the rows durably and return the ids of the new ones, or raise within ``seconds``.

        Raises :class:`Unavailable`, or :class:`Unstorable` when a row can't be stored whatever happens.
        """

    def note(self, *, key_id: int, events: int) -> None:
        """Count events towards the rate of a key."""

    def count(self, source_id: int | None, outcome: str, events: int = 1) -> None:
        """Count an outcome for the day."""


class Direct:
    """Each request on its own."""

    def state(self, *, seconds: float) -> Snapshot:
        """Read anew."""
        now = clock.now()
        try:
            found = snapshot(now=now, limit=settings.INTAKE_INBOX_ROWS)
            if not found.salt:
                intake.renew_salt(now=now)
                found = snapshot(now=now, limit=settings.INTAKE_INBOX_ROWS)
        except AWAY as error:
            raise Unavailable from error
        return found

    def used(self, key_id: int, minute_at: datetime) -> int:
        """None: everything is written at once."""
        return 0

    def put(self, rows: Sequence[Row], *, seconds: float) -> Collection[str]:
        """Write and nudge."""
        try:
            new = intake.accept(rows=rows)
        except AWAY as error:
            raise Unavailable from error
        loops.nudge("inbox")
        return new

    def note(self, *, key_id: int, events: int) -> None:
        """Write at once."""
        intake.note_use(events={key_id: events}, now=clock.now())

    def count(self, source_id: int | None, outcome: str, events: int = 1) -> None:
        """Write at once."""
        intake.count(outcomes={(source_id, outcome): events}, now=clock.now())
