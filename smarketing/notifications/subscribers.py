"""What the notifications app does on a fact of users, in its transaction."""

from __future__ import annotations

from smarketing.notifications.services import letters
from smarketing.users.events import LetterWritten


def post_letter(fact: LetterWritten) -> None:
    """A mail about an account leaves through the outbox."""
    letters.post(email=fact.email, subject=fact.subject, text=fact.text, now=fact.now)
