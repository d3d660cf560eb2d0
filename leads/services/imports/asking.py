"""What a person asks of a run: check it, start it, stop it, take it back, throw it away.

Each asks once, however often it is said: the state of the run decides under its lock. A process of
the loop ``imports`` then does it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from leads.models import ImportRun, ImportState
from leads.services.imports import files, uploads
from smarketing.core import locks, loops
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict
from smarketing.users.models import User

LOOP = "imports"


class NotReady(Conflict):
    """The run is not in a state in which this can be asked of it."""

    code = "import_not_ready"


@transaction.atomic
def check(*, run: ImportRun, now: datetime) -> ImportRun:
    """Have a dry run tell what the import would do. Raises :class:`NotReady` or ``FileGone``."""
    run = _locked(run)
    if run.state == ImportState.CHECKING:
        return run
    if run.state not in uploads.OPEN or not run.choices.get("columns"):
        raise NotReady(_("Say first what the columns are; a run that is under way or over is not checked."))
    uploads.table_of(run=run)
    return _due(run, ImportState.CHECKING, now)


@transaction.atomic
def start(*, run: ImportRun, actor: User | None, unchecked: bool = False, now: datetime) -> ImportRun:
    """Have the file taken in. Started or done already, it stays so.

    ``unchecked`` lets a program start what nobody has looked at. Raises :class:`NotReady`.
    """
    run = _locked(run)
    if run.state in (ImportState.WAITING, ImportState.RUNNING, ImportState.DONE):
        return run
    ready = uploads.OPEN if unchecked else (ImportState.CHECKED, ImportState.FAILED)
    if run.state not in ready or not run.choices.get("columns"):
        raise NotReady(_("Check the import first; then it can be started."))
    uploads.table_of(run=run)
    run.actor = actor
    return _due(run, ImportState.WAITING, now)


@transaction.atomic
def cancel(*, run: ImportRun, now: datetime) -> ImportRun:
    """Stop a check or an import that is due or under way; nothing of it will have been changed.

    Raises :class:`NotReady` when there is nothing to stop any more.
    """
    run = _locked(run)
    if run.state not in (ImportState.CHECKING, ImportState.WAITING, ImportState.RUNNING):
        raise NotReady(_("There is nothing to stop: this import is not under way."))
    run.is_cancelled, run.updated_at = True, now
    run.save(update_fields=["is_cancelled", "updated_at"])
    loops.nudge(LOOP)
    return run


@transaction.atomic
def undo(*, run: ImportRun, actor: User, now: datetime) -> ImportRun:
    """Have all that the import made removed and all that it changed restored. Twice is once.

    Raises :class:`NotReady` for a run that did not end well.
    """
    run = _locked(run)
    if run.state in (ImportState.UNDOING, ImportState.UNDONE):
        return run
    if run.state != ImportState.DONE:
        raise NotReady(_("Only an import that is done can be taken back."))
    run.undone_by = actor
    run.undo_report = None
    changed(actor=actor, action="import_undo_asked", obj=run, now=now, before={"state": run.state})
    return _due(run, ImportState.UNDOING, now)


@transaction.atomic
def discard(*, run: ImportRun, actor: User, now: datetime) -> None:
    """Throw away an upload that was never taken in, with its file. Raises :class:`NotReady`."""
    run = _locked(run)
    if run.state not in uploads.OPEN:
        raise NotReady(_("An import that is under way or done is not thrown away; take it back instead."))
    changed(actor=actor, action="import_discarded", obj=run, now=now, before={"file": run.file_name})
    name = run.stored_file
    run.delete()
    transaction.on_commit(lambda: files.remove(name=name), robust=True)


def _due(run: ImportRun, state: ImportState, now: datetime) -> ImportRun:
    run.state, run.attempts, run.rows_read = state, 0, 0
    run.is_cancelled, run.problem, run.updated_at = False, "", now
    run.save(
        update_fields=[
            "state",
            "attempts",
            "rows_read",
            "is_cancelled",
            "problem",
            "updated_at",
            "actor",
            "undone_by",
        ]
    )
    loops.nudge(LOOP)
    return run


def _locked(run: ImportRun) -> ImportRun:
    """The run as it stands now, under lock."""
    found = locks.rows(ImportRun.objects.select_related("source", "actor"), [run.pk])
    if not found:
        raise NotReady(_("This import is not there any more."))
    return found[0]
