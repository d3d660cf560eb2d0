"""Mails about accounts: what sign-in wants to say to one address."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from smarketing.core import events
from smarketing.users.events import LetterWritten


@transaction.atomic
def write(*, email: str, subject: str, text: str, now: datetime) -> None:
    """Have the mail go out after the commit. Publishes :class:`LetterWritten`."""
    events.publish(LetterWritten(email=email, subject=subject, text=text, now=now))
