"""Facts of users that other parts of the kernel act on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from smarketing.core.events import Fact


@dataclass(frozen=True, slots=True)
class LetterWritten(Fact):
    """A mail about an account, such as the link to set a password, waits to go to one address.

    ``text`` may open an account: whoever keeps it encrypts it.
    """

    email: str
    subject: str
    text: str = field(repr=False)
    now: datetime


@dataclass(frozen=True, slots=True)
class ZoneChanged(Fact):
    """A user's wall clock is another: what is sent by it comes at another instant."""

    user_id: int
    now: datetime
