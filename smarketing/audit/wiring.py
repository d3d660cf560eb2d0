"""What the audit trail listens to."""

from __future__ import annotations

from smarketing.audit import subscribers
from smarketing.core.changes import ConfigurationChanged
from smarketing.core.events import subscribe


def connect() -> None:
    """Every change of the configuration is kept."""
    subscribe(ConfigurationChanged, subscribers.keep)
