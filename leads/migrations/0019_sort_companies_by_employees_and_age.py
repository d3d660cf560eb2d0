from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Companies in the orders that lists offer, read from an index. Made beside a running product."""

    atomic = False

    dependencies = [
        ("leads", "0018_visits_without_campaign"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="company",
            index=models.Index(fields=["created_at", "id"], name="company_list_by_age"),
        ),
        AddIndexConcurrently(
            model_name="company",
            index=models.Index(fields=["employees", "id"], name="company_list_smallest"),
        ),
        AddIndexConcurrently(
            model_name="company",
            index=models.Index(
                models.OrderBy(models.F("employees"), descending=True, nulls_last=True),
                models.OrderBy(models.F("id"), descending=True),
                name="company_list_largest",
            ),
        ),
    ]
