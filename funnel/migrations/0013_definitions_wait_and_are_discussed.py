"""Definitions that wait signed for their day, and what is said about them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Both have signed it: until its day only its state may change (or it is taken back and is a draft again).
FORWARD = """
CREATE TRIGGER funnel_definition_waits BEFORE UPDATE ON funnel_definitionversion
  FOR EACH ROW WHEN (OLD.state = 'signed' AND (
    OLD.body IS DISTINCT FROM NEW.body OR OLD.digest IS DISTINCT FROM NEW.digest))
  EXECUTE FUNCTION funnel_definition_stays();
"""
BACKWARD = "DROP TRIGGER funnel_definition_waits ON funnel_definitionversion;"


class Migration(migrations.Migration):
    dependencies = [
        ("funnel", "0012_stage_of_merged_laps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DefinitionComment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("part", models.CharField(blank=True, max_length=20)),
                ("text", models.TextField(verbose_name="comment")),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["definition", "id"],
            },
        ),
        migrations.AlterField(
            model_name="definitionversion",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("proposed", "Proposed"),
                    ("signed", "Signed, not in force yet"),
                    ("in_force", "In force"),
                    ("retired", "Retired"),
                ],
                default="draft",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="definitionversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "signed")), fields=("state",), name="one_definition_waits"
            ),
        ),
        migrations.AddField(
            model_name="definitioncomment",
            name="author",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="definitioncomment",
            name="definition",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="comments",
                to="funnel.definitionversion",
            ),
        ),
        migrations.AddIndex(
            model_name="definitioncomment",
            index=models.Index(fields=["definition", "id"], name="comments_of_definition"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
