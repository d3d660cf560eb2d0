"""Carrying out what is due of imports: checks, runs and undos, one after the other, in one process.

A run is longer than a task may be, so the loop starts ``manage.py runimports``, a process of its own.
It holds a lock of its connection: there is one such process at a time, and when it dies the lock
dies with it, its transaction is rolled back, and the loop's next pass starts another one. A run that
has ended its process three times fails.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import DatabaseError, OperationalError, transaction
from django.utils.translation import gettext as _

from leads.models import ImportRun, ImportState
from leads.services.imports import faults, files, lookalikes, runs, ticking, undoing, uploads
from leads.services.imports.watching import Cancelled, Unwatched, Watch
from smarketing.core import locks, processes
from smarketing.core.errors import DomainError

logger = logging.getLogger(__name__)
MAX_ATTEMPTS = 3
_LOOK_SECONDS = 0.5
_STRAY_AFTER = timedelta(days=1)
# Files are kept so long after the run was last touched; undo does not need them.
KEPT_FOR = timedelta(days=30)
_LOCK = (locks.Namespace.IMPORT, 1)


class Watched(Protocol):
    """How a run is looked on while it is carried out."""

    def __call__(self, *, run: ImportRun) -> AbstractContextManager[Watch]: ...


def run_once(*, now: datetime, limit: int) -> int:
    """Remove files whose time is up; start the process if something is due and none runs."""
    removed = sweep(now=now, limit=limit)
    if ImportRun.objects.due().exists() and not locks.is_held(*_LOCK):
        processes.start("runimports")
    return removed


def sweep(*, now: datetime, limit: int) -> int:
    """Remove the files of runs that nobody has touched for :data:`KEPT_FOR`; how many there were.

    What the run had kept of their cells goes with them.
    """
    old = ImportRun.objects.exclude(stored_file="").filter(updated_at__lt=now - KEPT_FOR)
    idle = old.exclude(pk__in=ImportRun.objects.due().values("pk")).order_by("pk")[:limit]
    with transaction.atomic():
        found = locks.rows(ImportRun.objects.all(), [run.pk for run in idle])
        names = [run.stored_file for run in found]
        ImportRun.objects.filter(pk__in=[run.pk for run in found]).update(
            stored_file="", error_file="", check_report=None, corrections={}
        )
    for name in names:
        files.remove(name=name)
    return len(names) + _sweep_strays(now)


def _sweep_strays(now: datetime) -> int:
    """Files of uploads whose run was never stored: the process died between the two."""
    old = files.older_than(instant=now - _STRAY_AFTER)
    known = set(ImportRun.objects.filter(stored_file__in=old).values_list("stored_file", flat=True))
    strays = [name for name in old if name not in known]
    for name in strays:
        files.remove(name=name)
    return len(strays)


@contextmanager
def unwatched(*, run: ImportRun) -> Iterator[Watch]:
    """Nobody looks on: for tests, whose rows no second connection can see."""
    yield Unwatched()


@contextmanager
def watched(*, run: ImportRun) -> Iterator[Watch]:
    """Progress is told, and the person may stop the run."""
    with ticking.Ticker(run_id=run.pk) as ticker:
        try:
            yield ticker
        except OperationalError as error:
            if ticker.cancelled.is_set():
                raise Cancelled(_("The import was stopped; nothing was changed.")) from error
            raise


def work(*, clock: Callable[[], datetime], watch: Watched = watched, linger_seconds: float = 0.0) -> int:
    """Carry out everything that is due, unless another process does; how many runs there were.

    ``linger_seconds``: stay so long after the last one, for who has checked a file starts it soon.
    """
    handled, idle = 0, 0.0
    with locks.session(*_LOCK) as ours:
        while ours:
            if run := _take(now=clock()):
                _carry_out(run, clock, watch)
                handled, idle = handled + 1, 0.0
            elif idle < linger_seconds:
                time.sleep(_LOOK_SECONDS)
                idle += _LOOK_SECONDS
            else:
                break
    return handled


@transaction.atomic
def _take(*, now: datetime) -> ImportRun | None:
    """The next due run, counted as an attempt before it is begun."""
    due = ImportRun.objects.due().select_for_update(of=("self",), no_key=True)
    run = due.select_related("source", "actor").first()
    if run is None:
        return None
    run.attempts += 1
    run.updated_at = now
    if run.is_cancelled:
        _stopped(run, now)
        return _take(now=now)
    if run.attempts > MAX_ATTEMPTS:
        told = _("It was tried %(n)d times and ended the process each time.") % {"n": MAX_ATTEMPTS}
        _failed(run, run.problem or told, now)
        return _take(now=now)
    if run.state in (ImportState.WAITING, ImportState.RUNNING):
        # What the run writes bears this instant.
        run.state, run.started_at = ImportState.RUNNING, now
    run.save(update_fields=["attempts", "updated_at", "state", "started_at"])
    return run


def _carry_out(run: ImportRun, clock: Callable[[], datetime], watch: Watched) -> None:
    """One run. What went wrong is kept in it; what may go better next time is tried again."""
    step = {
        ImportState.CHECKING: _check,
        ImportState.RUNNING: _run,
        ImportState.UNDOING: undoing.carry_out,
    }[ImportState(run.state)]
    try:
        with watch(run=run) as looking:
            step(run=run, watch=looking, now=run.updated_at)
    except Cancelled:
        _stopped(run, clock())
    except DomainError as error:
        _failed(run, error.detail, clock())
    except DatabaseError as error:
        logger.warning("import_interrupted", extra={"run": run.pk, "error": repr(error)})
        _note_problem(run, _("The database refused: %(error)s") % {"error": str(error)[:500]})
    except Exception as error:
        # The attempt is counted: the third one makes the run fail with this text.
        logger.exception("import_broke", extra={"run": run.pk})
        _note_problem(run, _("An error of the program: %(error)s") % {"error": repr(error)[:500]})
    else:
        ImportRun.objects.filter(pk=run.pk).update(finished_at=clock(), updated_at=clock(), problem="")


def _check(*, run: ImportRun, watch: Watch, now: datetime) -> None:
    """A dry run; what it tells is kept in the run."""
    uploads.table_of(run=run)
    options = replace(
        uploads.options_of(run=run), dry_run=True, told=faults.TOLD, lookalikes=lookalikes.LOOKED_AT
    )
    path = files.path_of(name=run.stored_file)
    report = runs.run(
        kind=run.kind, path=path, options=options, actor=run.actor, now=now, record=run, watch=watch
    )
    told: dict[str, Any] = {
        **report.as_dict(),
        "errors": faults.located(table=uploads.table_of(run=run), errors=report.errors, options=options),
    }
    ImportRun.objects.filter(pk=run.pk, state=ImportState.CHECKING).update(
        state=ImportState.CHECKED,
        check_report=told,
        error_file=report.error_file[:500],
        rows_total=report.rows,
        rows_read=report.rows,
    )


def _run(*, run: ImportRun, watch: Watch, now: datetime) -> None:
    """The real run; its state becomes "done" in the transaction of its rows."""
    uploads.table_of(run=run)
    options = uploads.options_of(run=run)
    path = files.path_of(name=run.stored_file)
    report = runs.run(
        kind=run.kind, path=path, options=options, actor=run.actor, now=now, record=run, watch=watch
    )
    if not report.created + report.updated + report.unchanged:
        first = report.errors[0]["reason"] if report.errors else ""
        told = _("None of the %(n)d rows could be used; nothing was changed. %(first)s")
        raise runs.NothingUsable(told % {"n": report.rejected, "first": first})
    ImportRun.objects.filter(pk=run.pk).update(rows_total=report.rows, rows_read=report.rows)


def _stopped(run: ImportRun, now: datetime) -> None:
    """Back to where the person was before they asked."""
    before = ImportState.CHECKED if run.check_report else ImportState.UPLOADED
    ImportRun.objects.filter(pk=run.pk).update(
        state=before, is_cancelled=False, attempts=0, rows_read=0, problem="", updated_at=now
    )


def _failed(run: ImportRun, problem: str, now: datetime) -> None:
    """What can't be done is told: a check leaves the run open, an undo leaves it done."""
    ended = {ImportState.CHECKING: ImportState.UPLOADED, ImportState.UNDOING: ImportState.DONE}
    ImportRun.objects.filter(pk=run.pk).update(
        state=ended.get(ImportState(run.state), ImportState.FAILED),
        problem=problem[:2000],
        finished_at=now,
        updated_at=now,
    )


def _note_problem(run: ImportRun, problem: str) -> None:
    ImportRun.objects.filter(pk=run.pk).update(problem=problem[:2000])
