"""Who came back after cooling, and the interest of companies."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("funnel", "0020_find_scores_to_nurture"),
        ("leads", "0017_identity_secrets"),
    ]

    operations = [
        migrations.CreateModel(
            name="CompanyInterest",
            fields=[
                (
                    "company",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="company_interest",
                        serialize=False,
                        to="leads.company",
                    ),
                ),
                ("key", models.FloatField()),
                ("people", models.PositiveIntegerField()),
                ("refreshed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="CompanyMark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("company_id", models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="interest",
            name="reheated_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="companyinterest",
            index=models.Index(fields=["-key", "company"], name="company_hottest"),
        ),
        migrations.AddIndex(
            model_name="companyinterest",
            index=models.Index(fields=["refreshed_at"], name="company_interest_stalest"),
        ),
    ]
