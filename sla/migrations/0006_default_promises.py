"""The promises a new installation starts with, beside the first response (docs/adr/0008).

Only an agreement that nobody has touched gets them: its first version, without signatures and clocks.
"""

import hashlib
import json
from datetime import UTC, datetime

from django.db import migrations

# side, metric, comparator, target, period; in the order of the agreement after the first response.
DEFAULTS = [
    ("sales", "depth", ">=", "5", ""),
    ("sales", "return_feedback", "<=", "2", ""),
    ("sales", "contacts", ">=", "20", "week"),
    ("marketing", "supply_count", ">=", "100", "month"),
]
# Once a first response is overdue: open minutes until the team lead is told, and both managers.
LADDER = {"lead_after_minutes": 30, "managers_after_minutes": 60}


def add(apps, schema_editor):
    version_model = apps.get_model("sla", "AgreementVersion")
    clause_model = apps.get_model("sla", "Clause")
    version = version_model.objects.filter(number=1, state="in_force", signatures=None).first()
    if version is None or version_model.objects.count() != 1:
        return
    clauses = list(version.clauses.all())
    first = clauses[0] if len(clauses) == 1 else None
    if first is None or first.metric != "first_response" or apps.get_model("sla", "Clock").objects.exists():
        return
    first.terms = LADDER
    first.save(update_fields=["terms"])
    for position, (side, metric, comparator, target, period) in enumerate(DEFAULTS, start=2):
        clause_model.objects.create(
            version=version,
            position=position,
            side=side,
            metric=metric,
            comparator=comparator,
            target=target,
            period=period,
            calendar=first.calendar,
        )
    told = [
        {
            "side": side,
            "metric": metric,
            "comparator": comparator,
            "target": target,
            "period": period,
            "calendar": first.calendar_id,
            "population": {},
            "grace_seconds": 0,
            "accountable": None,
            "backup": None,
        }
        for side, metric, comparator, target, period in [
            ("sales", "first_response", "<=", "60", ""),
            *DEFAULTS,
        ]
    ]
    told[0]["terms"] = LADDER
    document = json.dumps({"clauses": told}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    version.digest = hashlib.sha256(document.encode()).hexdigest()
    version.updated_at = datetime.now(tz=UTC)
    version.save(update_fields=["digest", "updated_at"])


def remove(apps, schema_editor):
    # What was promised stays on record.
    return


class Migration(migrations.Migration):
    dependencies = [("sla", "0005_clause_terms_annex_and_comments")]

    operations = [migrations.RunPython(add, remove)]
