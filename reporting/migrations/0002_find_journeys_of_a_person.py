from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("reporting", "0001_journey")]

    operations = [
        AddIndexConcurrently("journey", models.Index(fields=["person"], name="journey_of_person")),
        AddIndexConcurrently(
            "journey",
            models.Index(
                fields=["company"],
                name="journey_of_company",
                condition=models.Q(("company__isnull", False)),
            ),
        ),
    ]
