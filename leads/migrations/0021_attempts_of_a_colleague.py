from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Whom a colleague tried to reach in a period, found without reading everybody's timeline."""

    atomic = False

    dependencies = [
        ("leads", "0020_past_visits_judged_anew"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="activity",
            index=models.Index(
                condition=models.Q(
                    ("direction", "outbound"),
                    ("is_automated", False),
                    ("kind__in", ["call", "mail", "meeting"]),
                ),
                fields=["actor", "occurred_at"],
                include=("person",),
                name="activity_attempts_of_actor",
            ),
        ),
    ]
