"""The index of those who came back after cooling."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("funnel", "0021_hot_people_and_companies")]

    operations = [
        AddIndexConcurrently(
            model_name="interest",
            index=models.Index(
                fields=["-reheated_at", "person"],
                name="interest_reheated",
                condition=models.Q(("reheated_at__isnull", False)),
            ),
        )
    ]
