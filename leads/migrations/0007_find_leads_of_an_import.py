from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("leads", "0006_tracking_intake")]

    operations = [
        AddIndexConcurrently(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("import_run__isnull", False)),
                fields=["import_run", "id"],
                name="lead_of_import",
            ),
        ),
    ]
