"""Merges of two records into one, and the ledger of every row that moved, so that each can be undone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from leads.models.company import Company
from leads.models.duplicate import DuplicateKind
from leads.models.person import Person
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class MergeQuerySet(models.QuerySet["Merge"]):
    """Chainable verbs over merges."""

    def visible_to(self, user: User) -> MergeQuerySet:
        """Both teams see what was merged."""
        return self.all() if user.may(Capability.VIEW) else self.none()

    def standing(self) -> MergeQuerySet:
        """Merges that were not undone."""
        return self.filter(undone_at=None)


class Merge(models.Model):
    """One record went into another. ``batch`` groups merges that were ordered, and are undone, together.

    ``written`` holds the columns that the survivor got by it, as they were written: an undoing puts back
    only what nobody has changed since.
    """

    follows_merges = False  # it says what happened, and stays with the records that it happened to

    kind = models.CharField(_("what"), max_length=8, choices=DuplicateKind.choices)
    survivor = models.ForeignKey(Person, null=True, on_delete=models.CASCADE, related_name="merges")
    merged = models.ForeignKey(Person, null=True, on_delete=models.CASCADE, related_name="merged_away")
    survivor_company = models.ForeignKey(Company, null=True, on_delete=models.CASCADE, related_name="merges")
    merged_company = models.ForeignKey(
        Company, null=True, on_delete=models.CASCADE, related_name="merged_away"
    )
    batch = models.UUIDField(null=True)
    written = models.JSONField(default=dict)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    merged_at = models.DateTimeField(_("merged"))
    undone_at = models.DateTimeField(_("undone"), null=True)
    undone_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    objects: ClassVar[models.Manager[Merge]] = MergeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="person", survivor__isnull=False, merged__isnull=False)
                | Q(kind="company", survivor_company__isnull=False, merged_company__isnull=False),
                name="merge_has_both_records",
            ),
            models.UniqueConstraint(
                fields=["merged"], condition=Q(undone_at=None), name="person_merged_away_once"
            ),
            models.UniqueConstraint(
                fields=["merged_company"], condition=Q(undone_at=None), name="company_merged_away_once"
            ),
        ]
        indexes = [
            models.Index(fields=["-merged_at", "-id"], name="merges_newest"),
            models.Index(fields=["batch"], name="merges_of_batch", condition=Q(batch__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"merge {self.pk}"

    @property
    def survivor_key(self) -> int:
        """The key of the record that stayed."""
        return int(self.survivor_id or self.survivor_company_id or 0)

    @property
    def merged_key(self) -> int:
        """The key of the record that went."""
        return int(self.merged_id or self.merged_company_id or 0)


class MergedRow(models.Model):
    """A row that a merge moved or changed, with the columns as they were; without, the merge made it."""

    merge = models.ForeignKey(Merge, on_delete=models.CASCADE, related_name="rows", db_index=False)
    table_name = models.CharField(max_length=63)
    row_key = models.CharField(max_length=64)
    before = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merge", "table_name", "row_key"], name="merged_row_once")
        ]

    def __str__(self) -> str:
        return f"{self.table_name} {self.row_key}"
