from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("leads", "0022_mails_templates_and_reminders")]

    operations = [
        AddIndexConcurrently(
            "activity",
            models.Index(
                condition=models.Q(("done_at", None), ("kind", "task"), ("reminded_at", None)),
                fields=["due_at", "id"],
                name="activity_to_remind",
            ),
        ),
    ]
