"""Put in the roads that lead here and the sources that every installation has."""

from __future__ import annotations

from typing import Any

from django.db import migrations

# (code, name, paid), in the order of lists. The online ones follow the default grouping of GA4.
_CHANNELS = [
    ("direct", "Direct", False),
    ("organic_search", "Organic search", False),
    ("paid_search", "Paid search", True),
    ("ai_assistant", "AI assistant", False),
    ("organic_social", "Organic social", False),
    ("paid_social", "Paid social", True),
    ("organic_video", "Organic video", False),
    ("paid_video", "Paid video", True),
    ("organic_shopping", "Organic shopping", False),
    ("paid_shopping", "Paid shopping", True),
    ("display", "Display", True),
    ("cross_network", "Cross-network", True),
    ("paid_other", "Paid, other", True),
    ("audio", "Audio", True),
    ("email", "E-mail", False),
    ("sms", "Text message", False),
    ("push", "Push notification", False),
    ("referral", "Referral", False),
    ("affiliates", "Affiliates", True),
    ("partner", "Partner", False),
    ("recommendation", "Recommendation", False),
    ("event", "Event", False),
    ("pr", "Press and PR", False),
    ("outbound", "Outbound", False),
    ("phone", "Phone", False),
    ("offline", "Offline, other", False),
    ("other", "Other", False),
    ("unknown", "Unknown", False),
]
_SOURCES = [
    ("manual", "Typed in", "manual"),
    ("web", "Website", "web"),
    ("api", "REST interface", "api"),
]


def _put_in(apps: Any, schema_editor: Any) -> None:
    channel, source = apps.get_model("leads", "Channel"), apps.get_model("leads", "Source")
    channel.objects.bulk_create(
        [
            channel(code=code, name=name, is_paid=paid, position=position)
            for position, (code, name, paid) in enumerate(_CHANNELS)
        ],
        ignore_conflicts=True,
    )
    source.objects.bulk_create(
        [source(code=code, name=name, kind=kind) for code, name, kind in _SOURCES], ignore_conflicts=True
    )


class Migration(migrations.Migration):
    dependencies = [("leads", "0001_people_leads_touchpoints")]

    operations = [migrations.RunPython(_put_in, migrations.RunPython.noop)]
