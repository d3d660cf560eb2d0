"""Products, opportunities (deals) and the ledger of their moves."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.expressions import OrderBy
from django.utils.translation import gettext_lazy as _

from leads.models import Company, FromSource, ImportRun, Lead, Person
from smarketing.core.models import Stamped, Versioned
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class Product(Stamped, Versioned, FromSource):
    """Something that is sold."""

    name = models.CharField(_("name"), max_length=200)
    # How the name is matched: see leads.domain.identities.product_key.
    name_key = models.CharField(max_length=200, unique=True, editable=False)
    series = models.CharField(_("series"), max_length=120, blank=True)
    list_price = models.DecimalField(_("list price"), max_digits=18, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    is_active = models.BooleanField(_("sold today"), default=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="product_from_source_once")
        ]

    def __str__(self) -> str:
        return self.name


class OpportunityStageKind(models.TextChoices):
    """Whether a column of the board is open or an end."""

    OPEN = "open", _("Open")
    WON = "won", _("Won")
    LOST = "lost", _("Lost")


class OpportunityStage(Stamped):
    """A column of the opportunities board."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(max_length=4, choices=OpportunityStageKind.choices, default="open")
    position = models.PositiveSmallIntegerField()
    rotting_days = models.PositiveSmallIntegerField(_("too long after (days)"), null=True, blank=True)

    class Meta:
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return self.name


class LostReason(models.TextChoices):
    """Why an opportunity was lost."""

    PRICE = "price", _("Price")
    COMPETITOR = "competitor", _("Competitor")
    NO_DECISION = "no_decision", _("No decision")
    NO_BUDGET = "no_budget", _("No budget")
    MISSING_FEATURE = "missing_feature", _("Missing feature")
    TIMING = "timing", _("Timing")
    UNKNOWN = "unknown", _("Not told")


class OpportunityQuerySet(models.QuerySet["Opportunity"]):
    """Chainable verbs over opportunities."""

    def visible_to(self, user: User) -> OpportunityQuerySet:
        """Both teams read the same records (R43); whoever may not view gets none."""
        return self.all() if user.may(Capability.VIEW) else self.none()

    def won(self) -> OpportunityQuerySet:
        """Deals that were won."""
        return self.filter(stage__kind=OpportunityStageKind.WON)

    def lost(self) -> OpportunityQuerySet:
        """Deals that were lost."""
        return self.filter(stage__kind=OpportunityStageKind.LOST)


def _last(column: str) -> OrderBy:
    """From high to low with blanks at the end, as lists order."""
    return models.F(column).desc(nulls_last=True)


class Opportunity(Stamped, Versioned, FromSource):
    """A deal. Its end is a stage of kind won or lost with ``closed_at``."""

    name = models.CharField(_("name"), max_length=300)
    lead = models.ForeignKey(
        Lead, null=True, blank=True, on_delete=models.SET_NULL, related_name="opportunities"
    )
    person = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="opportunities"
    )
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.SET_NULL, related_name="opportunities"
    )
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="opportunities"
    )
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="opportunities", db_index=False
    )
    stage = models.ForeignKey(OpportunityStage, on_delete=models.PROTECT, related_name="+", db_index=False)
    stage_entered_at = models.DateTimeField()
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    # Null where the source has no such date (a deal that nobody has engaged with yet).
    opened_at = models.DateTimeField(_("opened"), null=True, blank=True)
    expected_close_on = models.DateField(_("expected to close"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    lost_reason = models.CharField(_("why lost"), max_length=20, choices=LostReason.choices, blank=True)
    lost_note = models.TextField(_("what happened"), blank=True)
    competitor = models.CharField(_("competitor"), max_length=200, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    import_run = models.ForeignKey(
        ImportRun,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="opportunities",
        db_index=False,
    )

    objects: ClassVar[models.Manager[Opportunity]] = OpportunityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "opportunities"
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="opportunity_from_source_once"),
            models.CheckConstraint(
                condition=models.Q(closed_at=None)
                | models.Q(opened_at=None)
                | models.Q(closed_at__gte=models.F("opened_at")),
                name="opportunity_closes_after_opening",
            ),
        ]
        indexes = [
            models.Index(fields=["stage", "-stage_entered_at", "-id"], name="opportunity_board"),
            models.Index(fields=["owner", "-stage_entered_at", "-id"], name="opportunities_of_owner"),
            models.Index(
                fields=["closed_at"], name="opportunity_closed", condition=models.Q(closed_at__isnull=False)
            ),
            # Read by the table of deals and the API in the order that somebody asks for. Blanks stand last
            # in either direction, so a column that may be blank needs an index for each.
            models.Index(fields=["name", "id"], name="opportunities_by_name"),
            models.Index(fields=["stage_entered_at", "id"], name="opportunities_by_move"),
            models.Index(fields=["amount", "id"], name="opportunities_least"),
            models.Index(_last("amount"), models.F("id").desc(), name="opportunities_most"),
            models.Index(fields=["expected_close_on", "id"], name="opportunities_close_soonest"),
            models.Index(
                _last("expected_close_on"), models.F("id").desc(), name="opportunities_close_latest"
            ),
            models.Index(fields=["opened_at", "id"], name="opportunities_opened_first"),
            models.Index(_last("opened_at"), models.F("id").desc(), name="opportunities_opened_last"),
            models.Index(fields=["closed_at", "id"], name="opportunities_closed_first"),
            models.Index(_last("closed_at"), models.F("id").desc(), name="opportunities_closed_last"),
        ]

    def __str__(self) -> str:
        return self.name


class OpportunityTransition(models.Model):
    """One move of one opportunity. Rows are never changed."""

    opportunity = models.ForeignKey(
        Opportunity, on_delete=models.PROTECT, related_name="transitions", db_index=False
    )
    seq = models.PositiveIntegerField()
    from_stage = models.ForeignKey(
        OpportunityStage, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    to_stage = models.ForeignKey(OpportunityStage, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=500, blank=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    effective_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["opportunity", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "seq"], name="opportunity_transition_seq_once")
        ]

    def __str__(self) -> str:
        return f"{self.opportunity_id}#{self.seq}"
