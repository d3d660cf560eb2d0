"""Append-only tables may be changed by a transaction that has opened them for an erasure."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from smarketing.core.triggers import NO_CHANGE


class Migration(migrations.Migration):
    dependencies: ClassVar[list[tuple[str, str]]] = [("core", "0002_heartbeat")]
    operations: ClassVar = [migrations.RunSQL(NO_CHANGE, migrations.RunSQL.noop)]
