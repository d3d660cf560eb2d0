"""Room for the scores by a signed version, which are filled before it switches."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("funnel", "0031_interest_switches_at_once"),
    ]

    operations = [
        migrations.CreateModel(
            name="Filling",
            fields=[
                (
                    "definition",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="filling",
                        serialize=False,
                        to="funnel.definitionversion",
                    ),
                ),
                ("at_person", models.BigIntegerField(default=0)),
                ("at_lead", models.BigIntegerField(default=0)),
                ("done", models.PositiveBigIntegerField(default=0)),
                ("total", models.PositiveBigIntegerField(default=0)),
                ("is_full", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="NextInterest",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="leads.person",
                    ),
                ),
                (
                    "masses",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(), default=list, size=None
                    ),
                ),
                ("key", models.FloatField(null=True)),
                ("reheated_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="NextScore",
            fields=[
                (
                    "lead",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="leads.lead",
                    ),
                ),
                ("fit", models.FloatField()),
                ("fit_band", models.CharField(choices=[("A", "A"), ("B", "B"), ("C", "C")], max_length=1)),
                ("is_excluded", models.BooleanField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("fit__range", (0, 100))), name="next_fit_in_range"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="definitionversion",
            name="followed_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="funnel.definitionversion",
            ),
        ),
    ]
