"""Episodes of nurture and how the organisation keeps leads warm."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import smarketing.core.clock


class Migration(migrations.Migration):
    dependencies = [
        ("funnel", "0017_sort_deals_by_amount_name_and_dates"),
        ("leads", "0016_merges"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Nurture",
            fields=[
                ("created_at", models.DateTimeField(default=smarketing.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=smarketing.core.clock.now, editable=False)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "lead",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="nurture",
                        serialize=False,
                        to="leads.lead",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("active", "Kept warm"),
                            ("paused", "Paused: sales has taken over"),
                            ("ended", "Ended"),
                        ],
                        default="active",
                        max_length=8,
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("low_interest", "Fits, little interest yet"),
                            ("returned", "Returned by sales"),
                            ("overflow", "Above the agreed ceiling"),
                            ("manual", "By hand"),
                            ("imported", "Imported"),
                        ],
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("began_at", models.DateTimeField()),
                (
                    "gain_points",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="points to gain"),
                ),
                ("returns_at", models.DateTimeField(blank=True, null=True, verbose_name="comes back on")),
                ("gained_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="NurtureRule",
            fields=[
                ("created_at", models.DateTimeField(default=smarketing.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=smarketing.core.clock.now, editable=False)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=1, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "settle_days",
                    models.PositiveSmallIntegerField(default=7, verbose_name="days as a lead first"),
                ),
                ("gain_points", models.PositiveIntegerField(default=25, verbose_name="points to gain")),
                (
                    "return_days",
                    models.PositiveSmallIntegerField(default=90, verbose_name="comes back after days"),
                ),
                ("looked_at", models.DateTimeField(null=True)),
                ("looked_lead", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.AlterField(
            model_name="stagetransition",
            name="cause",
            field=models.CharField(
                choices=[
                    ("captured", "Captured"),
                    ("qualified", "Met the definition"),
                    ("delivered", "Delivered to sales"),
                    ("accepted", "Accepted by sales"),
                    ("returned", "Returned by sales"),
                    ("expired", "Handoff expired"),
                    ("sales_qualified", "Need and budget recorded"),
                    ("opportunity", "Opportunity opened"),
                    ("won", "Opportunity won"),
                    ("lost", "Opportunity lost"),
                    ("nurtured", "Kept warm: fits, little interest yet"),
                    ("re_entered", "Came back from nurture"),
                    ("manual", "Moved by hand"),
                    ("imported", "Imported"),
                    ("merged", "Merged with another lead"),
                    ("correction", "Correction"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="nurture",
            name="next_lead",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="leads.lead",
            ),
        ),
        migrations.AddField(
            model_name="nurture",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="nurturerule",
            constraint=models.CheckConstraint(condition=models.Q(("id", 1)), name="one_nurture_rule"),
        ),
        migrations.AddConstraint(
            model_name="nurturerule",
            constraint=models.CheckConstraint(
                condition=models.Q(("settle_days__gte", 1)), name="nurture_settles_a_day"
            ),
        ),
        migrations.AddIndex(
            model_name="nurture",
            index=models.Index(fields=["state", "-began_at", "-lead"], name="nurture_by_state"),
        ),
        migrations.AddIndex(
            model_name="nurture",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False), ("state", "active")),
                fields=["due_at", "lead"],
                name="nurture_due",
            ),
        ),
        migrations.AddIndex(
            model_name="nurture",
            index=models.Index(
                condition=models.Q(("state", "active")),
                fields=["owner", "-began_at"],
                name="nurture_of_owner",
            ),
        ),
        migrations.AddIndex(
            model_name="nurture",
            index=models.Index(
                condition=models.Q(("next_lead__isnull", False)),
                fields=["next_lead"],
                name="nurture_of_next_lap",
            ),
        ),
        migrations.AddConstraint(
            model_name="nurture",
            constraint=models.CheckConstraint(
                condition=models.Q(("gain_points", None), ("gain_points__gt", 0), _connector="OR"),
                name="nurture_gain_above_zero",
            ),
        ),
        migrations.AddConstraint(
            model_name="nurture",
            constraint=models.CheckConstraint(
                condition=models.Q(("ended_at", None), ("state", "ended"), _connector="XOR"),
                name="nurture_ended_with_instant",
            ),
        ),
    ]
