"""Looking up answers to forms."""

from __future__ import annotations

from django.db.models import QuerySet

from leads.models import FormSubmission, SubmissionState
from smarketing.users.models import User


def listed(user: User) -> QuerySet[FormSubmission]:
    """The answers that ``user`` may see, with what became of each."""
    rows = FormSubmission.objects.visible_to(user)
    return rows.select_related("form", "person", "lead", "version", "decided_by")


def waiting(user: User) -> int:
    """How many answers are in quarantine, for the menu."""
    rows = FormSubmission.objects.visible_to(user).filter(state=SubmissionState.QUARANTINED)
    return rows[:100].count()
