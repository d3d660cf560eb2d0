"""Looking up tasks."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, QuerySet

from leads.models import Activity, ActivityKind
from smarketing.core.prepared import Tally, given
from smarketing.users.models import User

_DUE = Tally(
    "tasks_due",
    lambda: Activity.objects.filter(
        kind=ActivityKind.TASK, done_at=None, actor=given("user"), due_at__lte=given("now")
    ),
)


def open_of(user: User) -> QuerySet[Activity]:
    """The user's open tasks, the next due first; those without a date last."""
    return (
        Activity.objects.visible_to(user)
        .filter(kind=ActivityKind.TASK, done_at=None, actor=user)
        .select_related("person__company", "company", "lead")
        .order_by(F("due_at").asc(nulls_last=True), "pk")
    )


def due_before(user: User, *, until: datetime) -> QuerySet[Activity]:
    """The user's open tasks that are due before an instant, the earliest first."""
    return open_of(user).filter(due_at__lt=until)


def due_count(user: User, *, now: datetime) -> int:
    """How many of the user's open tasks are due."""
    return _DUE.of(user=user.pk, now=now) if user.pk else 0


def of_person(user: User, person_id: int) -> list[Activity]:
    """Open tasks about a person, whoever is to do them."""
    tasks = Activity.objects.visible_to(user).filter(kind=ActivityKind.TASK, done_at=None, person=person_id)
    return list(tasks.select_related("actor").order_by(F("due_at").asc(nulls_last=True), "pk"))
