"""Forms with their versions, the answers to them, and how often they were shown."""

from __future__ import annotations

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import smarketing.core.clock


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0007_find_leads_of_an_import"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Form",
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
                ("key", models.CharField(editable=False, max_length=32, unique=True)),
                ("guid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("is_active", models.BooleanField(default=True, verbose_name="takes answers")),
                ("content", models.CharField(blank=True, max_length=200, verbose_name="content")),
                ("origin", models.CharField(blank=True, max_length=120, verbose_name="origin of its leads")),
                (
                    "sites",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=300), blank=True, default=list, size=None
                    ),
                ),
                (
                    "redirect_hosts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=253), blank=True, default=list, size=None
                    ),
                ),
                (
                    "min_seconds",
                    models.PositiveSmallIntegerField(default=2, verbose_name="shortest time to fill it in"),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="forms",
                        to="leads.campaign",
                    ),
                ),
                (
                    "notify",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FormDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("views", models.PositiveIntegerField(default=0)),
                (
                    "form",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="days",
                        to="leads.form",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FormVersion",
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
                ("number", models.PositiveIntegerField(verbose_name="version")),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "Draft"), ("published", "Published"), ("former", "Former")],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("layout", models.JSONField(default=dict)),
                ("published_at", models.DateTimeField(null=True)),
                (
                    "form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="leads.form"
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FormSubmission",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("render_id", models.CharField(max_length=64)),
                (
                    "road",
                    models.CharField(
                        choices=[
                            ("hosted", "Our page"),
                            ("embedded", "Embedded"),
                            ("html", "HTML of a website"),
                            ("json", "JSON"),
                            ("web_to_lead", "Web-to-Lead"),
                            ("hubspot", "HubSpot form"),
                        ],
                        max_length=12,
                        verbose_name="road",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("applied", "Lead captured"),
                            ("quarantined", "In quarantine"),
                            ("discarded", "Discarded"),
                            ("failed", "Could not be used"),
                        ],
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                ("raw", models.JSONField(default=dict, verbose_name="answer")),
                ("digest", models.CharField(max_length=64)),
                ("received_at", models.DateTimeField(verbose_name="received")),
                ("network", models.CharField(blank=True, max_length=50, verbose_name="network")),
                ("ip_hash", models.CharField(blank=True, max_length=64)),
                ("user_agent", models.CharField(blank=True, max_length=300)),
                ("page_url", models.CharField(blank=True, max_length=2000, verbose_name="page")),
                ("referrer", models.CharField(blank=True, max_length=2000, verbose_name="referrer")),
                ("anonymous_id", models.CharField(blank=True, max_length=255)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("applied_at", models.DateTimeField(null=True)),
                ("made_lead", models.BooleanField(default=False)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "form",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="submissions",
                        to="leads.form",
                    ),
                ),
                (
                    "lead",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="submissions",
                        to="leads.lead",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="submissions",
                        to="leads.person",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="leads.formversion",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="form",
            index=models.Index(fields=["name", "id"], name="form_list_by_name"),
        ),
        migrations.AddConstraint(
            model_name="formday",
            constraint=models.UniqueConstraint(fields=("form", "day"), name="form_day_once"),
        ),
        migrations.AddConstraint(
            model_name="formversion",
            constraint=models.UniqueConstraint(fields=("form", "number"), name="form_version_number_once"),
        ),
        migrations.AddConstraint(
            model_name="formversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "published")), fields=("form",), name="form_published_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="formversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "draft")), fields=("form",), name="form_draft_once"
            ),
        ),
        migrations.AddIndex(
            model_name="formsubmission",
            index=models.Index(fields=["form", "-received_at", "-id"], name="submission_list"),
        ),
        migrations.AddIndex(
            model_name="formsubmission",
            index=models.Index(fields=["state", "-received_at", "-id"], name="submission_by_state"),
        ),
        migrations.AddIndex(
            model_name="formsubmission",
            index=models.Index(fields=["form", "digest", "-received_at"], name="submission_repeats"),
        ),
        migrations.AddIndex(
            model_name="formsubmission",
            index=models.Index(
                condition=models.Q(("state", "received")), fields=["received_at"], name="submission_todo"
            ),
        ),
        migrations.AddConstraint(
            model_name="formsubmission",
            constraint=models.UniqueConstraint(
                fields=("form", "render_id"), name="submission_of_render_once"
            ),
        ),
    ]
