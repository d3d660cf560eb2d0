"""Rounds of the blind questionnaire and what people answered."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("funnel", "0013_definitions_wait_and_are_discussed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Questionnaire",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quorum", models.PositiveSmallIntegerField()),
                ("items", models.JSONField()),
                ("cases", models.JSONField()),
                ("started_at", models.DateTimeField()),
                ("revealed_at", models.DateTimeField(null=True)),
                ("kappa", models.FloatField(null=True)),
                ("agreement", models.FloatField(null=True)),
                (
                    "definition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="funnel.definitionversion",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="QuestionnaireAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "side",
                    models.CharField(choices=[("marketing", "Marketing"), ("sales", "Sales")], max_length=12),
                ),
                ("words", models.JSONField()),
                ("ratings", models.JSONField()),
                ("labels", models.JSONField()),
                ("answered_at", models.DateTimeField()),
                (
                    "questionnaire",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="answers",
                        to="funnel.questionnaire",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="questionnaire",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revealed_at", None)),
                fields=("revealed_at",),
                name="one_questionnaire_open",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="questionnaireanswer",
            constraint=models.UniqueConstraint(
                fields=("questionnaire", "user"), name="questionnaire_answered_once"
            ),
        ),
    ]
