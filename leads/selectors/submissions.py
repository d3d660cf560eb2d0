"""Looking up answers to forms."""

from __future__ import annotations

from django.db.models import QuerySet

from leads.models import FormSubmission, SubmissionState
from smarketing.core.prepared import Tally
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

_WAITING = Tally(
    "answers_waiting", lambda: FormSubmission.objects.filter(state=SubmissionState.QUARANTINED), at_most=100
)


def listed(user: User) -> QuerySet[FormSubmission]:
    """The answers that ``user`` may see, with what became of each."""
    rows = FormSubmission.objects.visible_to(user)
    return rows.select_related("form", "person", "lead", "version", "decided_by")


def waiting(user: User) -> int:
    """How many answers are in quarantine, up to a hundred: the number beside the menu."""
    return _WAITING.of() if user.may(Capability.VIEW) else 0
