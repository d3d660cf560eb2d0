"""Leads whose score rests on what became of others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("funnel", "0022_find_who_came_back"),
    ]

    operations = [
        migrations.CreateModel(
            name="ScoreMark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("lead_id", models.BigIntegerField()),
            ],
        ),
    ]
