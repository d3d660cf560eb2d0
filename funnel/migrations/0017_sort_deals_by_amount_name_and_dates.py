from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Deals in the orders that lists offer, read from an index. Made beside a running product."""

    atomic = False

    dependencies = [
        ("funnel", "0016_routing_rules_absences_and_decisions"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="opportunity",
            index=models.Index(fields=["name", "id"], name="opportunities_by_name"),
        ),
        AddIndexConcurrently(
            model_name="opportunity",
            index=models.Index(fields=["stage_entered_at", "id"], name="opportunities_by_move"),
        ),
        AddIndexConcurrently(
            model_name="opportunity",
            index=models.Index(fields=["amount", "id"], name="opportunities_least"),
        ),
        AddIndexConcurrently(
            model_name="opportunity",
            index=models.Index(
                models.OrderBy(models.F("amount"), descending=True, nulls_last=True),
                models.OrderBy(models.F("id"), descending=True),
                name="opportunities_most",
            ),
        ),
        AddIndexConcurrently(
            model_name="opportunity",
            index=models.Index(fields=["expected_close_on", "id"], name="opportunities_close_soonest"),
        ),
        AddIndexConcurrently(
            model_name="opportunity",
            index=models.Index(
                models.OrderBy(models.F("expected_close_on"), descending=True, nulls_last=True),
                models.OrderBy(models.F("id"), descending=True),
                name="opportunities_close_latest",
            ),
        ),
        AddIndexConcurrently(
            model_name="opportunity",
            index=models.Index(fields=["opened_at", "id"], name="opportunities_opened_first"),
        ),
        AddIndexConcurrently(
            model_name="opportunity",
            index=models.Index(
                models.OrderBy(models.F("opened_at"), descending=True, nulls_last=True),
                models.OrderBy(models.F("id"), descending=True),
                name="opportunities_opened_last",
            ),
        ),
        AddIndexConcurrently(
            model_name="opportunity",
            index=models.Index(fields=["closed_at", "id"], name="opportunities_closed_first"),
        ),
        AddIndexConcurrently(
            model_name="opportunity",
            index=models.Index(
                models.OrderBy(models.F("closed_at"), descending=True, nulls_last=True),
                models.OrderBy(models.F("id"), descending=True),
                name="opportunities_closed_last",
            ),
        ),
    ]
