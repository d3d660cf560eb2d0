"""What sign-in remembers for minutes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0003_sign_in_failures"),
    ]

    operations = [
        migrations.CreateModel(
            name="ShortMemory",
            fields=[
                ("key", models.CharField(max_length=300, primary_key=True, serialize=False)),
                ("value", models.JSONField()),
                ("expires_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="short_memory_expiry")],
            },
        ),
    ]
