from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """What stands on the timeline by itself, found without walking over the pages of visits."""

    atomic = False

    dependencies = [
        ("leads", "0009_duplicates"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                condition=models.Q(
                    ("visitor", None),
                    ("kind__in", ["form", "identify", "email_open", "email_click"]),
                    _connector="OR",
                ),
                fields=["person", "-occurred_at", "-id"],
                name="event_outside_visits",
            ),
        ),
    ]
