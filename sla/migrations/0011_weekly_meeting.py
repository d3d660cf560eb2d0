"""The agreement that a new installation starts with promises a weekly meeting of the two teams.

Only an agreement that nobody has touched gets it: its first version, without signatures and clocks.
"""

import hashlib
import json
from datetime import UTC, datetime

from django.db import migrations

MEETING = {
    "side": "marketing",
    "metric": "meetings",
    "comparator": ">=",
    "target": "1",
    "period": "week",
}


def add(apps, schema_editor):
    version_model = apps.get_model("sla", "AgreementVersion")
    clause_model = apps.get_model("sla", "Clause")
    version = version_model.objects.filter(number=1, state="in_force", signatures=None).first()
    if version is None or version_model.objects.count() != 1 or version.annex or version.effective_on:
        return
    clauses = list(version.clauses.order_by("position"))
    has_meeting = any(clause.metric == "meetings" for clause in clauses)
    if not clauses or has_meeting or apps.get_model("sla", "Clock").objects.exists():
        return
    clauses.append(clause_model.objects.create(version=version, position=len(clauses) + 1, **MEETING))
    told = [_told(clause) for clause in clauses]
    document = json.dumps({"clauses": told}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    version.digest = hashlib.sha256(document.encode()).hexdigest()
    version.updated_at = datetime.now(tz=UTC)
    version.save(update_fields=["digest", "updated_at"])


def _told(clause):
    """The canonical form of a clause, as it was when this migration was written."""
    told = {
        "side": clause.side,
        "metric": clause.metric,
        "comparator": clause.comparator,
        "target": format(float(clause.target), "g"),
        "period": clause.period,
        "calendar": clause.calendar_id,
        "population": clause.population,
        "grace_seconds": clause.grace_seconds,
        "accountable": clause.accountable_id,
        "backup": clause.backup_id,
    }
    return told | ({"terms": clause.terms} if clause.terms else {})


def remove(apps, schema_editor):
    # What was promised stays on record.
    return


class Migration(migrations.Migration):
    dependencies = [("sla", "0010_leads_set_aside")]

    operations = [migrations.RunPython(add, remove)]
