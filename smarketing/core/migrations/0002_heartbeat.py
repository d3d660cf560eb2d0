"""The one table of the kernel: signs of life (docs/adr/0001)."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar[list[tuple[str, str]]] = [("core", "0001_extensions")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("beat_at", models.DateTimeField()),
                ("clock_offset_seconds", models.FloatField(null=True)),
                ("held_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "core_heartbeat"},
        ),
    ]
