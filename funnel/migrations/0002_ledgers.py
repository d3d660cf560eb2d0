"""Moves and assignments are ledgers: rows are added and never changed (I-18)."""

from django.db import migrations

from smarketing.core.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("funnel", "0001_definition_stage_handoff_opportunity")]

    operations = [
        append_only("funnel_stagetransition"),
        append_only("funnel_assignment"),
        append_only("funnel_opportunitytransition"),
    ]
