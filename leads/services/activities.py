"""Logging what colleagues did with a person, and tasks that remind them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from leads.events import ActivityLogged
from leads.models import (
    Activity,
    ActivityKind,
    ActivityOutcome,
    Company,
    Direction,
    Lead,
    Person,
    Source,
)
from leads.services import fields, once, sources, touchpoints
from smarketing.core import events, locks
from smarketing.core.errors import Conflict, FieldError, Invalid
from smarketing.users.models import User

ATTEMPTS = frozenset({ActivityKind.CALL, ActivityKind.MAIL, ActivityKind.MEETING})
_NOTHING_DONE = frozenset({ActivityKind.NOTE, ActivityKind.TASK})


class TaskIsNotLogged(Invalid):
    """A task is planned with ``add_task``; logging is for what has happened."""

    code = "task_is_not_logged"


class OutcomeDoesNotFit(Invalid):
    """The outcome can't come of this kind of activity."""

    code = "outcome_does_not_fit"


class NotATask(Conflict):
    """Only tasks are completed."""

    code = "not_a_task"


OUTCOMES: dict[str, tuple[str, ...]] = {
    ActivityKind.CALL: (
        ActivityOutcome.REACHED,
        ActivityOutcome.NO_ANSWER,
        ActivityOutcome.LEFT_MESSAGE,
    ),
    ActivityKind.MAIL: (ActivityOutcome.SENT, ActivityOutcome.REPLIED, ActivityOutcome.BOUNCED),
    ActivityKind.MEETING: (ActivityOutcome.HELD, ActivityOutcome.NO_SHOW),
    ActivityKind.NOTE: (),
    ActivityKind.TASK: (),
}


@transaction.atomic
def log(
    *,
    person: Person,
    lead: Lead | None = None,
    kind: str,
    direction: str = Direction.OUTBOUND,
    outcome: str = "",
    subject: str = "",
    body: str = "",
    occurred_at: datetime,
    duration_seconds: int | None = None,
    actor: User | None,
    is_automated: bool = False,
    source: Source | None = None,
    external_id: str | None = None,
    now: datetime,
) -> Activity:
    """Store a call, mail, meeting or note, and tell who counts attempts.

    Without ``lead`` it belongs to the person's open lap. The same ``(source, external_id)`` again
    returns what is stored. A note is always internal. Raises ``InTheFuture``, ``LeadOfAnother``,
    ``IdOfAnother``, :class:`OutcomeDoesNotFit`, :class:`TaskIsNotLogged` or what ``fields.checked`` raises.
    """
    values = _values(
        kind=kind,
        direction=Direction.INTERNAL if kind in _NOTHING_DONE else direction,
        outcome=outcome,
        subject=subject,
        body=body,
        duration_seconds=duration_seconds,
    )
    _fits(values["kind"], values["outcome"])
    activity, is_new = once.insert(
        record=Activity(
            **values,
            person=person,
            lead=touchpoints.lead_of(person=person, lead=lead),
            company=person.company,
            occurred_at=fields.happened(instant=occurred_at, field="occurred_at", now=now),
            actor=actor,
            is_automated=is_automated,
            source=source or sources.manual(now=now),
            external_id=external_id,
            **fields.stamps(now=now),
        )
    )
    if is_new:
        _tell(activity, now=now)
    return activity


def _tell(activity: Activity, *, now: datetime) -> None:
    events.publish(
        ActivityLogged(
            activity_id=activity.pk,
            lead_id=activity.lead_id,
            person_id=activity.person_id,
            kind=activity.kind,
            is_attempt=is_attempt(activity=activity),
            occurred_at=activity.occurred_at,
            actor_id=activity.actor_id,
            now=now,
        )
    )


def is_attempt(*, activity: Activity) -> bool:
    """Whether a human approached the person: an outbound call, mail or meeting."""
    return (
        activity.kind in ATTEMPTS and activity.direction == Direction.OUTBOUND and not activity.is_automated
    )


@transaction.atomic
def add_task(
    *,
    person: Person | None = None,
    company: Company | None = None,
    lead: Lead | None = None,
    subject: str,
    body: str = "",
    due_at: datetime | None = None,
    owner: User,
    actor: User | None,
    now: datetime,
) -> Activity:
    """Plan something for ``owner``. Raises ``BadValue`` without a subject or without a record."""
    values = _values(kind=ActivityKind.TASK, direction=Direction.INTERNAL, subject=subject, body=body)
    if not values["subject"]:
        raise _bad("subject", _("Say what is to be done."))
    if person is None and company is None:
        raise _bad("person", _("A task is about a person or a company."))
    if due_at is not None and due_at.tzinfo is None:
        raise _bad("due_at", _("Give the time with its zone."))
    return Activity.objects.create(
        **values,
        person=person,
        company=company or (person.company if person else None),
        lead=touchpoints.lead_of(person=person, lead=lead) if person else None,
        occurred_at=now,
        due_at=due_at,
        actor=owner,
        source=sources.manual(now=now),
        created_at=now,
        updated_at=now,
    )


@transaction.atomic
def complete_task(
    *, task: Activity, actor: User | None, now: datetime, expected_version: int | None = None
) -> Activity:
    """Mark a task as done; one that is done stays as it is. Raises :class:`NotATask`."""
    return _set_done(task, now, expected_version=expected_version, now=now)


@transaction.atomic
def reopen_task(
    *, task: Activity, actor: User | None, now: datetime, expected_version: int | None = None
) -> Activity:
    """Take ``complete_task`` back."""
    return _set_done(task, None, expected_version=expected_version, now=now)


def _set_done(
    task: Activity, done_at: datetime | None, *, expected_version: int | None, now: datetime
) -> Activity:
    (locked,) = locks.rows(Activity.objects.all(), [task.pk])
    if locked.kind != ActivityKind.TASK:
        raise NotATask(_("Only tasks are completed."))
    fields.same_version(record=locked, expected=expected_version)
    if (locked.done_at is None) == (done_at is None):
        return locked
    locked.done_at, locked.version, locked.updated_at = done_at, locked.version + 1, now
    locked.save(update_fields=["done_at", "version", "updated_at"])
    return locked


def _values(**values: Any) -> dict[str, Any]:
    return fields.checked(
        model=Activity,
        values=values,
        allowed=("kind", "direction", "outcome", "subject", "body", "duration_seconds"),
    )


def _fits(kind: str, outcome: str) -> None:
    if kind == ActivityKind.TASK:
        raise TaskIsNotLogged(_("A task is planned, not logged."))
    if outcome and outcome not in OUTCOMES[kind]:
        detail = _("This outcome does not belong to this kind of activity.")
        raise OutcomeDoesNotFit(detail, errors=[FieldError("outcome", OutcomeDoesNotFit.code, detail)])


def _bad(field: str, detail: str) -> fields.BadValue:
    return fields.BadValue(detail, errors=[FieldError(field, fields.BadValue.code, detail)])
