"""Progress of a run while its transaction is open: written by a second connection, twice a second.

The same look tells whether the person wants to stop; then the statement that runs is cut off.
"""

from __future__ import annotations

import logging
import threading
from types import TracebackType

from django.db import DatabaseError, connection
from django.utils.translation import gettext as _

from leads.models import ImportRun
from leads.services.imports.watching import Cancelled

logger = logging.getLogger(__name__)
_PACE_SECONDS = 0.5


class Ticker:
    """Looks on while the body of ``with`` runs, in a thread with a connection of its own."""

    def __init__(self, *, run_id: int) -> None:
        self.run_id = run_id
        self.rows = 0
        self.cancelled = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="import-progress", daemon=True)

    def read(self, *, rows: int) -> None:
        """So many rows have been read. Raises :class:`Cancelled`."""
        self.rows = rows
        if self.cancelled.is_set():
            raise Cancelled(_("The import was stopped; nothing was changed."))

    def __enter__(self) -> Ticker:
        connection.ensure_connection()
        self._working = connection.connection
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _tick(self) -> None:
        try:
            while not self._stop.wait(_PACE_SECONDS):
                self._look()
        finally:
            connection.close()

    def _look(self) -> None:
        try:
            ImportRun.objects.filter(pk=self.run_id).update(rows_read=self.rows)
            wanted = ImportRun.objects.filter(pk=self.run_id, is_cancelled=True).exists()
        except DatabaseError as error:
            # Progress that can't be told is no reason to stop the work; the next look tries again.
            logger.warning("import_progress_failed", extra={"run": self.run_id, "error": repr(error)})
            connection.close()
            return
        if wanted and not self.cancelled.is_set():
            self.cancelled.set()
            self._working.cancel()
