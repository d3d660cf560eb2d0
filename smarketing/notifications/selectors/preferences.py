"""Reads of how users want to be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

from smarketing.notifications import topics
from smarketing.notifications.domain.quiet import Rhythm, Timing
from smarketing.notifications.models import NoticeChoice, NoticeHours
from smarketing.users.models import User


@dataclass(frozen=True, slots=True)
class Wish:
    """In the product or not, and when by mail. ``mail`` is ``None`` while the notice itself decides."""

    in_app: bool = True
    mail: Rhythm | None = None

    def rhythm(self, *, is_mailed: bool) -> Rhythm:
        """When a notice is mailed that would (``is_mailed``) or would not be, if nothing was chosen."""
        if self.mail is not None:
            return self.mail
        return Rhythm.AT_ONCE if is_mailed else Rhythm.NEVER


UNASKED = Wish()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What some users chose, read at once for a batch of notices."""

    chosen: Mapping[tuple[int, str], Wish]
    timings: Mapping[int, Timing]

    def of(self, user: User, kind: str) -> Wish:
        """What ``user`` chose for ``kind``."""
        return self.chosen.get((user.pk, kind), UNASKED)

    def timing(self, user: User) -> Timing:
        """The hours of ``user``; without quiet ones where none were set."""
        return self.timings.get(user.pk) or Timing(ZoneInfo(user.time_zone))


def wishes(users: Iterable[User]) -> Wishes:
    """What these users chose: two queries, however many they are."""
    by_id = {user.pk: user for user in users}
    if not by_id:
        return Wishes({}, {})
    chosen = {
        (user_id, kind): Wish(in_app, Rhythm(mail) if mail else None)
        for user_id, kind, in_app, mail in NoticeChoice.objects.filter(user__in=by_id).values_list(
            "user_id", "kind", "in_app", "mail"
        )
    }
    hours = NoticeHours.objects.filter(user__in=by_id)
    return Wishes(chosen, {row.user_id: timing(row, by_id[row.user_id].time_zone) for row in hours})


def timing(hours: NoticeHours, time_zone: str) -> Timing:
    """The hours as rules on the wall clock of ``time_zone``."""
    return Timing(
        ZoneInfo(time_zone),
        hours.quiet_from,
        hours.quiet_until,
        time(hours.digest_hour),
        hours.digest_weekday,
    )


def hours_of(user: User) -> NoticeHours:
    """The user's hours; an unsaved row with the defaults where they never set any."""
    return NoticeHours.objects.filter(user=user).first() or NoticeHours(user=user, version=0)


def choices_of(user: User) -> dict[str, Wish]:
    """For every kind, what ``user`` chose."""
    chosen = wishes([user])
    return {kind.code: chosen.of(user, kind.code) for kind in topics.kinds()}
