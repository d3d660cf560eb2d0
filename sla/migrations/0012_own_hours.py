"""A rep may have a calendar of their own."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import smarketing.core.clock


class Migration(migrations.Migration):
    dependencies = [
        ("sla", "0011_weekly_meeting"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OwnHours",
            fields=[
                ("created_at", models.DateTimeField(default=smarketing.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=smarketing.core.clock.now, editable=False)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="own_hours",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "calendar",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="people", to="sla.calendar"
                    ),
                ),
            ],
            options={"verbose_name_plural": "own hours"},
        ),
    ]
