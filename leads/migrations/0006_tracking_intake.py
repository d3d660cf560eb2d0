"""Tables of the tracking intake: keys, inbox, dead letters, counters."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import smarketing.core.clock

# Rows come and go all the time: free space on each page, and vacuum that keeps up. The body of an event is at
# most 32 KB as it is sent; what is derived from it and the blanks that jsonb prints come on top.
_STORAGE = """
ALTER TABLE leads_eventinbox SET
    (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE leads_eventinbox ADD CONSTRAINT event_inbox_body_bounded CHECK (octet_length(body::text) <= 131072);
ALTER TABLE leads_eventinbox ADD CONSTRAINT event_inbox_tries CHECK (attempts <= 5);
ALTER TABLE leads_writekeyuse SET (fillfactor = 50);
ALTER TABLE leads_intakecount SET (fillfactor = 50);
ALTER TABLE leads_inboxminute SET (fillfactor = 50);
"""
_BACK = """
ALTER TABLE leads_eventinbox RESET
    (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_cost_delay);
ALTER TABLE leads_eventinbox DROP CONSTRAINT event_inbox_body_bounded;
ALTER TABLE leads_eventinbox DROP CONSTRAINT event_inbox_tries;
ALTER TABLE leads_writekeyuse RESET (fillfactor);
ALTER TABLE leads_intakecount RESET (fillfactor);
ALTER TABLE leads_inboxminute RESET (fillfactor);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0005_visitors_and_identity"),
    ]

    operations = [
        migrations.CreateModel(
            name="DaySalt",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("salt", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name="InboxMinute",
            fields=[
                ("minute_at", models.DateTimeField(primary_key=True, serialize=False)),
                ("applied", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="WriteKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(default=smarketing.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=smarketing.core.clock.now, editable=False)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[("browser", "Browser"), ("server", "Server")],
                        default="browser",
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("public_key", models.CharField(blank=True, editable=False, max_length=60)),
                ("prefix", models.CharField(editable=False, max_length=12)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                (
                    "origins",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), blank=True, default=list, size=None
                    ),
                ),
                ("per_minute", models.PositiveIntegerField(default=60000, verbose_name="events a minute")),
                ("consent_category", models.CharField(blank=True, max_length=60, verbose_name="consent")),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="write_keys",
                        to="leads.source",
                    ),
                ),
            ],
            options={
                "ordering": ["source", "pk"],
            },
        ),
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("origin", models.CharField(max_length=20)),
                ("message_id", models.UUIDField(unique=True)),
                ("source_id", models.BigIntegerField()),
                ("body", models.JSONField()),
                ("attempts", models.PositiveSmallIntegerField()),
                ("error", models.TextField()),
                ("received_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                ("discarded_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["-created_at", "-id"], name="dead_letter_newest")],
            },
        ),
        migrations.CreateModel(
            name="InboxStop",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("stopped_at", models.DateTimeField()),
                ("resumed_at", models.DateTimeField(blank=True, null=True)),
                ("failing", models.PositiveIntegerField()),
                ("applied", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.Value(1), condition=models.Q(("resumed_at", None)), name="inbox_stopped_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WriteKeyUse",
            fields=[
                (
                    "key",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="use",
                        serialize=False,
                        to="leads.writekey",
                    ),
                ),
                ("last_seen_at", models.DateTimeField()),
                ("minute_at", models.DateTimeField()),
                ("events", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="EventInbox",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("message_id", models.UUIDField(unique=True)),
                ("kind", models.CharField(max_length=12)),
                ("occurred_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("body", models.JSONField()),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("not_before", models.DateTimeField()),
                ("last_error", models.TextField(blank=True)),
                (
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="leads.source",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["not_before", "id"], name="event_inbox_todo")],
            },
        ),
        migrations.CreateModel(
            name="IntakeCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("outcome", models.CharField(max_length=40)),
                ("events", models.BigIntegerField(default=0)),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="leads.source",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "source", "outcome"), name="intake_count_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.RunSQL(_STORAGE, _BACK),
    ]
