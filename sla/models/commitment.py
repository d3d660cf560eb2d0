"""Closed periods of promises: what was reported then, and what became known later."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from sla.models.agreement import Clause


class Commitment(models.Model):
    """One closed period of one clause, as it was known then. A ledger row; only ``checked_at`` moves.

    ``figures`` holds the numbers, ``rows_digest`` says over which leads (SHA-256 of their ids by cell).
    """

    clause = models.ForeignKey(Clause, on_delete=models.PROTECT, related_name="commitments", db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    figures = models.JSONField()
    rows_digest = models.CharField(max_length=64)
    closed_at = models.DateTimeField()
    checked_at = models.DateTimeField()

    objects: ClassVar[models.Manager[Commitment]] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clause", "starts_at"], name="commitment_closed_once"),
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="commitment_period_in_order"
            ),
        ]
        indexes = [
            models.Index(fields=["-ends_at", "-id"], name="commitments_newest"),
            models.Index(fields=["checked_at", "id"], name="commitments_to_check"),
        ]

    def __str__(self) -> str:
        return f"commitment {self.pk}"


class Restatement(models.Model):
    """Later facts changed the numbers of a closed period: what is known now, since when. Never changed."""

    commitment = models.ForeignKey(
        Commitment, on_delete=models.PROTECT, related_name="restatements", db_index=False
    )
    figures = models.JSONField()
    rows_digest = models.CharField(max_length=64)
    found_at = models.DateTimeField()

    class Meta:
        ordering = ["commitment", "id"]
        indexes = [models.Index(fields=["commitment", "id"], name="restatements_of_commitment")]

    def __str__(self) -> str:
        return f"restatement {self.pk}"
