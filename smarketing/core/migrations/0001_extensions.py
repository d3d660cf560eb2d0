"""Extensions of PostgreSQL that indexes of the apps rely on (all trusted since 13)."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.operations import BtreeGistExtension, TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar[list[tuple[str, str]]] = []
    operations: ClassVar = [TrigramExtension(), BtreeGistExtension()]
