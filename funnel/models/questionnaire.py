"""The blind questionnaire: what both teams are asked, and what each person answered (N3)."""

from __future__ import annotations

from django.db import models

from funnel.models.definition import DefinitionVersion
from smarketing.users.models import SideChoices, User


class Questionnaire(models.Model):
    """One round. ``items`` are rules and free statements to rate, ``cases`` frozen leads without names.

    Answers stay hidden until ``quorum`` people of each side have answered, or ``closes_at`` has come and
    both sides have said anything; then ``revealed_at`` is set with ``kappa`` and ``agreement``, and nobody
    answers any more. A round that is cancelled is over at ``revealed_at``, too, and shows nothing.
    """

    definition = models.ForeignKey(DefinitionVersion, on_delete=models.PROTECT, related_name="+")
    quorum = models.PositiveSmallIntegerField()
    items = models.JSONField()
    cases = models.JSONField()
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    closes_at = models.DateTimeField(null=True)
    revealed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    # When managers were told that the round after this one is due.
    due_told_at = models.DateTimeField(null=True)
    kappa = models.FloatField(null=True)
    agreement = models.FloatField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["revealed_at"],
                condition=models.Q(revealed_at=None),
                nulls_distinct=False,
                name="one_questionnaire_open",
            )
        ]

    def __str__(self) -> str:
        return f"questionnaire {self.pk}"


class QuestionnaireAnswer(models.Model):
    """What one person answered: words to the four questions, ratings of items, labels of cases."""

    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.CASCADE, related_name="answers")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=12, choices=SideChoices.choices)
    words = models.JSONField()
    ratings = models.JSONField()
    labels = models.JSONField()
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["questionnaire", "user"], name="questionnaire_answered_once")
        ]

    def __str__(self) -> str:
        return f"{self.side} on {self.questionnaire_id}"
