"""Routing: rules that lead to a pool, the pool's rings, who is away, and the record of every choice."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from funnel.models.handoff import Handoff
from leads.models import Lead
from smarketing.core.models import Stamped, Versioned
from smarketing.users.domain.roles import Capability
from smarketing.users.models import Team, User


class ReturnPolicyChoices(models.TextChoices):
    """What becomes of turns missed while away (funnel.domain.rings has the arithmetic)."""

    RESET = "reset", _("Missed turns are gone")
    ACCRUE = "accrue", _("Every missed turn is owed")
    CAP = "cap", _("Some missed turns are owed, up to a number")


class Overflow(models.TextChoices):
    """What becomes of leads above the agreed ceiling."""

    NONE = "", _("They are delivered all the same")
    WAIT = "wait", _("They wait for the next period")
    NURTURE = "nurture", _("They go to nurture")
    POOL = "pool", _("They go to another pool")


class Pool(Stamped, Versioned):
    """Owners who share leads. Each band of leads has its own ring of them, so the mix is the same for all."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="pools")
    is_default = models.BooleanField(default=False)
    company_owner_first = models.BooleanField(_("whoever works with the company goes first"), default=True)
    keeps_hours = models.BooleanField(_("only in working hours"), default=False)
    return_policy = models.CharField(
        _("after an absence"),
        max_length=6,
        choices=ReturnPolicyChoices.choices,
        default=ReturnPolicyChoices.RESET,
    )
    owed_at_most = models.PositiveSmallIntegerField(_("at most turns owed"), default=3)
    hold_minutes = models.PositiveIntegerField(_("remind after minutes of waiting"), default=60)
    overflow = models.CharField(
        _("above the agreed ceiling"), max_length=7, choices=Overflow.choices, blank=True
    )
    overflow_pool = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="overflows"
    )

    class Meta:
        ordering = ["-is_default", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_pool"
            ),
            models.CheckConstraint(
                condition=~models.Q(overflow="pool") | models.Q(overflow_pool__isnull=False),
                name="overflow_names_its_pool",
            ),
            models.CheckConstraint(
                condition=~models.Q(overflow_pool=models.F("id")), name="overflow_goes_elsewhere"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PoolMember(models.Model):
    """An owner's place in a pool: share, limits, skills, and what is left in the token bucket.

    ``tokens`` are counted in units of ``funnel.domain.capacity``; ``tokens_at`` is null until the first
    lead was given under a capacity.
    """

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="pool_places")
    weight = models.PositiveSmallIntegerField(_("weight"), default=1)
    is_active = models.BooleanField(_("takes leads"), default=True)
    open_cap = models.PositiveIntegerField(_("at most open leads"), null=True, blank=True)
    capacity = models.PositiveIntegerField(_("leads in 30 days"), null=True, blank=True)
    tokens = models.BigIntegerField(default=0)
    tokens_at = models.DateTimeField(null=True)
    skills = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    last_assigned_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pool", "user"], name="pool_member_once"),
            models.CheckConstraint(condition=models.Q(weight__range=(1, 20)), name="pool_weight_in_range"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.pool_id}"


class Turn(models.Model):
    """A member's pointer in the ring of one band: the lowest is next, each lead adds STRIDE/weight."""

    member = models.ForeignKey(PoolMember, on_delete=models.CASCADE, related_name="turns", db_index=False)
    band = models.CharField(max_length=2)
    pointer = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "band"], name="turn_once")]

    def __str__(self) -> str:
        return f"{self.member_id} in {self.band}"


class RoutingRule(Stamped, Versioned):
    """The first rule whose conditions all hold sends a lead to its pool; below all is the default pool.

    ``conditions`` are those of a definition: [{"path", "operator", "value"}].
    """

    name = models.CharField(_("name"), max_length=120, unique=True)
    position = models.PositiveIntegerField(_("position"))
    is_active = models.BooleanField(_("in use"), default=True)
    conditions = models.JSONField(default=list)
    skills = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="rules")

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class Absence(models.Model):
    """A stretch in which an owner gets no leads, half-open; without an end until somebody says so."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="absences", db_index=False)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at=None) | models.Q(ends_at__gt=models.F("starts_at")),
                name="absence_ends_after_start",
            )
        ]
        indexes = [models.Index(fields=["user", "-starts_at"], name="absences_of_user")]

    def __str__(self) -> str:
        return f"{self.user_id} away from {self.starts_at:%Y-%m-%d}"


class DecisionQuerySet(models.QuerySet["RoutingDecision"]):
    """Chainable verbs over decisions."""

    def visible_to(self, user: User) -> DecisionQuerySet:
        """Both teams see why a lead went where it went."""
        return self.all() if user.may(Capability.VIEW) else self.none()


class RoutingDecision(models.Model):
    """Why this owner: the rule, the pool and ring, every candidate and what spoke against them.

    ``likelihood`` is the one known at the choice. ``credited_at`` says that the turn was given back for a
    return that stands.
    """

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="routing", db_index=False)
    handoff = models.ForeignKey(
        Handoff, null=True, on_delete=models.CASCADE, related_name="routing", db_index=False
    )
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    pool = models.ForeignKey(Pool, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    rule = models.ForeignKey(
        RoutingRule, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    band = models.CharField(max_length=2, blank=True)
    weight = models.PositiveSmallIntegerField(default=1)
    reason = models.CharField(max_length=20)
    candidates = models.JSONField(default=list)
    likelihood = models.FloatField(null=True)
    at = models.DateTimeField()
    credited_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[RoutingDecision]] = DecisionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["lead", "-id"], name="decisions_of_lead"),
            models.Index(fields=["handoff", "-id"], name="decisions_of_handoff"),
            models.Index(fields=["pool", "at", "id"], name="decisions_of_pool"),
            models.Index(fields=["-at", "-id"], name="decisions_newest"),
        ]

    def __str__(self) -> str:
        return f"lead {self.lead_id} to {self.owner_id}"
