"""Pairs of records that may be one, and how far the finder has looked."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from leads.models.company import Company
from leads.models.person import Person
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class DuplicateKind(models.TextChoices):
    """What the records are."""

    PERSON = "person", _("People")
    COMPANY = "company", _("Companies")


class DuplicateState(models.TextChoices):
    """What somebody said to it."""

    OPEN = "open", _("To decide")
    MERGED = "merged", _("Merged")
    DISMISSED = "dismissed", _("Not the same")


class DuplicateBand(models.TextChoices):
    """How sure the finder is."""

    CERTAIN = "certain", _("Certain")
    PROBABLE = "probable", _("Probable")


class DuplicateQuerySet(models.QuerySet["Duplicate"]):
    """Chainable verbs over pairs."""

    def visible_to(self, user: User) -> DuplicateQuerySet:
        """Both teams see what may be double; a pair of which one was merged away shows no more."""
        return self.present() if user.may(Capability.VIEW) else self.none()

    def present(self) -> DuplicateQuerySet:
        """All but open pairs of which one was merged away."""
        gone = Q(left__merged_into__isnull=False) | Q(right__merged_into__isnull=False)
        gone |= Q(left_company__merged_into__isnull=False) | Q(right_company__merged_into__isnull=False)
        return self.exclude(gone & Q(state=DuplicateState.OPEN))

    def open(self) -> DuplicateQuerySet:
        """Pairs that wait for a decision."""
        return self.filter(state=DuplicateState.OPEN)


class Duplicate(models.Model):
    """Two persons, or two companies, that may be one. "Not the same" is remembered for ever.

    ``evidence`` is a list of field, level and weight; values are read from the records, so that nothing
    of an erased person stays here.
    """

    follows_merges = False

    kind = models.CharField(_("what"), max_length=8, choices=DuplicateKind.choices)
    left = models.ForeignKey(Person, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    right = models.ForeignKey(Person, null=True, on_delete=models.CASCADE, related_name="duplicates_right")
    left_company = models.ForeignKey(
        Company, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    right_company = models.ForeignKey(
        Company, null=True, on_delete=models.CASCADE, related_name="duplicates_right"
    )
    score = models.FloatField(_("score"))
    band = models.CharField(_("how sure"), max_length=8, choices=DuplicateBand.choices)
    evidence = models.JSONField(default=list)
    state = models.CharField(
        _("state"), max_length=10, choices=DuplicateState.choices, default=DuplicateState.OPEN
    )
    found_at = models.DateTimeField(_("found"))
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    objects: ClassVar[models.Manager[Duplicate]] = DuplicateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["left", "right"], name="duplicate_pair_once"),
            models.UniqueConstraint(
                fields=["left_company", "right_company"], name="duplicate_company_pair_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="person", left__lt=F("right"), left_company=None, right_company=None)
                | Q(kind="company", left_company__lt=F("right_company"), left=None, right=None),
                name="duplicate_is_a_pair",
            ),
        ]
        indexes = [
            models.Index(fields=["-score", "-id"], name="duplicates_likeliest", condition=Q(state="open")),
            models.Index(fields=["state", "-decided_at"], name="duplicates_decided"),
        ]

    def __str__(self) -> str:
        return (
            f"{self.kind} {self.left_id or self.left_company_id} = {self.right_id or self.right_company_id}"
        )


class FinderState(models.Model):
    """How far the finder has looked: the newest record and the newest change of each kind."""

    kind = models.CharField(max_length=8, choices=DuplicateKind.choices, primary_key=True)
    last_record = models.BigIntegerField(default=0)
    last_change = models.BigIntegerField(default=0)
    last_full_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.kind
