"""Runs of the file import: a file, how it is taken in, how far it came, and what it changed."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.source import Source
from smarketing.core.models import Stamped
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class ImportState(models.TextChoices):
    """How far a run came."""

    UPLOADED = "uploaded", _("Uploaded")
    CHECKING = "checking", _("Being checked")
    CHECKED = "checked", _("Checked")
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")


# What a process has to do; everything else waits for a person, or is over.
DUE = (ImportState.CHECKING, ImportState.WAITING, ImportState.RUNNING, ImportState.UNDOING)


class ImportRunQuerySet(models.QuerySet["ImportRun"]):
    """Chainable verbs over runs."""

    def visible_to(self, user: User) -> ImportRunQuerySet:
        """Whoever may import sees all runs, but those of users only who may manage users."""
        if not user.may(Capability.IMPORT):
            return self.none()
        return self if user.may(Capability.MANAGE_USERS) else self.exclude(kind="users")

    def due(self) -> ImportRunQuerySet:
        """Runs that a process has to take up, the oldest first."""
        return self.filter(state__in=DUE).order_by("pk")


class ImportRun(Stamped):
    """One file taken in: with which mapping, and what became of its rows.

    ``choices`` is how the file is to be read (encoding, delimiter, sheet, what each column is, key,
    order of dates), ``corrections`` the cells that a person has mended and the rows they left out,
    ``check_report`` what the last dry run told.
    """

    kind = models.CharField(_("kind"), max_length=20)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="import_runs")
    file_name = models.CharField(_("file"), max_length=255)
    file_digest = models.CharField(max_length=64)
    # The name below HOME/imports/files; "" when there was no upload or the file has been removed.
    stored_file = models.CharField(max_length=64, blank=True)
    file_size = models.PositiveBigIntegerField(default=0)
    header = models.JSONField(default=list)
    sheets = models.JSONField(default=list)
    choices = models.JSONField(default=dict)
    corrections = models.JSONField(default=dict)
    check_report = models.JSONField(null=True)
    mapping = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.RUNNING)
    actor = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    rows_total = models.PositiveIntegerField(default=0)
    rows_read = models.PositiveIntegerField(default=0)
    # How often a process has taken it up since a person last asked; one that kills its process ends so.
    attempts = models.PositiveSmallIntegerField(default=0)
    is_cancelled = models.BooleanField(default=False)
    problem = models.TextField(blank=True)
    created_count = models.PositiveIntegerField(default=0)
    updated_count = models.PositiveIntegerField(default=0)
    unchanged_count = models.PositiveIntegerField(default=0)
    rejected_count = models.PositiveIntegerField(default=0)
    error_file = models.CharField(max_length=500, blank=True)
    notes = models.JSONField(default=list)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    undo_report = models.JSONField(null=True)

    objects: ClassVar[models.Manager[ImportRun]] = ImportRunQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-started_at"], name="import_run_newest"),
            models.Index(fields=["id"], name="import_run_due", condition=models.Q(state__in=DUE)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} from {self.file_name}"


class ImportMapping(Stamped):
    """What the columns of files with this header were, the last time one came from this source."""

    kind = models.CharField(_("kind"), max_length=20)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+", db_index=False)
    header_digest = models.CharField(max_length=64)
    choices = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "kind", "header_digest"], name="import_mapping_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.source}"


class ImportTrace(models.Model):
    """Ids of the rows that a run has made in one table, some thousand at a time."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="traces")
    table = models.CharField(max_length=63)
    ids = ArrayField(models.BigIntegerField())

    def __str__(self) -> str:
        return f"{len(self.ids)} of {self.table}"


class ImportBefore(models.Model):
    """What a run has changed of a row that it found: only the columns that differ."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="befores", db_index=False)
    table = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    before = models.JSONField()
    after = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "table", "row_id"], name="import_before_once")]

    def __str__(self) -> str:
        return f"{self.table} {self.row_id}"
