"""Clock events, clock actions and calendar versions are ledgers; an event may only be voided."""

from django.db import migrations

from smarketing.core.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("sla", "0001_calendar_agreement_clock")]

    operations = [
        append_only("sla_clockevent", mutable_columns=("voided_at", "void_reason", "voided_by_id")),
        append_only("sla_clockaction"),
        append_only("sla_calendarversion"),
    ]
