"""Asking for a training, and starting the process that carries it out.

The learning library takes seconds to load and much memory, so the worker only starts ``manage.py model
train``; a run that is never ended by its process (killed, machine gone) is called failed after half an hour.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from funnel.models import LikelihoodModel, RunState, TrainingRun
from smarketing.core import loops, processes
from smarketing.core.errors import Conflict, DomainError
from smarketing.users.models import User

LOOP = "trainings"
EVERY = timedelta(days=30)
LOST_AFTER = timedelta(minutes=30)
logger = logging.getLogger(__name__)


class Train(Protocol):
    """What carries a training out."""

    def __call__(self, *, actor: User | None, now: datetime) -> LikelihoodModel: ...


class TrainingWaits(Conflict):
    """A training has been asked for and has not begun."""

    code = "training_waits"


def ask(*, actor: User | None, now: datetime) -> TrainingRun:
    """Ask for a training; the worker starts it within seconds. Raises :class:`TrainingWaits`."""
    try:
        with transaction.atomic():
            run = TrainingRun.objects.create(requested_at=now, requested_by=actor)
            loops.nudge(LOOP)
    except IntegrityError as error:
        raise TrainingWaits(_("A training has been asked for already. It begins soon.")) from error
    return run


def run_once(*, now: datetime, limit: int) -> int:
    """Call lost runs failed, ask for the monthly one, and start the one that waits; return 1 if one began.

    The start is committed before the process begins, so of two workers one starts it.
    """
    lost = TrainingRun.objects.filter(state=RunState.RUNNING, started_at__lt=now - LOST_AFTER)
    lost.update(state=RunState.FAILED, ended_at=now, message=_("The process ended without a word."))
    _ask_monthly(now)
    with transaction.atomic():
        waiting = TrainingRun.objects.filter(state=RunState.WAITING).select_for_update(skip_locked=True)
        run = waiting.first()
        if run is None or TrainingRun.objects.filter(state=RunState.RUNNING).exists():
            return 0
        run.state, run.started_at = RunState.RUNNING, now
        run.save(update_fields=["state", "started_at"])
    processes.start("model", "train", "--run", str(run.pk))
    return 1


def carry_out(*, run_id: int, train: Train, clock: Callable[[], datetime]) -> None:
    """Train for a run and write down what came of it; a run that is not running is left alone."""
    run = TrainingRun.objects.filter(pk=run_id, state=RunState.RUNNING).first()
    if run is None:
        return
    try:
        run.model = train(actor=run.requested_by, now=clock())
    except DomainError as refused:
        run.state, run.message = RunState.REFUSED, refused.detail[:500]
    except Exception as fault:
        run.state, run.message = RunState.FAILED, f"{type(fault).__name__}: {fault}"[:500]
        logger.exception("training_failed", extra={"run": run.pk})
    else:
        run.state = RunState.DONE
    run.ended_at = clock()
    run.save(update_fields=["state", "message", "ended_at", "model"])


def _ask_monthly(now: datetime) -> None:
    """Once a model is in use it is challenged every month."""
    latest = TrainingRun.objects.order_by("-pk").first()
    due = latest is not None and latest.requested_at < now - EVERY
    if due and LikelihoodModel.objects.exists():
        TrainingRun.objects.bulk_create([TrainingRun(requested_at=now)], ignore_conflicts=True)
