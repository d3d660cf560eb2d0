"""Rounds of the questionnaire end by a day or are cancelled."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("funnel", "0023_leads_to_score_anew"),
    ]

    operations = [
        migrations.AddField(
            model_name="questionnaire",
            name="cancelled_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="questionnaire",
            name="closes_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="questionnaire",
            name="due_told_at",
            field=models.DateTimeField(null=True),
        ),
    ]
