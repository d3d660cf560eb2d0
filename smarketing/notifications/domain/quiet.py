"""When a mail may be sent: quiet hours and digests, on the wall clock of whoever reads it.

Plain Python; instants are aware, hours are local. An hour that a change of clocks skips comes as much
later as was skipped; of one that comes twice the first counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Rhythm(StrEnum):
    """When mails of a kind are sent."""

    NEVER = "never"
    AT_ONCE = "at_once"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Timing:
    """A user's hours. Without both ends there are no quiet hours; an end before the start is tomorrow's."""

    zone: ZoneInfo
    quiet_from: time | None = None
    quiet_until: time | None = None
    digest_at: time = time(8)
    digest_weekday: int = 0

    def not_before(self, at: datetime) -> datetime:
        """``at``, or the end of the quiet hours that ``at`` lies in (from is quiet, until is not)."""
        if self.quiet_from is None or self.quiet_until is None or self.quiet_from == self.quiet_until:
            return at
        local = at.astimezone(self.zone)
        hour = local.time().replace(tzinfo=None)
        if self.quiet_from < self.quiet_until:
            is_quiet, day = self.quiet_from <= hour < self.quiet_until, local.date()
        else:
            is_quiet = hour >= self.quiet_from or hour < self.quiet_until
            day = local.date() + timedelta(days=1 if hour >= self.quiet_from else 0)
        return max(at, self._instant(day, self.quiet_until)) if is_quiet else at

    def next_mail(self, rhythm: Rhythm, at: datetime) -> datetime:
        """The first instant from ``at`` on at which a mail of that rhythm is sent."""
        if rhythm == Rhythm.NEVER:
            raise ValueError("what is never mailed has no instant")
        if rhythm == Rhythm.AT_ONCE:
            return self.not_before(at)
        day = at.astimezone(self.zone).date()
        if rhythm == Rhythm.WEEKLY:
            day += timedelta(days=(self.digest_weekday - day.weekday()) % 7)
        step = timedelta(days=7 if rhythm == Rhythm.WEEKLY else 1)
        due = self._instant(day, self.digest_at)
        while due < at:
            day += step
            due = self._instant(day, self.digest_at)
        return self.not_before(due)

    def _instant(self, day: date, hour: time) -> datetime:
        return datetime.combine(day, hour, tzinfo=self.zone).astimezone(UTC)
