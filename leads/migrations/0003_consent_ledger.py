"""The consent ledger, the wordings it refers to, and the addresses of erased persons as hashes."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import smarketing.core.clock
from smarketing.core.triggers import append_only

# (code, name, what people read, channel)
_PURPOSES = [
    ("processing", "Answering my request", "You may store and use what I entered to answer my request.", ""),
    ("newsletter", "Newsletter", "The newsletter by e-mail, about once a month.", "email"),
    ("offers", "News and offers by e-mail", "News about products, events and offers by e-mail.", "email"),
    ("calls", "Advice by phone", "You may call me about products and offers.", "phone"),
]


def _put_in(apps: Any, schema_editor: Any) -> None:
    purpose = apps.get_model("leads", "Purpose")
    purpose.objects.bulk_create(
        [
            purpose(code=code, name=name, description=words, channel=channel, position=position)
            for position, (code, name, words, channel) in enumerate(_PURPOSES)
        ],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0002_channels_and_sources"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Purpose",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(default=smarketing.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=smarketing.core.clock.now, editable=False)),
                ("code", models.SlugField(max_length=40, unique=True, verbose_name="code")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "description",
                    models.CharField(blank=True, max_length=500, verbose_name="what people read"),
                ),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("email", "E-mail"),
                            ("phone", "Phone"),
                            ("sms", "Text message"),
                            ("post", "Post"),
                        ],
                        max_length=8,
                        verbose_name="channel",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="in use")),
                ("position", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "ordering": ["position", "code"],
            },
        ),
        migrations.CreateModel(
            name="ConsentText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("text", models.TextField(verbose_name="text")),
                ("created_at", models.DateTimeField()),
                (
                    "purpose",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="texts", to="leads.purpose"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ConsentEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=320, verbose_name="address")),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("email", "E-mail"),
                            ("phone", "Phone"),
                            ("sms", "Text message"),
                            ("post", "Post"),
                        ],
                        max_length=8,
                        verbose_name="channel",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting for confirmation"),
                            ("granted", "Granted"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("source", models.CharField(max_length=60, verbose_name="source")),
                ("occurred_at", models.DateTimeField(verbose_name="when")),
                ("recorded_at", models.DateTimeField(verbose_name="recorded")),
                ("network", models.CharField(blank=True, max_length=50, verbose_name="network")),
                ("ip_hash", models.CharField(blank=True, max_length=64)),
                ("evidence", models.JSONField(default=dict, verbose_name="evidence")),
                ("dedupe_key", models.CharField(max_length=120, null=True, unique=True)),
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
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to="leads.person",
                    ),
                ),
                (
                    "text",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="leads.consenttext",
                    ),
                ),
                (
                    "purpose",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="leads.purpose",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "consent entries",
            },
        ),
        migrations.CreateModel(
            name="SuppressedAddress",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=8)),
                ("hash", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "suppressed addresses",
                "constraints": [models.UniqueConstraint(fields=("kind", "hash"), name="suppressed_once")],
            },
        ),
        migrations.AddConstraint(
            model_name="consenttext",
            constraint=models.UniqueConstraint(fields=("purpose", "number"), name="consent_text_number_once"),
        ),
        migrations.AddIndex(
            model_name="consententry",
            index=models.Index(fields=["person", "-occurred_at", "-id"], name="consent_timeline"),
        ),
        migrations.AddIndex(
            model_name="consententry",
            index=models.Index(
                condition=models.Q(("address", ""), _negated=True),
                fields=["address", "-occurred_at"],
                name="consent_by_address",
            ),
        ),
        migrations.AddConstraint(
            model_name="consententry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("purpose__isnull", False), models.Q(("channel", ""), _negated=True), _connector="OR"
                ),
                name="consent_about_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="consententry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("person__isnull", False), models.Q(("address", ""), _negated=True), _connector="OR"
                ),
                name="consent_of_somebody",
            ),
        ),
        # A merge gives entries to another person; deleting a user takes the name of who recorded.
        append_only("leads_consententry", mutable_columns=("person_id", "actor_id")),
        append_only("leads_consenttext"),
        migrations.RunPython(_put_in, migrations.RunPython.noop),
    ]
