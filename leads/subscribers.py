"""What the leads app does on its own facts, in their transactions."""

from __future__ import annotations

from leads.events import ActivityLogged, LeadsCaptured
from leads.services import broadcasts


def tell_captured(fact: LeadsCaptured) -> None:
    """Receivers of webhooks hear of new leads."""
    broadcasts.captured(fact=fact)


def tell_attempt(fact: ActivityLogged) -> None:
    """Receivers of webhooks hear of attempts."""
    broadcasts.attempted(fact=fact)
