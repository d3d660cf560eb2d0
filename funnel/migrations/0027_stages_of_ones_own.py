"""Stages that an organisation adds, orders and takes out of use; what each said in each version."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from smarketing.core.triggers import append_only

CAUSES = [
    ("captured", "Captured"),
    ("qualified", "Met the definition"),
    ("delivered", "Delivered to sales"),
    ("accepted", "Accepted by sales"),
    ("returned", "Returned by sales"),
    ("expired", "Handoff expired"),
    ("sales_qualified", "Need and budget recorded"),
    ("criteria", "Met the entry criteria"),
    ("opportunity", "Opportunity opened"),
    ("won", "Opportunity won"),
    ("lost", "Opportunity lost"),
    ("nurtured", "Kept warm: fits, little interest yet"),
    ("re_entered", "Came back from nurture"),
    ("manual", "Moved by hand"),
    ("imported", "Imported"),
    ("merged", "Merged with another lead"),
    ("correction", "Correction"),
]
ROLES = [
    ("anonymous", "Before we know who it is"),
    ("main", "A step of the road"),
    ("won", "The end of the road"),
    ("parking", "Beside the road: the lead comes back"),
    ("closed", "The end of the episode"),
]


def stage_field(name, field):
    return migrations.AddField(model_name="stage", name=name, field=field)


class Migration(migrations.Migration):
    dependencies = [
        ("funnel", "0026_appeals_against_returns"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        stage_field("role", models.CharField(choices=ROLES, default="main", max_length=9)),
        stage_field(
            "reached_from",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="funnel.stage"
            ),
        ),
        stage_field("by_hand", models.BooleanField(default=True)),
        stage_field("is_builtin", models.BooleanField(default=False)),
        stage_field("counts_as", models.CharField(default="", max_length=40)),
        stage_field("rule", models.JSONField(default=list, verbose_name="entry criteria")),
        stage_field(
            "target_conversion",
            models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="target conversion"),
        ),
        stage_field("checked_up_to", models.BigIntegerField(null=True)),
        migrations.AddConstraint(
            model_name="stage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("target_conversion__isnull", True),
                    ("target_conversion__range", (1, 100)),
                    _connector="OR",
                ),
                name="stage_conversion_is_a_percentage",
            ),
        ),
        migrations.AddField(
            model_name="stagetransition",
            name="stage_version",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="stagetransition",
            name="cause",
            field=models.CharField(choices=CAUSES, max_length=20),
        ),
        migrations.CreateModel(
            name="StageVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                ("document", models.JSONField()),
                ("created_at", models.DateTimeField()),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "stage",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="funnel.stage",
                    ),
                ),
            ],
            options={"ordering": ["stage", "-version"]},
        ),
        migrations.AddConstraint(
            model_name="stageversion",
            constraint=models.UniqueConstraint(fields=("stage", "version"), name="stage_version_once"),
        ),
        append_only("funnel_stageversion"),
    ]
