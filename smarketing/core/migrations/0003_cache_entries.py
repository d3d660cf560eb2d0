"""What sign-in remembers for minutes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_heartbeat"),
    ]

    operations = [
        migrations.CreateModel(
            name="CacheEntry",
            fields=[
                ("key", models.CharField(max_length=300, primary_key=True, serialize=False)),
                ("value", models.JSONField()),
                ("expires_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "core_cacheentry",
                "indexes": [models.Index(fields=["expires_at"], name="cache_entry_expiry")],
            },
        ),
    ]
