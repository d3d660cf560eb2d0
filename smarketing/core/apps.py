"""The kernel: clock, facts, errors, locks, periods, loops."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register

from smarketing.core import checks, invariants, ledgers, readings


class CoreConfig(AppConfig):
    """Wires the app at start."""

    name = "smarketing.core"
    label = "core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what is checked about the database before it is used."""
        register(checks.durable_database, Tags.database)
        invariants.register(ledgers.TRIGGERS_AWAKE)
        readings.register(
            readings.Reading(
                "heartbeat_age_seconds",
                "Seconds since a part of the machinery was last alive.",
                "SELECT name, extract(epoch FROM now() - beat_at) FROM core_heartbeat"
                " WHERE name NOT LIKE 'clock %'",
                label="part",
            )
        )
