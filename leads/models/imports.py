"""Runs of the file import."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.source import Source
from smarketing.core.models import Stamped
from smarketing.users.models import User


class ImportState(models.TextChoices):
    """How far a run came."""

    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class ImportRun(Stamped):
    """One file taken in: with which mapping, and what became of its rows."""

    kind = models.CharField(_("kind"), max_length=20)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="import_runs")
    file_name = models.CharField(_("file"), max_length=255)
    file_digest = models.CharField(max_length=64)
    mapping = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.RUNNING)
    actor = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    created_count = models.PositiveIntegerField(default=0)
    updated_count = models.PositiveIntegerField(default=0)
    unchanged_count = models.PositiveIntegerField(default=0)
    rejected_count = models.PositiveIntegerField(default=0)
    error_file = models.CharField(max_length=500, blank=True)
    notes = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["-started_at"], name="import_run_newest")]

    def __str__(self) -> str:
        return f"{self.kind} from {self.file_name}"
