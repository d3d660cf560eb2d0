"""Alerts: what a user asked to be told, what happened since, and how soon somebody reacted."""

from __future__ import annotations

from datetime import time
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.utils.translation import gettext_lazy as _

from funnel.domain.alerts import Subject, Trigger
from funnel.models.stage import Stage
from leads.models import Company, Person
from smarketing.core.models import Stamped, Versioned
from smarketing.users.models import User
from smarketing.web.models import SavedView


class SubjectChoices(models.TextChoices):
    """Whom an alert is about."""

    PERSON = Subject.PERSON.value, _("One person")
    COMPANY = Subject.COMPANY.value, _("Anybody of a company")
    STAGE = Subject.STAGE.value, _("Anybody in a stage")
    SEGMENT = Subject.SEGMENT.value, _("Anybody in a saved view of leads")
    MINE = Subject.MINE.value, _("Anybody whose lead I own")


class TriggerChoices(models.TextChoices):
    """What an alert waits for."""

    PAGE = Trigger.PAGE.value, _("visits a page")
    ACTION = Trigger.ACTION.value, _("does an action")
    FORM = Trigger.FORM.value, _("submits a form")
    EMAIL_CLICK = Trigger.EMAIL_CLICK.value, _("clicks a link in an e-mail")
    RETURN = Trigger.RETURN.value, _("comes back after days away")


class AlertDelivery(models.TextChoices):
    """How a user is told."""

    APP = "app", _("In the product, at once")
    MAIL = "mail", _("In the product and by e-mail, at once")
    DIGEST = "digest", _("Once a day, in one e-mail")


class AlertQuerySet(models.QuerySet["Alert"]):
    """Chainable verbs over alerts."""

    def visible_to(self, user: User) -> AlertQuerySet:
        """One's own: an alert is nobody else's business."""
        return self.filter(user=user)

    def running(self) -> AlertQuerySet:
        """Those that were not stopped."""
        return self.filter(stopped_at=None)


class Alert(Stamped, Versioned):
    """One wish to be told. ``subject_key`` and ``trigger_key`` are what events find it by."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="alerts", db_index=False)
    subject = models.CharField(_("who"), max_length=10, choices=SubjectChoices.choices)
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    company = models.ForeignKey(Company, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    stage = models.ForeignKey(Stage, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    segment = models.ForeignKey(SavedView, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    trigger = models.CharField(_("does what"), max_length=12, choices=TriggerChoices.choices)
    pattern = models.CharField(_("page"), max_length=200, blank=True)
    name = models.CharField(_("name"), max_length=255, blank=True)
    conditions = models.JSONField(_("conditions"), default=list, blank=True)
    after_days = models.PositiveSmallIntegerField(_("days away"), null=True, blank=True)
    delivery = models.CharField(_("tell me"), max_length=6, choices=AlertDelivery.choices, default="app")
    repeat_after_seconds = models.PositiveIntegerField(_("not again within"), default=86_400)
    snoozed_until = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    subject_key = models.CharField(max_length=40, editable=False)
    trigger_key = models.CharField(max_length=280, editable=False)

    objects: ClassVar[models.Manager[Alert]] = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="alert_has_its_subject",
                condition=models.Q(
                    subject="person", person__isnull=False, company=None, stage=None, segment=None
                )
                | models.Q(subject="company", company__isnull=False, person=None, stage=None, segment=None)
                | models.Q(subject="stage", stage__isnull=False, person=None, company=None, segment=None)
                | models.Q(subject="segment", segment__isnull=False, person=None, company=None, stage=None)
                | models.Q(subject="mine", person=None, company=None, stage=None, segment=None),
            )
        ]
        indexes = [
            # Read for each batch of events: who waits for this, of this person?
            models.Index(
                fields=["subject_key", "trigger_key"],
                name="alert_lookup",
                condition=models.Q(stopped_at=None),
            ),
            models.Index(fields=["user", "-id"], name="alert_list_of_user"),
        ]

    def __str__(self) -> str:
        return f"alert {self.pk}"


class AlertHit(models.Model):
    """What an alert waited for has happened. ``window`` is the stretch in which it is told only once."""

    # What was told about a record stays with it.
    follows_merges = False

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="hits", db_index=False)
    # The alert's user, so that all one was told is one index scan.
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+", db_index=False)
    # Not a foreign key: events leave by retention, what was told stays.
    event_id = models.UUIDField()
    what = models.CharField(max_length=300)
    occurred_at = models.DateTimeField()
    window = DateTimeRangeField()
    raised_at = models.DateTimeField()
    tell_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    # The first human attempt by anybody after the hit: alert → contact is measured between them.
    contacted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="alert_hit_once_per_window",
                expressions=[
                    ("alert", RangeOperators.EQUAL),
                    ("person", RangeOperators.EQUAL),
                    ("window", RangeOperators.OVERLAPS),
                ],
            )
        ]
        indexes = [
            models.Index(fields=["alert", "-raised_at", "-id"], name="alert_hits_newest"),
            models.Index(fields=["user", "-raised_at", "-id"], name="alert_hits_of_user"),
            models.Index(fields=["person", "-raised_at"], name="alert_hits_of_person"),
            models.Index(fields=["tell_at"], name="alert_hits_to_tell", condition=models.Q(told_at=None)),
        ]

    def __str__(self) -> str:
        return self.what


class AlertHours(models.Model):
    """When a user does not want to be told, and when the daily digest comes; on their wall clock."""

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="alert_hours")
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    digest_at = models.TimeField(_("daily digest at"), default=time(8))

    class Meta:
        verbose_name_plural = "alert hours"
        constraints = [
            models.CheckConstraint(
                name="alert_quiet_has_both_ends",
                condition=models.Q(quiet_from=None, quiet_until=None)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"alert hours of {self.user_id}"
