"""An index for who has stood longest in a stage: the funnel board and its medians."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("funnel", "0028_roles_of_the_first_stages")]

    operations = [
        AddIndexConcurrently(
            model_name="leadstate",
            index=models.Index(fields=["stage", "entered_at", "lead"], name="stage_longest_first"),
        ),
    ]
