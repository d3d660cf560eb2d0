"""The record of an erasure, and how long each class of data is kept."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import smarketing.core.clock


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0011_channel_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RetentionRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(default=smarketing.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=smarketing.core.clock.now, editable=False)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("data_class", models.CharField(max_length=40, unique=True)),
                ("days", models.PositiveIntegerField(blank=True, null=True, verbose_name="days")),
                ("last_run_at", models.DateTimeField(null=True)),
                ("last_removed", models.PositiveIntegerField(default=0)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("asked_at", models.DateTimeField(verbose_name="asked")),
                ("reason", models.CharField(max_length=200, verbose_name="why")),
                ("counts", models.JSONField(default=dict, verbose_name="rows changed")),
                ("needles", models.TextField(blank=True)),
                ("swept_at", models.DateTimeField(null=True, verbose_name="swept")),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="erasure", to="leads.person"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("swept_at", None)), fields=["asked_at"], name="erasure_todo"
                    )
                ],
            },
        ),
    ]
