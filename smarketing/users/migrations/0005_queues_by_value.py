"""Reps' queues may be ordered by expected value."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0004_short_memory")]

    operations = [
        migrations.AddField(
            model_name="organisation",
            name="queue_by_value",
            field=models.BooleanField(default=False, verbose_name="queues by expected value"),
        ),
    ]
