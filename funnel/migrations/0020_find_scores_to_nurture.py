"""The index by which the loop of nurture reads on from where it was."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("funnel", "0019_keep_present_leads_warm")]

    operations = [
        AddIndexConcurrently(
            model_name="leadscore",
            index=models.Index(
                fields=["evaluated_at", "lead"],
                name="scores_to_nurture",
                condition=models.Q(("action", "nurture")),
            ),
        )
    ]
