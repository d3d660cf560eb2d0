"""Stages, the append-only ledger of moves, and the projection of where each lead stands."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from funnel.models.definition import DefinitionVersion
from leads.models import Lead
from smarketing.core.models import Stamped, Versioned
from smarketing.users.domain.roles import Capability
from smarketing.users.models import SideChoices, User


class StageKind(models.TextChoices):
    """Whether a stage is on the road or beside it."""

    MAIN = "main", _("Main road")
    SIDE = "side", _("Side state")


class OwnRole(models.TextChoices):
    """The roles that a stage of an organisation's own may play."""

    MAIN = "main", _("A step of the road")
    PARKING = "parking", _("Beside the road: the lead comes back")


class StageRole(models.TextChoices):
    """What a stage does in the journey (``funnel.domain.lifecycle.Role``)."""

    ANONYMOUS = "anonymous", _("Before we know who it is")
    MAIN = "main", _("A step of the road")
    WON = "won", _("The end of the road")
    PARKING = "parking", _("Beside the road: the lead comes back")
    CLOSED = "closed", _("The end of the episode")


class Stage(Stamped, Versioned):
    """One stage of the shared funnel: who owns it, what it means, its target and time limit.

    ``position`` orders the road. ``rule`` is a list of conditions that all hold for a lead to get in;
    ``target_conversion`` is the percentage of those who enter that should get further; a stage beside
    the road may only be reached from the step ``reached_from`` on. What came with the installation is
    never taken away, for the code knows it by its ``code``; an organisation's own stage counts as the one
    of ``counts_as``: between MQL and SQL a lead is an MQL for delivery, routing and deals.
    """

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(max_length=4, choices=StageKind.choices, default=StageKind.MAIN)
    position = models.PositiveSmallIntegerField(_("position"))
    owner_side = models.CharField(_("owner team"), max_length=12, choices=SideChoices.choices)
    meaning = models.TextField(_("what it means"), blank=True)
    entry = models.TextField(_("how a lead gets in"), blank=True)
    exit = models.TextField(_("how a lead gets out"), blank=True)
    role = models.CharField(max_length=9, choices=StageRole.choices, default=StageRole.MAIN)
    reached_from = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    by_hand = models.BooleanField(default=True)
    is_builtin = models.BooleanField(default=False)
    counts_as = models.CharField(max_length=40, default="")
    rule = models.JSONField(_("entry criteria"), default=list)
    monthly_target = models.PositiveIntegerField(_("target per month"), null=True, blank=True)
    target_conversion = models.PositiveSmallIntegerField(_("target conversion"), null=True, blank=True)
    time_limit_seconds = models.PositiveIntegerField(_("time limit"), null=True, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)
    # Leads up to this key were asked whether the criteria let them in; None: all of them were.
    checked_up_to = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["position", "code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(target_conversion__isnull=True)
                | models.Q(target_conversion__range=(1, 100)),
                name="stage_conversion_is_a_percentage",
            )
        ]

    def __str__(self) -> str:
        return self.name


class StageVersion(models.Model):
    """What a stage said in one of its versions, for the ledger names the version that moved a lead.

    Rows are never changed.
    """

    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="versions", db_index=False)
    version = models.PositiveIntegerField()
    document = models.JSONField()
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["stage", "-version"]
        constraints = [models.UniqueConstraint(fields=["stage", "version"], name="stage_version_once")]

    def __str__(self) -> str:
        return f"{self.stage_id} v{self.version}"


class MoveCause(models.TextChoices):
    """What moved the lead."""

    CAPTURED = "captured", _("Captured")
    QUALIFIED = "qualified", _("Met the definition")
    DELIVERED = "delivered", _("Delivered to sales")
    ACCEPTED = "accepted", _("Accepted by sales")
    RETURNED = "returned", _("Returned by sales")
    EXPIRED = "expired", _("Handoff expired")
    SALES_QUALIFIED = "sales_qualified", _("Need and budget recorded")
    CRITERIA = "criteria", _("Met the entry criteria")
    OPPORTUNITY = "opportunity", _("Opportunity opened")
    WON = "won", _("Opportunity won")
    LOST = "lost", _("Opportunity lost")
    NURTURED = "nurtured", _("Kept warm: fits, little interest yet")
    RE_ENTERED = "re_entered", _("Came back from nurture")
    MANUAL = "manual", _("Moved by hand")
    IMPORTED = "imported", _("Imported")
    MERGED = "merged", _("Merged with another lead")
    CORRECTION = "correction", _("Correction")


class StageTransition(models.Model):
    """One move of one lead. Rows are never changed: a correction is a new row."""

    lead = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="transitions", db_index=False)
    seq = models.PositiveIntegerField()
    from_stage = models.ForeignKey(
        Stage, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    to_stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="+", db_index=False)
    is_implied = models.BooleanField(default=False)
    cause = models.CharField(max_length=20, choices=MoveCause.choices)
    reason = models.CharField(max_length=500, blank=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    definition = models.ForeignKey(
        DefinitionVersion, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # Which version of the stage held when the lead came in; None: moved before stages had versions.
    stage_version = models.PositiveIntegerField(null=True)
    effective_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["lead", "seq"]
        constraints = [models.UniqueConstraint(fields=["lead", "seq"], name="stage_transition_seq_once")]
        indexes = [models.Index(fields=["to_stage", "effective_at"], name="stage_entries")]

    def __str__(self) -> str:
        return f"{self.lead_id}#{self.seq}"


class LeadStateQuerySet(models.QuerySet["LeadState"]):
    """Chainable verbs over states of leads."""

    def visible_to(self, user: User) -> LeadStateQuerySet:
        """Both teams read the same leads (R43); whoever may not view gets none."""
        return self.all() if user.may(Capability.VIEW) else self.none()


class LeadState(models.Model):
    """Where a lead stands: stage, high-water mark, owner. One row per lead; drives every list.

    ``captured_at`` is copied from the lead so that a list filtered by stage or owner and ordered by
    age is one index scan. Written only by ``funnel.services.lifecycle`` and ``.owners``.
    """

    lead = models.OneToOneField(Lead, primary_key=True, on_delete=models.CASCADE, related_name="state")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="+", db_index=False)
    high_water = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="+", db_index=False)
    entered_at = models.DateTimeField()
    seq = models.PositiveIntegerField()
    owner = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="owned_leads", db_index=False
    )
    assignment_seq = models.PositiveIntegerField(default=0)
    captured_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects: ClassVar[models.Manager[LeadState]] = LeadStateQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-captured_at", "-lead"], name="lead_list_newest"),
            models.Index(fields=["stage", "-captured_at", "-lead"], name="lead_list_by_stage"),
            models.Index(fields=["stage", "entered_at", "lead"], name="stage_longest_first"),
            models.Index(
                fields=["owner", "-captured_at", "-lead"],
                name="lead_list_by_owner",
                condition=models.Q(owner__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"state of {self.lead_id}"


class Assignment(models.Model):
    """One change of owner. Rows are never changed."""

    lead = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="assignments", db_index=False)
    seq = models.PositiveIntegerField()
    from_owner = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    to_owner = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=40)
    # Why this rep: ring, candidates and their pointers, as routing saw them.
    record = models.JSONField(default=dict)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        ordering = ["lead", "seq"]
        constraints = [models.UniqueConstraint(fields=["lead", "seq"], name="assignment_seq_once")]
        indexes = [models.Index(fields=["to_owner", "at"], name="assignments_of_owner")]

    def __str__(self) -> str:
        return f"{self.lead_id}#{self.seq}"
