"""A switch of the definition writes the version of everybody's interest; no check of each row."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("funnel", "0030_accounts_have_a_journey")]

    operations = [
        migrations.AlterField(
            model_name="interest",
            name="definition",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="funnel.definitionversion",
            ),
        ),
    ]
