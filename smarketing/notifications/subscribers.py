"""What the notifications app does on a fact of users, in its transaction."""

from __future__ import annotations

from smarketing.notifications.services import letters, preferences
from smarketing.users.events import LetterWritten, ZoneChanged


def post_letter(fact: LetterWritten) -> None:
    """A mail about an account leaves through the outbox."""
    letters.post(email=fact.email, subject=fact.subject, text=fact.text, now=fact.now)


def follow_zone(fact: ZoneChanged) -> None:
    """Mails that wait for a user's morning wait for that of the new zone."""
    preferences.follow_zone(user_id=fact.user_id, now=fact.now)
