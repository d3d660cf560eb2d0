"""The rules of channels become data, beginning with the default grouping of Google Analytics 4."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_PAID = ["*cp*", "ppc", "retargeting", "paid*"]
_SHOP = ["shop*", "*[!a-df-z]shop*", "*shopping*"]
_RULES: list[tuple[str, dict[str, list[str]]]] = [
    ("cross_network", {"campaign": ["*cross-network*"]}),
    ("direct", {"source": ["(direct)"], "medium": ["(none)"]}),
    ("paid_shopping", {"medium": _PAID, "site": ["shopping"]}),
    ("paid_shopping", {"medium": _PAID, "campaign": _SHOP}),
    ("paid_search", {"medium": _PAID, "site": ["search"]}),
    ("paid_social", {"medium": _PAID, "site": ["social"]}),
    ("paid_video", {"medium": _PAID, "site": ["video"]}),
    ("display", {"medium": ["display", "banner", "expandable", "interstitial", "cpm"]}),
    ("paid_other", {"medium": _PAID}),
    ("ai_assistant", {"medium": ["ai-assistant", "ai_assistant", "ai assistant"]}),
    ("ai_assistant", {"campaign": ["(ai-assistant)"]}),
    ("ai_assistant", {"site": ["ai"]}),
    ("organic_shopping", {"site": ["shopping"]}),
    ("organic_shopping", {"campaign": _SHOP}),
    ("organic_social", {"site": ["social"]}),
    (
        "organic_social",
        {"medium": ["social", "social-network", "social-media", "sm", "social network", "social media"]},
    ),
    ("organic_video", {"site": ["video"]}),
    ("organic_video", {"medium": ["*video*"]}),
    ("organic_search", {"site": ["search"]}),
    ("organic_search", {"medium": ["organic"]}),
    ("referral", {"medium": ["referral", "app", "link"]}),
    ("email", {"source": ["email", "e-mail", "e_mail", "e mail"]}),
    ("email", {"medium": ["email", "e-mail", "e_mail", "e mail"]}),
    ("affiliates", {"medium": ["affiliate", "affiliates"]}),
    ("audio", {"medium": ["audio"]}),
    ("sms", {"source": ["sms"]}),
    ("sms", {"medium": ["sms"]}),
    ("push", {"medium": ["*push", "*mobile*", "*notification*"]}),
    ("push", {"source": ["firebase"]}),
]


def _put_in(apps: Any, schema_editor: Any) -> None:
    rules = [{"id": n, "channel": code, **asks} for n, (code, asks) in enumerate(_RULES, start=1)]
    apps.get_model("leads", "ChannelRuleSet").objects.create(
        number=1, rules=rules, action="seeded", created_at=datetime(2026, 1, 1, tzinfo=UTC)
    )


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0010_events_outside_visits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ChannelRuleSet",
            fields=[
                (
                    "number",
                    models.PositiveIntegerField(primary_key=True, serialize=False, verbose_name="version"),
                ),
                ("rules", models.JSONField(default=list)),
                ("action", models.CharField(max_length=20)),
                ("channel_code", models.CharField(blank=True, max_length=40)),
                ("created_at", models.DateTimeField()),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.RunPython(_put_in, migrations.RunPython.noop),
    ]
