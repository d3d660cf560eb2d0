"""Where each company stands, and since when; those that are known are derived by the loop."""

import django.db.models.deletion
from django.db import migrations, models

MARK = """
INSERT INTO funnel_companymark (company_id)
SELECT company_id FROM leads_person WHERE company_id IS NOT NULL
 UNION SELECT company_id FROM leads_lead WHERE company_id IS NOT NULL
 UNION SELECT company_id FROM funnel_opportunity WHERE company_id IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("funnel", "0029_find_the_longest_in_a_stage"),
        ("leads", "0023_find_tasks_to_remind_of"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountState",
            fields=[
                (
                    "company",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="account_state",
                        serialize=False,
                        to="leads.company",
                    ),
                ),
                ("entered_at", models.DateTimeField(verbose_name="since")),
                ("refreshed_at", models.DateTimeField()),
                (
                    "high_water",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="funnel.stage",
                    ),
                ),
                (
                    "stage",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="funnel.stage",
                        verbose_name="stage",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-entered_at", "-company"], name="accounts_latest"),
                    models.Index(fields=["stage", "-entered_at", "-company"], name="accounts_by_stage"),
                    models.Index(fields=["refreshed_at"], name="accounts_stalest"),
                ],
            },
        ),
        migrations.RunSQL(MARK, migrations.RunSQL.noop),
    ]
