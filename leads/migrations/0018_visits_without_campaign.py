from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("leads", "0017_identity_secrets")]

    operations = [
        AddIndexConcurrently(
            "touchpoint",
            models.Index(
                Lower(KeyTextTransform("utm_campaign", "parameters")),
                name="touch_without_campaign",
                condition=models.Q(
                    ("campaign", None), ("kind", "visit"), ("parameters__has_key", "utm_campaign")
                ),
            ),
        ),
        AddIndexConcurrently(
            "touchpoint",
            models.Index(
                Lower(KeyTextTransform("utm_id", "parameters")),
                name="touch_without_campaign_id",
                condition=models.Q(("campaign", None), ("kind", "visit"), ("parameters__has_key", "utm_id")),
            ),
        ),
    ]
