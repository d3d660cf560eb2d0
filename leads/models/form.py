"""Forms on websites: their versions, what was sent through them, and how often they were seen."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.campaign import Campaign
from leads.models.lead import Lead
from leads.models.person import Person
from smarketing.core.models import Stamped, Versioned
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class FormQuerySet(models.QuerySet["Form"]):
    """Chainable verbs over forms."""

    def visible_to(self, user: User) -> FormQuerySet:
        """Both teams read the same records (R43); whoever may not view gets none."""
        return self.all() if user.may(Capability.VIEW) else self.none()


class Form(Stamped, Versioned):
    """A form: where it may stand, whom it tells, what its leads belong to. Fields are in its versions."""

    # In the address of the form. Public and revocable by switching the form off; no secret.
    key = models.CharField(max_length=32, unique=True, editable=False)
    # What programs made for HubSpot's forms call it.
    guid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120)
    is_active = models.BooleanField(_("takes answers"), default=True)
    campaign = models.ForeignKey(
        Campaign, null=True, blank=True, on_delete=models.SET_NULL, related_name="forms"
    )
    content = models.CharField(_("content"), max_length=200, blank=True)
    origin = models.CharField(_("origin of its leads"), max_length=120, blank=True)
    notify = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # Origins ("https://www.example.com") of the sites that may embed it and send to it; empty: any.
    sites = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    # Hosts that the answer may lead to.
    redirect_hosts = ArrayField(models.CharField(max_length=253), default=list, blank=True)
    min_seconds = models.PositiveSmallIntegerField(_("shortest time to fill it in"), default=2)

    objects: ClassVar[models.Manager[Form]] = FormQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["name", "id"], name="form_list_by_name")]

    def __str__(self) -> str:
        return self.name


class FormVersionState(models.TextChoices):
    """Where a version stands."""

    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    FORMER = "former", _("Former")


class FormVersion(Stamped, Versioned):
    """The fields and words of a form. A published one is never changed: answers refer to it."""

    form = models.ForeignKey(Form, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(max_length=10, choices=FormVersionState.choices, default=FormVersionState.DRAFT)
    layout = models.JSONField(default=dict)
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form", "number"], name="form_version_number_once"),
            models.UniqueConstraint(
                fields=["form"], condition=models.Q(state="published"), name="form_published_once"
            ),
            models.UniqueConstraint(
                fields=["form"], condition=models.Q(state="draft"), name="form_draft_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.form} v{self.number}"


class FormRoad(models.TextChoices):
    """How an answer reached us."""

    HOSTED = "hosted", _("Our page")
    EMBEDDED = "embedded", _("Embedded")
    HTML = "html", _("HTML of a website")
    JSON = "json", _("JSON")
    WEB_TO_LEAD = "web_to_lead", _("Web-to-Lead")
    HUBSPOT = "hubspot", _("HubSpot form")


class SubmissionState(models.TextChoices):
    """What became of an answer."""

    RECEIVED = "received", _("Received")
    APPLIED = "applied", _("Lead captured")
    QUARANTINED = "quarantined", _("In quarantine")
    DISCARDED = "discarded", _("Discarded")
    FAILED = "failed", _("Could not be used")


class FormSubmissionQuerySet(models.QuerySet["FormSubmission"]):
    """Chainable verbs over answers."""

    def visible_to(self, user: User) -> FormSubmissionQuerySet:
        """Both teams read the same records (R43); whoever may not view gets none."""
        return self.all() if user.may(Capability.VIEW) else self.none()


class FormSubmission(models.Model):
    """One answer, raw as it came, stored before the sender is answered; and what became of it."""

    form = models.ForeignKey(Form, on_delete=models.CASCADE, related_name="submissions", db_index=False)
    version = models.ForeignKey(FormVersion, null=True, on_delete=models.PROTECT, related_name="+")
    # The form as it was rendered, once: the same one sent twice is one answer.
    render_id = models.CharField(max_length=64)
    road = models.CharField(_("road"), max_length=12, choices=FormRoad.choices)
    state = models.CharField(_("state"), max_length=12, choices=SubmissionState.choices)
    # Why it is in quarantine or could not be used: a code of ``leads.domain.form_spam``, or a sentence.
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    raw = models.JSONField(_("answer"), default=dict)
    digest = models.CharField(max_length=64)
    received_at = models.DateTimeField(_("received"))
    network = models.CharField(_("network"), max_length=50, blank=True)
    ip_hash = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    page_url = models.CharField(_("page"), max_length=2000, blank=True)
    referrer = models.CharField(_("referrer"), max_length=2000, blank=True)
    anonymous_id = models.CharField(max_length=255, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    applied_at = models.DateTimeField(null=True)
    person = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="submissions")
    lead = models.ForeignKey(Lead, null=True, on_delete=models.SET_NULL, related_name="submissions")
    made_lead = models.BooleanField(default=False)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    objects: ClassVar[models.Manager[FormSubmission]] = FormSubmissionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form", "render_id"], name="submission_of_render_once")
        ]
        indexes = [
            models.Index(fields=["form", "-received_at", "-id"], name="submission_list"),
            models.Index(fields=["state", "-received_at", "-id"], name="submission_by_state"),
            models.Index(fields=["form", "digest", "-received_at"], name="submission_repeats"),
            # Read by the loop that applies what was left behind.
            models.Index(
                fields=["received_at"], condition=models.Q(state="received"), name="submission_todo"
            ),
        ]

    def __str__(self) -> str:
        return f"answer {self.pk}"


class FormDay(models.Model):
    """How often a form was shown on one UTC day; a counter, not a fact about anybody."""

    form = models.ForeignKey(Form, on_delete=models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()
    views = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["form", "day"], name="form_day_once")]

    def __str__(self) -> str:
        return f"{self.form_id} on {self.day}"
