"""How this app is wired at start."""

from __future__ import annotations

from leads.selectors import timeline, timeline_rows


def connect() -> None:
    """Put what this app knows on the timeline."""
    for provider in timeline_rows.PROVIDERS:
        timeline.register(provider)
