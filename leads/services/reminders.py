"""Reminding colleagues of the tasks that fall due, each once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from leads.models import Activity, ActivityKind
from smarketing.notifications.services import outbox
from smarketing.notifications.services.outbox import Entry, Notice

LOOP = "reminders"
# What fell due before that is history (an import, say), or was seen in the list long ago.
_STILL_NEWS = timedelta(days=1)


@transaction.atomic
def run_once(*, now: datetime, limit: int) -> int:
    """Tell whoever is to do them of tasks that have fallen due; the loop ``reminders``.

    Rows are claimed with SKIP LOCKED and marked in the same transaction, so nobody hears twice.
    """
    due = Activity.objects.filter(
        kind=ActivityKind.TASK, done_at=None, reminded_at=None, due_at__gt=now - _STILL_NEWS, due_at__lte=now
    ).order_by("due_at", "pk")
    rows = list(due.select_for_update(skip_locked=True, of=("self",)).select_related("person")[:limit])
    outbox.put_many(entries=[_entry(task) for task in rows if task.actor_id is not None], now=now)
    Activity.objects.filter(pk__in=[task.pk for task in rows]).update(reminded_at=now)
    return len(rows)


def _entry(task: Activity) -> Entry:
    whom = task.person.name if task.person else ""
    text = _("Now due: %(task)s") % {"task": f"{task.subject} ({whom})" if whom else task.subject}
    link = f"/people/{task.person_id}/" if task.person_id else f"/companies/{task.company_id}/"
    notice = Notice(text=text, user_ids=(task.actor_id,) if task.actor_id else (), link=link)
    payload = {"activity_id": task.pk, "lead_id": task.lead_id, "person_id": task.person_id}
    return Entry("task.due", payload, f"task:{task.pk}:due", notice)
