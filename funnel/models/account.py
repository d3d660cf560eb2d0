"""Where each company stands: a projection of its people's laps and its deals."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from funnel.models.stage import Stage
from leads.models import Company
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class AccountStateQuerySet(models.QuerySet["AccountState"]):
    """Chainable verbs over states of companies."""

    def visible_to(self, user: User) -> AccountStateQuerySet:
        """Both teams read the same companies; whoever may not view gets none."""
        return self.all() if user.may(Capability.VIEW) else self.none()


class AccountState(models.Model):
    """The stage of a company, since when, and the furthest it ever came (``funnel.domain.accounts``).

    ``CompanyMark`` names companies of which a lap or a deal moved; the loop derives them anew, and every
    company once a day.
    """

    follows_merges = False  # derived anew from the laps of both

    company = models.OneToOneField(
        Company, primary_key=True, on_delete=models.CASCADE, related_name="account_state"
    )
    stage = models.ForeignKey(
        Stage, verbose_name=_("stage"), on_delete=models.PROTECT, related_name="+", db_index=False
    )
    high_water = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="+", db_index=False)
    entered_at = models.DateTimeField(_("since"))
    refreshed_at = models.DateTimeField()

    objects: ClassVar[models.Manager[AccountState]] = AccountStateQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-entered_at", "-company"], name="accounts_latest"),
            models.Index(fields=["stage", "-entered_at", "-company"], name="accounts_by_stage"),
            models.Index(fields=["refreshed_at"], name="accounts_stalest"),
        ]

    def __str__(self) -> str:
        return f"company {self.company_id} at {self.stage_id}"
