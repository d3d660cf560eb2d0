"""What a new installation starts with: office hours, and a first response within one business hour.

The version is in force without signatures; the product says "not signed yet" until both sides sign.
"""

import hashlib
import json
from datetime import UTC, datetime

from django.db import migrations

OFFICE = [["10:00", "18:00"]]
BODY = {
    "zone": "UTC",
    "week": {
        "mon": OFFICE,
        "tue": OFFICE,
        "wed": OFFICE,
        "thu": OFFICE,
        "fri": OFFICE,
        "sat": [],
        "sun": [],
    },
    "holidays": [],
}


def add(apps, schema_editor):
    if apps.get_model("sla", "Agreement").objects.exists():
        return
    now = datetime.now(tz=UTC)
    calendar = apps.get_model("sla", "Calendar").objects.create(
        name="Office hours", is_default=True, created_at=now, updated_at=now
    )
    apps.get_model("sla", "CalendarVersion").objects.create(
        calendar=calendar, number=1, body=BODY, created_at=now
    )
    agreement = apps.get_model("sla", "Agreement").objects.create(
        name="Sales and marketing", created_at=now, updated_at=now
    )
    clause = {
        "side": "sales",
        "metric": "first_response",
        "comparator": "<=",
        "target": "60",
        "period": "",
        "calendar": calendar.pk,
        "population": {},
        "grace_seconds": 0,
        "accountable": None,
        "backup": None,
    }
    document = json.dumps({"clauses": [clause]}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    version = apps.get_model("sla", "AgreementVersion").objects.create(
        agreement=agreement,
        number=1,
        state="in_force",
        digest=hashlib.sha256(document.encode()).hexdigest(),
        in_force_from=now,
        created_at=now,
        updated_at=now,
    )
    apps.get_model("sla", "Clause").objects.create(
        version=version,
        position=1,
        side="sales",
        metric="first_response",
        comparator="<=",
        target=60,
        calendar=calendar,
    )


def remove(apps, schema_editor):
    # A calendar version is a ledger row and stays; an installation that goes back keeps its agreement.
    return


class Migration(migrations.Migration):
    dependencies = [("sla", "0003_clock_pauses_and_ends")]

    operations = [migrations.RunPython(add, remove)]
