"""Phonetic codes, by which names that sound alike are found (trusted since PostgreSQL 13)."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.operations import CreateExtension
from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar[list[tuple[str, str]]] = [("core", "0003_ledgers_yield_to_erasure")]
    operations: ClassVar = [CreateExtension("fuzzystrmatch")]
