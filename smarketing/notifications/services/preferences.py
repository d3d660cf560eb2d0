"""What users choose about their notices; what waits for them follows the choice at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time

from django.db import transaction
from django.utils.translation import gettext as _

from smarketing.core.errors import Conflict, FieldError, Invalid
from smarketing.notifications import topics
from smarketing.notifications.domain.quiet import Rhythm
from smarketing.notifications.models import NoticeChoice, NoticeHours, WaitingMail
from smarketing.notifications.selectors import preferences
from smarketing.notifications.selectors.preferences import Wish
from smarketing.users.models import User


class ChoiceInvalid(Invalid):
    """A kind that does not exist, or hours that are none."""


class ChoiceChanged(Conflict):
    """Another window saved other hours meanwhile."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Quiet hours (both ends or none) and when digests are sent; weekday 0 is Monday."""

    quiet_from: time | None = None
    quiet_until: time | None = None
    digest_hour: int = 8
    digest_weekday: int = 0


@transaction.atomic
def choose(
    *, user: User, choices: Mapping[str, Wish], hours: Hours, version: int | None, now: datetime
) -> NoticeHours:
    """Store ``user``'s hours and, for the kinds named in ``choices``, how they want to be told.

    ``version`` is that of the hours that were read (0 where there were none), ``None`` to overwrite.
    A wish without a mail rhythm leaves it to each notice whether it is mailed. Raises ``ChoiceInvalid``,
    ``ChoiceChanged``.
    """
    _check(choices, hours)
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two windows of one user stand in line
    kept = preferences.hours_of(user)
    if version is not None and kept.version != version:
        raise ChoiceChanged(_("You changed this in another window. Look at it again."))
    kept.quiet_from, kept.quiet_until = hours.quiet_from, hours.quiet_until
    kept.digest_hour, kept.digest_weekday = hours.digest_hour, hours.digest_weekday
    kept.version += 1
    _write(kept)
    for kind, wish in choices.items():
        if wish == preferences.UNASKED:
            NoticeChoice.objects.filter(user=user, kind=kind).delete()
        else:
            NoticeChoice.objects.update_or_create(
                user=user,
                kind=kind,
                defaults={"in_app": wish.in_app, "mail": wish.mail.value if wish.mail else ""},
            )
    _follow(user, now)
    return kept


@transaction.atomic(savepoint=False)
def follow_zone(*, user_id: int, now: datetime) -> None:
    """A user's wall clock is another: what waits for them is sent by the new one."""
    _follow(User.objects.select_for_update(no_key=True).get(pk=user_id), now)


def _write(hours: NoticeHours) -> None:
    fields = ["quiet_from", "quiet_until", "digest_hour", "digest_weekday", "version"]
    if hours.version == 1:
        hours.save(force_insert=True)
    else:
        hours.save(update_fields=fields)


def _follow(user: User, now: datetime) -> None:
    """What waits is sent when the new choice says so; what is no longer wanted by mail is dropped."""
    waiting = WaitingMail.objects.filter(user=user, settled_at=None).order_by("pk")
    rows = list(waiting.select_for_update(of=("self",)).select_related("outbox"))
    if not rows:
        return
    chosen = preferences.wishes([user])
    timing = chosen.timing(user)
    for row in rows:
        wish = chosen.of(user, topics.kind_of(row.outbox.topic))
        rhythm = wish.rhythm(is_mailed=bool(row.outbox.notice.get("mail")))
        if rhythm == Rhythm.NEVER:
            row.settled_at = now
        else:
            row.rhythm, row.due_at = rhythm.value, timing.next_mail(rhythm, now)
    WaitingMail.objects.bulk_update(rows, ["rhythm", "due_at", "settled_at"], batch_size=500)


def _check(choices: Mapping[str, Wish], hours: Hours) -> None:
    known = {kind.code for kind in topics.kinds()}
    errors = [
        FieldError(f"kinds.{code}", "unknown", _("There is no such kind of notice."))
        for code in choices
        if code not in known
    ]
    if (hours.quiet_from is None) != (hours.quiet_until is None):
        missing = "quiet_from" if hours.quiet_from is None else "quiet_until"
        errors.append(FieldError(missing, "required", _("Name both ends of the quiet hours, or neither.")))
    elif hours.quiet_from is not None and hours.quiet_from == hours.quiet_until:
        errors.append(FieldError("quiet_until", "invalid", _("The quiet hours end when they begin.")))
    if not 0 <= hours.digest_hour <= 23:
        errors.append(FieldError("digest_hour", "invalid", _("An hour is 0 to 23.")))
    if not 0 <= hours.digest_weekday <= 6:
        errors.append(FieldError("digest_weekday", "invalid", _("A weekday is 0 (Monday) to 6 (Sunday).")))
    if errors:
        raise ChoiceInvalid(_("Some choices can't be used."), errors=errors)
