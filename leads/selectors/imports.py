"""Runs of the import as lists and pages show them."""

from __future__ import annotations

from django.db.models import QuerySet

from leads.models import ImportRun, Source, SourceKind
from smarketing.users.models import User


def listed(user: User) -> QuerySet[ImportRun]:
    """The runs a user may see, with source and actor."""
    return ImportRun.objects.visible_to(user).select_related("source", "actor")


def sources() -> list[str]:
    """Names of the systems that files have come from, to choose from."""
    return list(Source.objects.filter(kind=SourceKind.IMPORT).order_by("name").values_list("name", flat=True))


def same_file(run: ImportRun, user: User) -> ImportRun | None:
    """An earlier run that took in exactly this file as the same kind, if there is one."""
    earlier = listed(user).filter(kind=run.kind, file_digest=run.file_digest, finished_at__isnull=False)
    return earlier.exclude(pk=run.pk).filter(state="done").order_by("-pk").first()
